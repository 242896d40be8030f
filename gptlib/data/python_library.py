"""Text that every Python installation carries: its documentation and its source.

Nothing is imported in order to be read. Importing runs a module (`import this` prints, `import
antigravity` opens a browser, `import tkinter` fails on many servers), so `ast` parses the files.
"""

import ast
import builtins
import inspect
import itertools
import math
import re
import sysconfig
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType

# Tables that are data, not something that somebody wrote to be read.
_TABLES = frozenset(["encodings", "pydoc_data"])
# Tests and programs rather than prose, or missing from some installations and versions. Without
# them the corpus is nearly the same everywhere.
_NO_PROSE = _TABLES | {
    "distutils",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "test",
    "tests",
    "tkinter",
    "turtle",
    "turtledemo",
    "__phello__",
}
# Written in C: no source to parse, and importing them does nothing else.
_COMPILED = (builtins, itertools, math)


@cache
def python_docs() -> tuple[str, ...]:
    """Python's documentation: one document per module (its docstrings) and per help() topic.

    The order is fixed and mixes modules with topics, so that the last tenth of the text is a fair
    sample of the whole. A docstring that occurs twice is kept once.
    Raises FileNotFoundError where the standard library is not a folder of source files.
    """
    documents: dict[str, list[str]] = {}
    for name, path in _modules(_NO_PROSE):
        if source := _source(path):
            documents[name] = list(_docstrings(_parse(source)))
    for module in _COMPILED:
        documents[module.__name__] = list(_compiled_docstrings(module))
    for topic, text in _topics().items():
        documents[f"help({topic!r})"] = [text]

    seen: set[str] = set()
    texts = (
        "\n\n".join(_new(map(_clean, documents[name]), seen))
        for name in sorted(documents, key=_mixed)
    )
    return tuple(filter(None, texts))


def python_source() -> Iterator[str]:
    """Yield the source of each module of the standard library, with its tests where installed.

    The order is fixed and mixed, as in `python_docs`.
    Raises FileNotFoundError where the standard library is not a folder of source files.
    """
    for _, path in sorted(_modules(_TABLES), key=lambda module: _mixed(module[0])):
        if source := _source(path).rstrip():
            yield source


def _modules(skip: frozenset[str]) -> list[tuple[str, Path]]:
    """Every (dotted name, file) of the standard library, sorted by name."""
    library = Path(sysconfig.get_path("stdlib"))
    skip = skip | {"site-packages", "dist-packages", "__pycache__"}
    found = []
    for path in library.rglob("*.py"):
        parts = path.relative_to(library).with_suffix("").parts
        # `_sysconfigdata...` and `config-3.x-...` describe one machine's build.
        built_here = parts[0].startswith(("_sysconfigdata", "config-"))
        if not built_here and skip.isdisjoint(parts):
            found.append((".".join(parts), path))
    if not found:
        raise FileNotFoundError(
            f"no Python source in {library}: this installation has no readable standard library "
            "(a zipped or embedded one?); use a text file of your own as the corpus"
        )
    return sorted(found)


def _source(path: Path) -> str:
    """The text of a module, or "" for the few test files that are broken on purpose."""
    try:
        with tokenize.open(path) as file:  # honours PEP 263 encoding comments
            return file.read().replace("\0", "")
    except (SyntaxError, UnicodeDecodeError):
        return ""


def _parse(source: str) -> ast.AST:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # invalid escapes in old modules are not our reader's affair
        try:
            return ast.parse(source)
        except SyntaxError:
            return ast.Module(body=[], type_ignores=[])


def _docstrings(node: ast.AST) -> Iterator[str]:
    """Every docstring under a node, in the order of the file."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield ast.get_docstring(node, clean=False) or ""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler):
            yield from _docstrings(child)


def _compiled_docstrings(module: ModuleType) -> Iterator[str]:
    """The docstrings of a module written in C, of its classes and of their public methods."""
    for owner in (module, *(v for _, v in sorted(vars(module).items()) if inspect.isclass(v))):
        yield owner.__doc__ or ""
        for name, member in sorted(vars(owner).items()):
            if not name.startswith("_") and not inspect.isclass(member) and callable(member):
                yield member.__doc__ or ""


def _topics() -> dict[str, str]:
    """The language reference behind `help("topic")`; empty where a distribution leaves it out."""
    path = Path(sysconfig.get_path("stdlib"), "pydoc_data", "topics.py")
    if not path.is_file():
        return {}
    for node in ast.iter_child_nodes(_parse(_source(path))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            topics = ast.literal_eval(node.value)
            return {str(name): str(text) for name, text in topics.items()}
    return {}


def _clean(docstring: str) -> str:
    """A docstring without its indentation, trailing blanks and runs of empty lines."""
    lines = (line.rstrip() for line in inspect.cleandoc(docstring).splitlines())
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return text.encode("utf-8", "ignore").decode("utf-8")  # a lone surrogate has no UTF-8


def _new(docstrings: Iterable[str], seen: set[str]) -> Iterator[str]:
    """The docstrings that say something and have not been seen before."""
    for docstring in docstrings:
        if len(docstring) >= 20 and docstring not in seen:
            seen.add(docstring)
            yield docstring


def _mixed(name: str) -> bytes:
    """A sort key that puts names in a fixed order that has nothing to do with the alphabet."""
    return sha256(name.encode()).digest()
