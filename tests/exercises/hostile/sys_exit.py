"""Raises SystemExit in the cell and in the answer."""

import sys


def softmax(x, dim):
    sys.exit(0)


sys.exit(0)
