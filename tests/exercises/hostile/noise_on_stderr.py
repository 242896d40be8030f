"""Warns on standard error, in the cell and in the answer, and answers rightly.

02.1: 12 points
"""

import sys
import warnings

import torch

warnings.warn("this is old", DeprecationWarning, stacklevel=1)
print("noise", file=sys.stderr)


def _softmax(x, dim):
    warnings.warn("so is this", FutureWarning, stacklevel=1)
    print("more noise", file=sys.stderr)
    largest = x.amax(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = (x - largest).exp()
    return e / e.sum(dim=dim, keepdim=True).clamp(min=1)


softmax = _softmax
