"""Leaves a process behind in a session of its own, and answers rightly.

02.1: 12 points
"""

import os
import time

import torch

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1e6)
    os._exit(0)


def softmax(x, dim):
    largest = x.amax(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = (x - largest).exp()
    return e / e.sum(dim=dim, keepdim=True).clamp(min=1)
