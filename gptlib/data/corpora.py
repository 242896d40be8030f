"""Corpora by name, path or address: `corpus(source)` is the text, `pieces(source)` streams it."""

import os
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from pathlib import Path

from gptlib import storyworld
from gptlib.data.download import download
from gptlib.data.python_library import python_docs, python_source
from gptlib.data.text_files import read_pieces, text_files
from gptlib.tokenizer.pretokenize import cut_between_words

# Public texts by name: address and SHA-256.
KNOWN = {
    "tinyshakespeare": (
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ),
}
# A document comes in pieces, so that a large file need not fit in memory.
_Document = Iterable[str]


def corpus(
    source: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    separator: str = "\n\n",
    limit: int | None = None,
) -> str:
    """The text of a corpus.

    Raises ValueError where there is no text or its encoding is unknown, FileNotFoundError where
    there is no such corpus, DownloadError where it can't be downloaded.

    Args:
        source: "python-docs" or "python-source" (this Python's own documentation and source), a
            file or folder, an http(s) address, a name in `KNOWN`, or "story:LEVEL" or
            "story:LEVEL/SPLIT" for the story world.
        sha256: the digest to expect of a download.
        separator: stands between two documents: modules, files, stories.
        limit: how many documents at most; stories need one, as they never end.
    """
    if limit is None and str(source).startswith("story:"):
        raise ValueError(f"{source} never ends: say how many stories, with limit=")
    text = "".join(pieces(source, sha256=sha256, separator=separator, limit=limit))
    if not text:
        raise ValueError(f"{source} holds no text")
    return text


def pieces(
    source: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    separator: str = "\n\n",
    limit: int | None = None,
) -> Iterator[str]:
    """Yield the text of a corpus piece by piece, so that it need not fit in memory.

    Arguments and errors are those of `corpus`. Pieces end where words end, so tokenizing them
    one by one gives the tokens of the whole.
    """
    documents = islice(_documents(os.fspath(source), sha256), limit)
    separated: Iterator[_Document] = (
        chain([separator], document) if number else document
        for number, document in enumerate(documents)
    )
    return cut_between_words(chain.from_iterable(separated))


def _documents(source: str, sha256: str | None) -> Iterable[_Document]:
    if source == "python-docs":
        return ([text] for text in python_docs())
    if source == "python-source":
        return ([text] for text in python_source())
    if source.startswith("story:"):
        level, _, split = source.removeprefix("story:").partition("/")
        return ([storyworld.story(seed, level, split or None).text] for seed in count())
    if source in KNOWN:
        address, known_sha256 = KNOWN[source]
        return [read_pieces(download(address, sha256 or known_sha256))]
    if "://" in source:
        return [read_pieces(download(source, sha256))]
    path = Path(source).expanduser()
    if not path.exists():
        raise FileNotFoundError(
            f"no corpus {source!r}: neither a file or folder here, nor an http(s) address, nor "
            f"python-docs, python-source, {', '.join(KNOWN)} or story:LEVEL"
        )
    return map(read_pieces, text_files(path))
