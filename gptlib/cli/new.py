"""`gptlib new`: a project of one's own, which runs as it is made."""

import re
from argparse import Namespace
from importlib import resources
from pathlib import Path
from typing import Any

from gptlib.cli.errors import Failure, Usage
from gptlib.cli.parsing import Parser, quoted

SUMMARY = "make a project of your own that trains a model"
DESCRIPTION = """\
Make a folder with a small project: a script that trains a model, its settings, a notebook that
looks at the result, and a test. It runs as it is made, offline; change it into your own."""
EXAMPLES = """\
  gptlib new my-project
  cd my-project
  python train.py"""

# Files that the library can't carry under the name they are meant to have: hidden ones stay out of
# packages, and a test that imports `train` makes sense to type checkers beside it alone.
NAMES = {"gitignore": ".gitignore", "test_train.py.txt": "test_train.py"}
TITLE = "PROJECT_NAME"  # what stands for the project's name in the template
# Devices, not files, on Windows: a folder of that name can't be opened there.
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{kind}{n}" for kind in ("com", "lpt") for n in "123456789"),
}


def options(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=Path, help="the folder to make; its name is the project's")


def run(given: Namespace) -> int:
    """Write the project's files."""
    folder: Path = given.folder
    name = folder.name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or name.lower() in RESERVED:
        raise Usage(
            f"{str(folder)!r}: a project's name begins with a letter and has letters, digits, - "
            "and _ alone: choose another, such as my-project"
        )
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise Failure(
            f"{folder}: is there already, and is left as it is: choose another name"
        ) from None
    except OSError as error:
        raise Failure(f"{folder}: can't be made ({error.strerror}): choose another place") from None
    template = resources.files("gptlib.cli") / "template"
    for source in sorted(template.iterdir(), key=lambda file: file.name):
        if source.is_file():
            _write(source, folder / NAMES.get(source.name, source.name), name)
    print(f"made {folder}: README.md there says how to go on; to begin:\n")
    print(f"    cd {quoted(folder)}\n    python train.py")
    return 0


def _write(source: Any, file: Path, name: str) -> None:
    text: str = source.read_text(encoding="utf-8").replace(TITLE, name)
    try:
        file.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise Failure(f"{file}: can't be written: {error.strerror}") from None
