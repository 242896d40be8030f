"""Does every link inside of the course lead somewhere? Links to other sites are left alone."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat

from tools.markdown import read_markdown


def broken_links(path: Path, root: Path) -> Iterator[str]:
    """The links of a notebook or markdown file that lead nowhere, one line each."""
    for where, text in _texts(path):
        for target in read_markdown(text).links:
            problem = _problem(target, path, root)
            if problem:
                yield f"{where}link to {target!r}: {problem}"


def anchors(path: Path) -> set[str]:
    """Where a link into a file can lead: its headings, and ids set by hand.

    A notebook's heading becomes its text with hyphens for spaces, capitals kept: so JupyterLab
    names it (`createHeaderId` in its rendermime package), and so does nbconvert. GitHub's pages of
    a markdown file use small letters and leave out punctuation.
    """
    found: set[str] = set()
    for _, text in _texts(path):
        markdown = read_markdown(text)
        found.update(markdown.anchors)
        for _, heading in markdown.headings:
            if path.suffix == ".ipynb":
                found.add(heading.replace(" ", "-"))
            else:
                found.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return found


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    if path.suffix != ".ipynb":
        yield "", path.read_text(encoding="utf-8")
        return
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, start=1):
        if cell.cell_type == "markdown":
            yield f"cell {number} [{cell.get('id')}]: ", cell.source


def _problem(target: str, path: Path, root: Path) -> str | None:
    parts = urlsplit(target)
    if parts.scheme in ("http", "https", "mailto"):
        return None
    if parts.scheme:
        return f"{parts.scheme}: links work only on this machine, or not at all"
    file = path
    if parts.path:
        relative = unquote(parts.path)
        if relative.startswith("/"):
            return "write it relative to the notebook's folder"
        file = (path.parent / relative).resolve()
        if not file.is_relative_to(root.resolve()):
            return "leads out of the course"
        if not _exists(file, root.resolve()):
            return "no such file"
    if not parts.fragment:
        return None
    if file.suffix not in (".ipynb", ".md"):
        return "only notebooks and markdown files have anchors"
    anchor = unquote(parts.fragment)
    known = anchors(file)
    if anchor not in known:
        return f"{file.name} has no heading for #{anchor}; it has {', '.join(sorted(known))}"
    return None


def _exists(file: Path, root: Path) -> bool:
    """Whether a file exists under exactly this name, also where capitals make no difference."""
    if not file.exists():
        return False
    below = [file, *file.parents][: len(file.relative_to(root).parts)]
    return all(part.name in {entry.name for entry in part.parent.iterdir()} for part in below)
