"""The function never ends, but only once it is asked."""


def softmax(x, dim):
    while True:
        x = x + 1
