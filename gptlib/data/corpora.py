"""Corpora by name, path or address: `corpus(source)` is the text, `pieces(source)` streams it."""

from collections.abc import Callable, Iterable, Iterator

from gptlib.data.python_library import python_docs, python_source

_BUILT_IN: dict[str, Callable[[], Iterable[str]]] = {
    "python-docs": python_docs,
    "python-source": python_source,
}


def corpus(source: str) -> str:
    """The whole text of a corpus; documents stand apart by an empty line."""
    return "".join(pieces(source))


def pieces(source: str) -> Iterator[str]:
    """Yield the same text piece by piece, so that it need not fit in memory."""
    if source not in _BUILT_IN:
        raise ValueError(f"unknown corpus {source!r}; known: {', '.join(_BUILT_IN)}")
    for number, document in enumerate(_BUILT_IN[source]()):
        yield f"\n\n{document}" if number else document
