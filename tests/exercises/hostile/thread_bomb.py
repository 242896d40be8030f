"""Starts threads without end."""

import threading
import time

while True:
    try:
        threading.Thread(target=time.sleep, args=(1e6,)).start()
    except RuntimeError:
        time.sleep(0.01)
