"""Build the notebooks from their sources: `python -m tools.build --help`."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat

from tools.agreement import (
    course_disagreements,
    disagreements,
    find_notebooks,
    find_sources,
    notebook_of,
)
from tools.execute import execute
from tools.limits import broken_rules
from tools.sources import BuildError, Source, read_source

ROOT = Path(__file__).resolve().parents[1]


def build(path: Path, root: Path, force: bool = False) -> bool:
    """Build the notebook of one source file; return False when it was up to date already.

    The old notebook stays as it is until the new one is complete. Raises `BuildError`.
    """
    source = read_source(path, root)
    target = notebook_of(path, root)
    if not force and _up_to_date(source, target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    notebook = execute(source, target.parent)
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return True


def _up_to_date(source: Source, target: Path) -> bool:
    try:
        notebook = nbformat.read(target, as_version=4)
    except (OSError, ValueError):
        return False
    return not any(disagreements(source, notebook))


def _report(path: Path, root: Path, force: bool) -> tuple[bool, str]:
    """Build one notebook and say in a line what happened."""
    label = path.relative_to(root).as_posix()
    started = time.perf_counter()
    try:
        built = build(path, root, force)
    except BuildError as error:
        return False, str(error)
    if not built:
        return True, f"{label}: up to date"
    lines = [f"{label}: built in {time.perf_counter() - started:.0f} s"]
    # The tests will refuse these; the author reads of them now.
    lines += [f"    {problem}" for problem in broken_rules(notebook_of(path, root), root)]
    return True, "\n".join(lines)


def _chosen(paths: list[str], root: Path) -> Iterator[Path]:
    """The sources that the command line names: files, folders, or all of them."""
    sources = find_sources(root)
    if not paths:
        yield from sources
    for given in paths:
        path = Path(given).resolve()
        found = [source for source in sources if source == path or path in source.parents]
        if not found:
            raise BuildError(f"{given}: no source file; they lie in {root / 'sources'}")
        yield from found


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.build", description=__doc__)
    parser.add_argument("paths", nargs="*", help="source files or folders (default: all)")
    parser.add_argument(
        "--check", action="store_true", help="build nothing; list what the tests would refuse"
    )
    parser.add_argument("--force", action="store_true", help="build what is up to date as well")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks built at the same time")
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if options.check:
        problems = list(course_disagreements(root))
        for path in find_notebooks(root):
            label = path.relative_to(root).as_posix()
            problems += [f"{label}: {problem}" for problem in broken_rules(path, root)]
        print("\n".join(problems) or "sources and notebooks agree, and every rule is kept")
        return 1 if problems else 0
    try:
        sources = list(dict.fromkeys(_chosen(options.paths, root)))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    # Processes, because each notebook client runs an event loop of its own.
    spawn = multiprocessing.get_context("spawn")
    n = len(sources)
    if options.jobs > 1 and n > 1:
        with ProcessPoolExecutor(min(options.jobs, n), mp_context=spawn) as pool:
            return _print(pool.map(_report, sources, [root] * n, [options.force] * n))
    return _print(_report(source, root, options.force) for source in sources)


def _print(reports: Iterator[tuple[bool, str]]) -> int:
    failed = 0
    for succeeded, line in reports:
        print(line, file=sys.stdout if succeeded else sys.stderr, flush=True)
        failed += not succeeded
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
