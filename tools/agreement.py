"""Do sources and notebooks say the same? Answered in a second, without running anything."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.prose import filled_from
from tools.sources import BuildError, Source, read_source

# Each folder of sources/ mirrors a folder of notebooks.
FOLDERS = ("chapters",)
# Its notebooks are built by tools.exercises, and not run: their answers are missing.
EXERCISES = "exercises"


def find_sources(root: Path) -> list[Path]:
    """All source files, in order. Raises `BuildError` for one in a folder without a builder."""
    sources = []
    for source in sorted((root / "sources").rglob("*.py")):
        folder = source.relative_to(root / "sources").parts[0]
        if folder == EXERCISES:
            continue
        if folder not in FOLDERS:
            raise BuildError(f"{source}: sources live in sources/{', sources/'.join(FOLDERS)}")
        sources.append(source)
    return sources


def find_notebooks(root: Path) -> list[Path]:
    """All committed notebooks, in order; Jupyter's own checkpoints are not."""
    found = (path for folder in FOLDERS for path in (root / folder).rglob("*.ipynb"))
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def notebook_of(source: Path, root: Path) -> Path:
    """Where the notebook of a source file lies."""
    return root / source.relative_to(root / "sources").with_suffix(".ipynb")


def source_of(notebook: Path, root: Path) -> Path:
    """Where the source file of a notebook lies."""
    return root / "sources" / notebook.relative_to(root).with_suffix(".py")


def disagreements(source: Source, notebook: NotebookNode) -> Iterator[str]:
    """How `notebook` differs from what `source` says, one line each; nothing when they agree."""
    if notebook.metadata.get("course", {}).get("source") != source.label:
        yield f"does not name {source.label} as its source"
    if notebook.metadata.get("course", {}).get("source_sha256") != source.sha256:
        yield f"is older than {source.label}: run python -m tools.build"
        return
    # The digest speaks for the source alone; somebody may have edited the notebook.
    if len(notebook.cells) != len(source.cells):
        yield f"has {len(notebook.cells)} cells, {source.label} has {len(source.cells)}"
        return
    for cell, node in zip(source.cells, notebook.cells, strict=True):
        same_text = filled_from(cell.text, node.source)
        if cell.kind == "code":
            same_text = cell.text == node.source
        same_rest = (cell.id, cell.kind, list(cell.tags), cell.name) == (
            node.get("id"),
            node.cell_type,
            list(node.metadata.get("tags", [])),
            node.metadata.get("name"),
        )
        if not (same_text and same_rest):
            yield f"cell {cell.number} was edited by hand: edit {source.label}:{cell.line} instead"


def course_disagreements(root: Path) -> Iterator[str]:
    """All disagreements of a course: stale, edited, missing and orphaned notebooks."""
    try:
        sources = find_sources(root)
    except BuildError as error:
        yield str(error)
        return
    for path in sources:
        notebook = notebook_of(path, root)
        label = notebook.relative_to(root).as_posix()
        if not notebook.exists():
            yield f"{label}: missing; run python -m tools.build"
            continue
        try:
            source = read_source(path, root)
            node = nbformat.read(notebook, as_version=4)
        except (BuildError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
            yield f"{label}: {error}"
            continue
        yield from (f"{label}: {line}" for line in disagreements(source, node))
    for notebook in find_notebooks(root):
        if not source_of(notebook, root).exists():
            yield f"{notebook.relative_to(root).as_posix()}: has no source; delete it"
