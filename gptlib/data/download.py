"""Downloads: made once, kept in a cache, resumed where they stopped, checked by SHA-256."""

import hashlib
import os
import re
import sys
import threading
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gptlib.data.transfer import DownloadError, fetch

# A partial file that was not written to for so long (seconds) belongs to no running process.
_ABANDONED = 600.0


def cache_folder() -> Path:
    """Where downloads are kept: $GPTLIB_CACHE, or the place that the system has for caches."""
    if chosen := os.environ.get("GPTLIB_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gptlib"


def download(url: str, sha256: str | None = None, timeout: float = 30) -> Path:
    """The file behind an address, from the cache where it was downloaded before.

    With a SHA-256, what arrived of a broken download is kept, and the next call goes on from
    there; without one nothing could tell whether the file on the server is still the same.
    Raises DownloadError where the file can't be had or is not the one with this SHA-256.

    Args:
        url: an http or https address.
        sha256: the digest to expect, 64 hexadecimal digits; checked in the cache as well.
        timeout: seconds without an answer or a byte after which to try again.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url}: not an http or https address")
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"a SHA-256 has 64 hexadecimal digits, unlike {sha256!r}")
    file = _place(url)
    if file.is_file() and (sha256 is None or _digest(file) == sha256.lower()):
        return file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        mine = _claim_partial(file)
        try:
            fetch(url, mine, timeout)
            if sha256 is not None and (found := _digest(mine)) != sha256.lower():
                mine.unlink()
                raise DownloadError(
                    f"{url}: its SHA-256 is {found}, not {sha256.lower()}: changed, or damaged on "
                    "the way; nothing was kept, try again"
                )
            os.replace(mine, file)
        finally:
            if mine.exists() and sha256:
                os.replace(mine, _partial(file))
            mine.unlink(missing_ok=True)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"can't keep {url} in {file.parent}: {error}") from None
    return file


def _place(url: str) -> Path:
    """The file of an address: a readable name, after a digest that keeps equal names apart."""
    name = re.sub(r"[^\w.-]", "_", unquote(urlsplit(url).path).rpartition("/")[2])[-80:]
    return cache_folder() / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{name or 'index'}"


def _partial(file: Path) -> Path:
    return file.with_name(file.name + ".part")


def _claim_partial(file: Path) -> Path:
    """A name of this download's own, with the bytes that an earlier one left.

    Two may run at once: renaming what was left succeeds for one of them only.
    """
    mine = file.with_name(f"{file.name}.part-{os.getpid()}-{threading.get_ident()}")
    for left in file.parent.glob(f"{file.name}.part*"):
        try:
            idle = time.time() - left.stat().st_mtime
            if left in (mine, _partial(file)) or idle > _ABANDONED:
                os.replace(left, mine)
                break
        except FileNotFoundError:
            continue
    return mine


def _digest(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
