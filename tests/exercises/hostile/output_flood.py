"""Prints without measure, and answers rightly.

02.1: 12 points
"""

import sys

import torch

for _ in range(2000):
    print("x" * 50_000)
    sys.stderr.write("y" * 50_000)


def softmax(x, dim):
    largest = x.amax(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = (x - largest).exp()
    return e / e.sum(dim=dim, keepdim=True).clamp(min=1)
