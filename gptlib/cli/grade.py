"""`gptlib grade`: grade a notebook of exercises, wherever it lies."""

from argparse import Namespace
from pathlib import Path

from gptlib.cli.errors import Failure
from gptlib.cli.parsing import Parser

SUMMARY = "grade a notebook of the course's exercises"
DESCRIPTION = """\
Run a notebook of exercises from top to bottom and grade it: a line for each task, its points and
what is missing. Exit code 0 only for full marks.

The inputs are those that `check` tries; in the course's folder, `python course.py grade` draws
others. The notebook runs with your own rights: grade nobody else's work this way."""
EXAMPLES = """\
  gptlib grade 02_attention.ipynb
  gptlib grade 02_attention.ipynb --html grades.html --json grades.json"""


def options(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the notebook")
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write a page with messages and hints (default: none)",
    )
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write the same for programs (default: none)"
    )


def run(given: Namespace) -> int:
    """Print a table; 0 for full marks, else 1."""
    try:
        import ipykernel  # noqa: F401  # starts the notebook's own Python
        import nbclient  # noqa: F401

        from gptlib.grading import report
    except ModuleNotFoundError as error:
        if str(error.name).startswith("gptlib"):
            raise
        raise Failure(f"{error.name} is missing, which runs notebooks: "
                      "pip install nbclient ipykernel") from None  # fmt: skip

    (graded,) = report.grade([given.file])
    if graded.note:
        raise Failure(graded.note)
    print(report.as_table([graded]))
    if given.html:
        given.html.write_text(report.as_html([graded]), "utf-8")
    if given.json:
        given.json.write_text(report.as_json([graded]), "utf-8")
    return 0 if graded.full else 1
