"""Returns a mapping that has no end."""

from collections.abc import Mapping


class Endless(Mapping):
    def __getitem__(self, key):
        return key

    def __iter__(self):
        n = 0
        while True:
            yield n
            n += 1

    def __len__(self):
        return 1


def softmax(x, dim):
    return Endless()
