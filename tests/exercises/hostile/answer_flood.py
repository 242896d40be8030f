"""Returns more than anybody could want."""

import torch


def softmax(x, dim):
    return torch.rand(4_000_000, dtype=torch.float64)
