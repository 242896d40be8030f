"""Sleeps, which costs no processor time."""

import time

time.sleep(1e8)
