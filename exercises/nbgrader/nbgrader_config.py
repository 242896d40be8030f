"""nbgrader's configuration for a class: docs/class.md tells how it is used.

Environment: GRADEBOOK (an SQLAlchemy address; default: gradebook.db here), EXCHANGE (the folder
through which assignments go out and come back), CLASS (where the class's files are kept; default:
this folder), CELL_SECONDS (of processor time that a student's cell may take; default: 60).
"""

import os
import secrets
import sys
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = Path(os.environ.get("CLASS", HERE)).resolve()
sys.path.insert(0, str(HERE.parents[1]))  # for `tools`, which is not installed

c = get_config()

c.CourseDirectory.course_id = "gpt"
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.source_directory = str(HERE / "source")
c.CourseDirectory.db_url = os.environ.get("GRADEBOOK", f"sqlite:///{ROOT / 'gradebook.db'}")
if "EXCHANGE" in os.environ:
    c.Exchange.root = os.environ["EXCHANGE"]

# What learners find in place of a solution, as in exercises/.
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}

c.Autograde.sanitize_preprocessors = [
    "gptlib.grading.nbgrader_steps.RestoreCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "gptlib.grading.nbgrader_steps.SandboxedJudge",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

if "autograde" in sys.argv:  # a batch that was killed goes on where it was
    from gptlib.grading.nbgrader_steps import Progress

    progress = Progress(ROOT)
    progress.resume()
    c.Autograde.pre_convert_hook = progress.begin
    c.Autograde.post_convert_hook = progress.end


def seed() -> str:
    """The inputs that a class is graded on: drawn once, kept from students."""
    file = ROOT / "grading_seed.txt"
    if not file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_hex(16))
    return file.read_text().strip()


@cache
def load(name):
    """The definitions of a set, which only the course's own folder has."""
    from tools.exercises.sets import load_set

    return load_set(name).exercises


def expectations_of(tasks, exercise):
    """What answers should be on the class's own inputs."""
    from tools.exercises.expect import expectations

    return expectations(load(tasks.name)[exercise.id], seed())


c.SandboxedJudge.expectations_of = expectations_of
c.SandboxedJudge.cell_seconds = float(os.environ.get("CELL_SECONDS", 60))
