"""Build the graded exercises from sources/exercises: `python -m tools.exercises --help`."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gptlib.grading import tasks
from tools.exercises import attacks, notebook, proof, sets
from tools.exercises.expect import expectations
from tools.exercises.tables import points_table
from tools.sources import BuildError

EXERCISES = sets.ROOT / "exercises"


def words(name: str) -> tasks.Set:
    """The part of a set that ships as words."""
    source = notebook.text_of(name)
    definitions = sets.load_set(name)
    return sets.words(definitions, notebook.title(source), iter(notebook.order(source)))


def notebooks(name: str) -> dict[Path, NotebookNode]:
    """Every notebook of a set, by where it lies."""
    definitions = sets.load_set(name)
    return {
        EXERCISES / name / f"{name}.ipynb": notebook.notebook(definitions, "learner"),
        EXERCISES / "nbgrader" / "source" / name / f"{name}.ipynb": notebook.notebook(
            definitions, "instructor"
        ),
        EXERCISES / "solutions" / f"{name}.ipynb": notebook.notebook(definitions, "solution"),
    }


def texts(chosen: Sequence[str] = ()) -> dict[Path, str]:
    """Built text files by where they lie: those of the chosen sets, or all, with common pages."""
    every = {name: words(name) for name in chosen or sets.find_sets()}
    built = {
        tasks.FOLDER / f"{name}.json": json.dumps(
            tasks.to_json(content), indent=1, ensure_ascii=False
        )
        for name, content in every.items()
    }
    books = {} if chosen else {EXERCISES / "00_progress.ipynb": notebook.progress_notebook()}
    for name in every:
        books |= notebooks(name)
    built |= {path: nbformat.writes(book).rstrip("\n") for path, book in books.items()}
    if not chosen:
        built[EXERCISES / "README.md"] = points_table(every.values()).rstrip("\n")
    return {path: text + "\n" for path, text in built.items()}


def out_of_date(chosen: Sequence[str] = ()) -> list[Path]:
    """The text files that are missing or say something else than the sources."""
    return [path for path, text in texts(chosen).items() if _read(path) != text]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def build(chosen: Sequence[str] = ()) -> None:
    """Write words, expectations and notebooks of the chosen sets, or all. Raises `BuildError`."""
    for path, text in texts(chosen).items():
        if _read(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
            print(f"{path.relative_to(sets.ROOT).as_posix()}: written")
    for name in chosen or sets.find_sets():
        started = time.perf_counter()
        path = tasks.FOLDER / f"{name}.safetensors"
        exercises = sets.load_set(name).exercises
        content = {task_id: expectations(exercise) for task_id, exercise in exercises.items()}
        partial = path.with_suffix(".partial")
        tasks.save_expectations(partial, content)
        partial.chmod(0o644)  # a wheel keeps modes, and safetensors writes for its owner alone
        if path.exists() and path.read_bytes() == partial.read_bytes():
            partial.unlink()
            continue
        os.replace(partial, path)
        kilobytes, seconds = path.stat().st_size / 1000, time.perf_counter() - started
        label = path.relative_to(sets.ROOT).as_posix()
        print(f"{label}: written, {kilobytes:.0f} KB, in {seconds:.1f} s")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.exercises", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help="such as 02_attention; else all")
    parser.add_argument("--check", action="store_true", help="write nothing; list what is old")
    parser.add_argument("--proof", action="store_true", help="write docs/exercises.md")
    parser.add_argument("--attacks", action="store_true", help="write docs/attacks.md")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sets if name not in sets.find_sets()]
    if unknown:
        parser.error(f"there is no set {unknown[0]!r}; there are {', '.join(sets.find_sets())}")
    try:
        if options.attacks:
            attacks.write()
            return 0
        if options.proof:
            proof.write([words(name) for name in options.sets or sets.find_sets()])
            return 0
        if not options.check:
            build(options.sets)
            return 0
        old = out_of_date(options.sets)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    for path in old:
        print(f"{path.relative_to(sets.ROOT).as_posix()}: run python -m tools.exercises")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
