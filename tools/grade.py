"""Grade exercises as an instructor would, with inputs not seen before; `python course.py grade`.

    python course.py grade           every set
    python course.py grade 02 04     the sets of these chapters
    python course.py grade FILE      a notebook that lies elsewhere

Writes .course/grades.html and .course/grades.json. Exit code 0 only for full marks.
Your notebooks run with your own rights: grade nobody else's work this way.
"""

import argparse
import secrets
import sys
from pathlib import Path

from course import CACHE, ROOT
from gptlib.grading import report
from gptlib.grading.tasks import Exercise, Expectations, Set, shipped_sets
from tools.exercises import sets
from tools.exercises.expect import expectations


def files(chosen: list[str]) -> list[Path]:
    """The notebooks that the command line names: all, those of chapters, or files."""
    every = {tasks.name: ROOT / "exercises" / tasks.name for tasks in shipped_sets()}
    if not chosen:
        return [folder / f"{name}.ipynb" for name, folder in every.items()]
    found = []
    for given in chosen:
        numbered = [name for name in every if name.split("_")[0] == given or name == given]
        found.append(every[numbered[0]] / f"{numbered[0]}.ipynb" if numbered else Path(given))
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="course.py grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sets", nargs="*", metavar="NN", help="chapters or files (default: all)")
    parser.add_argument("--seed", default=secrets.token_hex(8), help="of the inputs; else secret")
    options = parser.parse_args(arguments)

    def expected(tasks: Set, exercise: Exercise) -> Expectations:
        return expectations(sets.load_set(tasks.name).exercises[exercise.id], options.seed)

    reports = report.grade(files(options.sets), expectations_of=expected)
    print(report.as_table(reports))
    report.write(reports, CACHE)
    print(f"\nWith messages and hints: {CACHE / 'grades.html'}")
    return 0 if reports and all(each.full for each in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
