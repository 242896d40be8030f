"""One ES module out of several files: a widget's code travels to the browser as a single text.

The files import each other by relative paths, as a browser or node reads them. Inside of a
notebook such paths lead nowhere. So here each file becomes a function that returns its exports,
dependencies first; names in one file can't collide with those in another.
"""

import re
from functools import partial
from pathlib import Path

# As prettier writes them: at the start of a line, names in braces, perhaps over several lines.
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|let|class) (\w+))", re.MULTILINE)


def bundle(entry: Path) -> str:
    """The text of `entry` and of all files it imports, as one ES module with its default export.

    Raises `ValueError` where an import or export has a form that can't be joined.
    """
    files: dict[Path, str] = {}
    _collect(entry.resolve(), files)
    joined = []
    for path, text in files.items():
        names = ", ".join(_EXPORT.findall(text))
        body = _IMPORT.sub(partial(_binding, path), _EXPORT.sub("", text))
        if left := re.search(r"^(?:import|export (?!default)).*", body, re.MULTILINE):
            raise ValueError(f"{path.name}: {left[0]!r} can't be joined; name things in braces")
        last = path == entry.resolve()
        joined.append(
            body
            if last
            else f"const {_name(path)} = (() => {{\n{body}return {{ {names} }};\n}})();\n"
        )
    return "\n".join(joined)


def _collect(path: Path, files: dict[Path, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for _, imported in _IMPORT.findall(text):
        target = (path.parent / imported).resolve()
        if target not in files:
            _collect(target, files)
    files[path] = text


def _binding(path: Path, found: re.Match[str]) -> str:
    names = found[1].replace(" as ", ": ")
    return f"const {names} = {_name((path.parent / found[2]).resolve())};\n"


def _name(path: Path) -> str:
    return re.sub(r"\W", "_", f"{path.parent.name}_{path.stem}")
