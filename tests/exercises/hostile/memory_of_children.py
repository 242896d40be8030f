"""Takes little memory itself; its many children take much together."""

import os
import time

for _ in range(16):
    if os.fork() == 0:
        taken = bytearray(os.urandom(1 << 20)) * 300
        time.sleep(1e6)
time.sleep(1e6)
