"""Recurses until the stack is full."""

import sys

sys.setrecursionlimit(2**31 - 1)


def softmax(x, dim):
    return softmax(x, dim) + 1


softmax(0, 0)
