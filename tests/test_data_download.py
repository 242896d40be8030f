"""Downloads, from a server on this machine that truncates, stalls, corrupts and refuses."""

import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from gptlib.data import corpora, corpus
from gptlib.data.download import DownloadError, cache_folder, download

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


class Server(ThreadingHTTPServer):
    """Serves `content` well or badly, and keeps the headers of every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.etag = '"1"'
        self.next_version = b""  # replaces the content after the first answer
        self.ranges = True  # answers Range requests
        self.cuts: list[int] = []  # after how many bytes each coming answer breaks off
        self.stall = False  # waits instead of breaking off
        self.status: list[int] = []  # errors to answer first
        self.requests: list[dict[str, str]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/texts/some%20text.txt"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        server, asked = self.server, dict(self.headers)
        server.requests.append(asked)
        if server.next_version and len(server.requests) == 2:
            server.content, server.etag = server.next_version, '"2"'
        if server.status:
            self.send_error(server.status.pop(0))
            return
        first, content = 0, server.content
        same = asked.get("If-Range", server.etag) == server.etag
        if server.ranges and same and "Range" in asked:
            first = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
            if first >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206)
            span = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self.send_header("Content-Range", span)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - first))
        self.send_header("ETag", server.etag)
        self.end_headers()
        stop = first + server.cuts.pop(0) if server.cuts else len(content)
        self.wfile.write(content[first:stop])
        if server.stall and stop < len(content):
            self.wfile.flush()
            server.released.wait(60)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setenv("GPTLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("gptlib.data.transfer._PAUSE", 0.0)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def kept() -> list[Path]:
    return sorted(cache_folder().iterdir())


def test_a_file_is_downloaded_once(server: Server) -> None:
    file = download(server.url, SHA256)
    assert file.read_bytes() == CONTENT
    assert file.name.endswith("-some_text.txt")
    assert download(server.url, SHA256) == download(server.url) == file
    assert len(server.requests) == 1
    assert kept() == [file]


def test_two_addresses_with_one_file_name_are_kept_apart(server: Server) -> None:
    assert download(server.url) != download(server.url + "?page=2")


def test_a_broken_connection_is_resumed_at_once(server: Server) -> None:
    server.cuts = [HALF, 1000]
    assert download(server.url, SHA256).read_bytes() == CONTENT
    asked = [request.get("Range") for request in server.requests]
    assert asked == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]


def test_a_connection_that_breaks_often_still_arrives(server: Server) -> None:
    server.cuts = [len(CONTENT) // 20] * 19
    assert download(server.url, SHA256).read_bytes() == CONTENT


def test_what_came_is_kept_for_the_next_call(server: Server) -> None:
    server.cuts = [HALF, 0, 0, 0]
    message = f"the connection ended after {HALF:,} of {len(CONTENT):,} bytes"
    with pytest.raises(DownloadError, match=re.escape(message)) as error:
        download(server.url, SHA256)
    assert "\n" not in str(error.value)
    assert [file.stat().st_size for file in kept()] == [HALF]

    server.cuts, server.requests = [], []
    assert download(server.url, SHA256).read_bytes() == CONTENT
    assert [request["Range"] for request in server.requests] == [f"bytes={HALF}-"]


def test_without_a_digest_nothing_half_is_kept(server: Server) -> None:
    server.cuts = [HALF, 0, 0, 0]
    with pytest.raises(DownloadError, match="the connection ended"):
        download(server.url)
    assert kept() == []


def test_a_file_that_changes_on_the_server_is_not_mixed(server: Server) -> None:
    server.cuts = [HALF]
    server.next_version = CONTENT[::-1] + b"longer"
    assert download(server.url).read_bytes() == server.next_version
    assert server.requests[1]["If-Range"] == '"1"'
    assert server.etag == '"2"'


def test_a_server_without_ranges_sends_it_all_again(server: Server) -> None:
    server.ranges = False
    server.cuts = [HALF]
    assert download(server.url, SHA256).read_bytes() == CONTENT


def test_a_stalled_server_is_given_up_and_resumed_later(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptlib.data.transfer._ATTEMPTS", 1)
    server.cuts, server.stall = [HALF], True
    with pytest.raises(DownloadError, match="the server sent nothing for 1 s; try again later"):
        download(server.url, SHA256, timeout=1)
    assert [file.stat().st_size for file in kept()] == [HALF]
    assert download(server.url, SHA256).read_bytes() == CONTENT


def test_a_corrupted_file_is_refused_and_not_kept(server: Server) -> None:
    server.content = bytes([CONTENT[0] ^ 1]) + CONTENT[1:]
    wrong = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(DownloadError, match=f"its SHA-256 is {wrong}, not {SHA256}") as error:
        download(server.url, SHA256)
    assert "\n" not in str(error.value)
    assert kept() == []
    server.content = CONTENT
    assert download(server.url, SHA256.upper()).read_bytes() == CONTENT


def test_a_cached_file_that_was_damaged_is_downloaded_again(server: Server) -> None:
    file = download(server.url, SHA256)
    file.write_bytes(b"damaged")
    assert download(server.url, SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_reported_at_once(server: Server, status: int) -> None:
    server.status = [status]
    with pytest.raises(DownloadError, match=f"the server answers {status} .*; check the address"):
        download(server.url, SHA256)
    assert len(server.requests) == 1
    assert kept() == []


def test_a_server_with_a_passing_fault_is_asked_again(server: Server) -> None:
    server.status = [503, 429]
    assert download(server.url, SHA256).read_bytes() == CONTENT


def test_a_server_with_a_lasting_fault_is_given_up(server: Server) -> None:
    server.status = [500] * 9
    with pytest.raises(DownloadError, match="the server answers 500"):
        download(server.url, SHA256)
    assert len(server.requests) == 3


def test_a_partial_file_that_is_complete_is_used(server: Server) -> None:
    file = download(server.url, SHA256)
    file.rename(file.with_name(file.name + ".part"))
    assert download(server.url, SHA256).read_bytes() == CONTENT
    assert server.requests[-1]["Range"] == f"bytes={len(CONTENT)}-"


def test_a_partial_file_that_is_too_long_is_dropped(server: Server) -> None:
    file = download(server.url, SHA256)
    file.unlink()
    file.with_name(file.name + ".part").write_bytes(CONTENT + b"more")
    assert download(server.url, SHA256).read_bytes() == CONTENT


def test_a_partial_file_of_a_dead_process_is_resumed_and_of_a_live_one_is_not(
    server: Server,
) -> None:
    file = download(server.url, SHA256)
    file.unlink()
    other = file.with_name(file.name + ".part-1-1")
    other.write_bytes(CONTENT[:HALF])
    download(server.url, SHA256)
    assert "Range" not in server.requests[-1]
    assert other.read_bytes() == CONTENT[:HALF]

    file.unlink()
    long_ago = time.time() - 3600
    os.utime(other, (long_ago, long_ago))
    assert download(server.url, SHA256).read_bytes() == CONTENT
    assert server.requests[-1]["Range"] == f"bytes={HALF}-"
    assert kept() == [file]


def test_downloads_at_the_same_time_do_not_disturb_each_other(server: Server) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(download(server.url, SHA256).read_bytes()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 8
    assert len(kept()) == 1


def test_no_connection_is_one_clear_line(server: Server) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/a.txt"
        with pytest.raises(
            DownloadError, match=r"no connection \(.+\); check the network"
        ) as error:
            download(address)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(address)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/a", "file:///etc/hostname", "nowhere"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(DownloadError, match="not an http or https address"):
        download(address)


def test_a_digest_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits, unlike 'abc'"):
        download("http://127.0.0.1/a", "abc")


def test_a_cache_that_cannot_be_written_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GPTLIB_CACHE", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match=re.escape(f"can't keep {server.url} in {tmp_path}")):
        download(server.url)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x/cache"}, PurePosixPath("/x/cache/gptlib")),
        ("linux", {"HOME": "/home/a"}, PurePosixPath("/home/a/.cache/gptlib")),
        ("darwin", {"HOME": "/Users/a"}, PurePosixPath("/Users/a/Library/Caches/gptlib")),
        ("win32", {"LOCALAPPDATA": "C:\\Local"}, PureWindowsPath("C:\\Local/gptlib")),
        ("linux", {"GPTLIB_CACHE": "/chosen", "XDG_CACHE_HOME": "/x"}, PurePosixPath("/chosen")),
    ],
)
def test_the_cache_is_where_the_system_has_caches(
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    variables: dict[str, str],
    expected: PurePosixPath,
) -> None:
    for name in ("GPTLIB_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path(variables.get("HOME", "/nowhere")))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert type(expected)(str(cache_folder())) == expected


def test_tiny_shakespeare_comes_by_name(
    server: Server, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is the one in the library; only the address is this machine's."""
    text = (shared_data / "tinyshakespeare.txt").read_bytes()
    server.content = text
    _, sha256 = corpora.KNOWN["tinyshakespeare"]
    monkeypatch.setitem(corpora.KNOWN, "tinyshakespeare", (server.url, sha256))
    assert corpus("tinyshakespeare") == text.decode()


def test_an_address_is_a_corpus(server: Server) -> None:
    server.content = "Es war einmal …".encode()
    sha256 = hashlib.sha256(server.content).hexdigest()
    assert corpus(server.url, sha256=sha256) == "Es war einmal …"
