"""One HTTP transfer into a file, tried again where it broke off."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK = 2**18  # bytes
_ATTEMPTS = 3  # in a row that bring nothing new
_PAUSE = 1.0  # seconds before the second attempt; each later pause is twice as long


class DownloadError(OSError):
    """A download that did not succeed; the message is one line that says what to do."""


class _Broken(Exception):
    """A transfer that failed, but may succeed when tried again."""


def fetch(url: str, partial: Path, timeout: float) -> None:
    """Bring the file behind an address into `partial`, after the bytes that are there already.

    Raises DownloadError where the server refuses, stays silent or keeps breaking off.
    """
    failures, most, version = 0, _size(partial), ""
    while True:
        try:
            with _open(url, _size(partial), version, timeout) as response:
                version = response.headers.get("ETag") or response.headers.get("Last-Modified", "")
                return _receive(response, partial, timeout)
        except _Broken as error:
            # A connection that often breaks is good enough while each attempt brings something.
            failures = 1 if _size(partial) > most else failures + 1
            most = max(most, _size(partial))
            if failures == _ATTEMPTS:
                raise DownloadError(f"{url}: {error}") from None
            time.sleep(_PAUSE * 2 ** (failures - 1))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _open(url: str, have: int, version: str, timeout: float) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "gptlib"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        # Ask for the rest only if the file is still the same. A weak tag can't promise that.
        if version and not version.startswith("W/"):
            request.add_header("If-Range", version)
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return error
        error.close()
        answer = f"the server answers {error.code} {error.reason}"
        if error.code in (408, 429) or error.code >= 500:
            raise _Broken(f"{answer}; try again later") from None
        raise DownloadError(f"{url}: {answer}; check the address") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise _Broken(f"no connection ({reason}); check the network and the address") from None


def _receive(response: Any, partial: Path, timeout: float) -> None:
    have = _size(partial)
    if response.status in (206, 416):
        first, total = _content_range(response.headers.get("Content-Range", ""))
        if response.status == 416 and total == have:
            return  # every byte is here already
        if first != have:
            partial.unlink()
            raise _Broken("the server can't go on from the bytes that came before")
        mode = "ab"
    else:
        length = response.headers.get("Content-Length", "")
        total, mode = int(length) if length.isdigit() else None, "wb"
    with open(partial, mode) as file:
        for block in _blocks(response, timeout):
            file.write(block)
    if total is not None and _size(partial) < total:
        raise _Broken(f"the connection ended after {_size(partial):,} of {total:,} bytes")


def _content_range(header: str) -> tuple[int | None, int | None]:
    """First byte and total of "bytes 100-299/300"; "bytes */300" has no first byte."""
    span, _, total = header.removeprefix("bytes ").partition("/")
    first = span.partition("-")[0]
    return int(first) if first.isdigit() else None, int(total) if total.isdigit() else None


def _blocks(response: Any, timeout: float) -> Iterator[bytes]:
    while True:
        try:
            block = response.read1(_BLOCK)  # what has arrived, so that nothing of it is lost
        except TimeoutError:
            raise _Broken(f"the server sent nothing for {timeout:g} s; try again later") from None
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(f"the connection broke ({error!r}); try again later") from None
        if not block:
            return
        yield block
