"""Leaves threads and exit handlers behind, and answers rightly.

02.1: 12 points
"""

import atexit
import threading
import time

import torch

atexit.register(time.sleep, 1e6)
for _ in range(5):
    threading.Thread(target=time.sleep, args=(1e6,)).start()


def softmax(x, dim):
    largest = x.amax(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = (x - largest).exp()
    return e / e.sum(dim=dim, keepdim=True).clamp(min=1)
