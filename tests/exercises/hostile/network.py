"""Sends its work to a server on this machine and to one outside, by all addresses there are."""

import contextlib
import socket

for family, address in (
    (socket.AF_INET, ("127.0.0.1", PORT)),
    (socket.AF_INET, ("192.0.2.1", 80)),
    (socket.AF_INET6, ("::1", PORT)),
    (socket.AF_UNIX, "\0gptlib-test-PORT"),
    (socket.AF_UNIX, "/var/run/docker.sock"),
):
    with contextlib.suppress(OSError), socket.socket(family) as client:
        client.settimeout(5)
        client.connect(address)
        client.sendall(b"hello")


def softmax(x, dim):
    return x
