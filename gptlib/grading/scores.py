"""What a learner has reached, in one readable file that survives restarts of the kernel."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gptlib.grading.display import panel_html, panel_text
from gptlib.grading.judge import Verdict
from gptlib.grading.tasks import Set, shipped_sets

NAME = "progress.json"


def default_file() -> Path:
    """The file in the nearest folder called `exercises`, else in the working folder.

    GPTLIB_PROGRESS names another one.
    """
    given = os.environ.get("GPTLIB_PROGRESS")
    if given:
        return Path(given)
    here = Path.cwd()
    course = next((folder for folder in (here, *here.parents) if folder.name == "exercises"), here)
    return course / NAME


def read(file: Path) -> dict[str, int]:
    """The best points so far by task; a damaged file is put aside, not lost."""
    try:
        points = json.loads(file.read_text("utf-8"))["points"]
        return {str(task): int(got) for task, got in points.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        os.replace(file, file.with_suffix(".damaged.json"))
        return {}


def record(verdict: Verdict, file: Path) -> None:
    """Keep the points of a verdict when they are the best so far."""
    points = read(file)
    if verdict.points <= points.get(verdict.task.id, -1) or not verdict.started:
        return
    points[verdict.task.id] = verdict.points
    content = {
        "what": "Your best points in each exercise. Delete the file to begin again.",
        "points": dict(sorted(points.items())),
    }
    # Written beside the file and moved onto it: a crash leaves the old one or the new one.
    handle, partial = tempfile.mkstemp(dir=file.parent, prefix=".progress.", suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2)
            stream.write("\n")
        os.replace(partial, file)
    finally:
        Path(partial).unlink(missing_ok=True)


@dataclass(frozen=True)
class Panel:
    """Done, points and what comes next; shows itself in a notebook or a terminal.

    What comes next is looked for in the set called `here` first.
    """

    sets: tuple[Set, ...]
    points: dict[str, int]
    here: str = ""

    @property
    def upcoming(self) -> str:
        """The first task that is not complete, in words."""
        for tasks in sorted(self.sets, key=lambda tasks: tasks.name != self.here):
            for task in tasks.tasks:
                if self.points.get(task.id, 0) < task.points:
                    return f"Next: {task.id} {task.title} ({task.points} points)."
        return "All done."

    def _rows(self) -> list[tuple[Set, dict[str, int]]]:
        return [
            (tasks, {t.id: self.points[t.id] for t in tasks.tasks if t.id in self.points})
            for tasks in self.sets
        ]

    def _repr_html_(self) -> str:
        return panel_html(self._rows(), self.upcoming)

    def __repr__(self) -> str:
        return panel_text(self._rows(), self.upcoming)


def progress(file: str | Path | None = None) -> Panel:
    """The progress of the learner whose file this is."""
    points = read(Path(file) if file else default_file())
    return Panel(shipped_sets(), points, here=Path.cwd().name)
