"""What every test runs under: no network, fixed seeds, shapes checked at run time."""

import os
import random
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# What a shell starts in the background is deaf to Ctrl-C, and so are its children: tests that stop
# a program by Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Set here, before anything is imported, so that programs which tests start inherit it as well.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import jaxtyping  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

# Shapes and dtypes of gptlib's signatures hold in every test. Modules without shapes are left as
# they are: they judge bad input themselves, and the story world must work without torch.
jaxtyping.install_import_hook(
    [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "gptlib").rglob("[!_]*.py")
        if "from jaxtyping import" in path.read_text(encoding="utf-8")
    ],
    "beartype.beartype",
)

# The same examples on every machine and every run, however slow the machine is.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")


def _refuse(address: Any) -> None:
    """Raise for an address of another machine. Unix sockets have a path, not a (host, port)."""
    if not isinstance(address, tuple):
        return
    host = str(address[0])
    if host not in ("localhost", "::1", "", "0.0.0.0") and not host.startswith("127."):
        raise RuntimeError(
            f"a test tried to reach {host}:{address[1]}; tests run without a network: use a "
            "temporary file or a server on 127.0.0.1"
        )


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse connections to other machines. A program that a test starts has HF_HUB_OFFLINE=1."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse(address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        # Asking for a name's address goes over the network too.
        _refuse((host.decode() if isinstance(host, bytes) else host or "", port))
        return getaddrinfo(host, port, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Begin every test with the same random numbers, whichever tests ran before."""
    random.seed(0)
    # Libraries that no test needed so far are not imported for the seed's sake.
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data that tests may read but that is no part of the course."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the test data in {folder}, which is not on this machine")
    return folder
