"""Steps of `nbgrader autograde`: submissions are put right, run in a sandbox and judged here.

exercises/nbgrader/nbgrader_config.py names them in place of nbgrader's own Execute, so that no code
of a student's runs where the gradebook is. All other commands of nbgrader are as they were.
"""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor  # type: ignore[import-untyped]
from traitlets import Any as AnyTrait
from traitlets import Bool, Float, Integer

from gptlib.grading import report
from gptlib.grading.display import verdict_html
from gptlib.grading.judge import Verdict
from gptlib.grading.run import Run, checked
from gptlib.grading.sandbox import Limits, Sandbox, refusal
from gptlib.grading.submission import restored
from gptlib.grading.tasks import Exercise, Expectations, Set, shipped_sets

Judged = tuple[tuple[Verdict, ...], Run]
Resources = dict[str, Any]

# By path. Kept here, because nbgrader makes every step anew for each notebook.
_ahead: dict[str, "Future[Judged]"] = {}
_looked: set[tuple[str, str]] = set()
_expected: dict[tuple[str, str], Expectations] = {}
_one_at_a_time = threading.Lock()


def _set_of(resources: Resources) -> Set:
    name = resources["nbgrader"]["notebook"]
    for tasks in shipped_sets():
        if tasks.name == name:
            return tasks
    raise KeyError(f"{name} is no set of this course: grade it with nbgrader's own steps")


class RestoreCells(NbGraderPreprocessor):  # type: ignore[misc]
    """First step: cells that were deleted, doubled, edited or are malformed are put right."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        return restored(nb, _set_of(resources)), resources


class SandboxedJudge(NbGraderPreprocessor):  # type: ignore[misc]
    """In place of Execute: every check cell gets its points and its verdict as output."""

    jobs = Integer(os.cpu_count() or 1, help="how many submissions run at a time").tag(config=True)
    without_isolation = Bool(
        False, help="run submissions with all your rights where they can't be isolated"
    ).tag(config=True)
    cell_seconds = Float(60.0, help="processor time that a cell may take").tag(config=True)
    expectations_of = AnyTrait(
        report.shipped, help="(set, exercise) -> what answers should be; at a secret seed"
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        if refusal() and not self.without_isolation:
            raise SystemExit(
                f"{refusal()}. To run them with all your rights: "
                "--SandboxedJudge.without_isolation=True"
            )
        about = resources["nbgrader"]
        if self.jobs > 1:
            self._look_ahead(about["assignment"], about["notebook"], _set_of(resources))
        path = self._submitted(about["student"], about["assignment"], about["notebook"])
        begun = _ahead.pop(path, None)
        verdicts, ran = begun.result() if begun else self._judge(nb, _set_of(resources))
        by_task = {verdict.task.id: verdict for verdict in verdicts}
        for n, cell in enumerate(nb.cells):
            if cell.cell_type == "code":
                verdict = by_task.get(checked(cell) or "")
                cell.outputs = list(_outputs(verdict, ran.errors.get(n, "")))
        return nb, resources

    def _judge(self, nb: NotebookNode, tasks: Set) -> Judged:
        limits = Limits(cell_cpu=self.cell_seconds)
        sandbox = Sandbox(limits, trusted=self.without_isolation)
        return report.judged(nb, tasks, self._expected, sandbox)

    def _expected(self, tasks: Set, exercise: Exercise) -> Expectations:
        with _one_at_a_time:
            key = (tasks.name, exercise.id)
            if key not in _expected:
                _expected[key] = self.expectations_of(tasks, exercise)
            return _expected[key]

    def _look_ahead(self, assignment: str, notebook: str, tasks: Set) -> None:
        """Begin with submissions that nbgrader comes to later, several at a time."""
        if (assignment, notebook) in _looked:
            return
        _looked.add((assignment, notebook))
        directory = self._course()
        pool = ThreadPoolExecutor(self.jobs)
        every = self._submitted("*", assignment, notebook)
        for path in sorted(Path("/").glob(every.lstrip("/"))):
            student = path.parent.parent.name
            done = directory.format_path(directory.autograded_directory, student, assignment)
            given_out = Path(done, path.name)
            # nbgrader has just made the one that it is at, which can still be written.
            if not given_out.exists() or given_out.stat().st_mode & 0o200:
                _ahead[str(path)] = pool.submit(self._judge_file, path, tasks)

    def _judge_file(self, path: Path, tasks: Set) -> Judged:
        return self._judge(restored(nbformat.read(path, as_version=4), tasks), tasks)

    def _submitted(self, student: str, assignment: str, notebook: str) -> str:
        directory = self._course()
        folder = directory.format_path(directory.submitted_directory, student, assignment)
        return os.path.join(os.path.abspath(folder), f"{notebook}.ipynb")

    def _course(self) -> Any:
        return self.parent.parent.coursedir  # of the exporter's converter


def _outputs(verdict: Verdict | None, error: str) -> Iterator[NotebookNode]:
    if verdict:
        # nbgrader takes the points from the plain text, and shows the HTML.
        shown = {"text/plain": str(verdict.points), "text/html": verdict_html(verdict)}
        yield nbformat.v4.new_output("execute_result", shown, execution_count=1)
    elif error:
        kind, _, message = error.partition(": ")
        yield nbformat.v4.new_output("error", ename=kind, evalue=message, traceback=[error])


class Progress:
    """Remembers which submission is being graded, so that a batch that was killed can go on.

    nbgrader takes a folder in autograded/ for a graded submission, even when it was killed halfway.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.file = root, root / ".autograding.json"

    def resume(self) -> None:
        """Remove what a killed batch left half done. Ends the program if one is running."""
        try:
            left = json.loads(self.file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return
        if _is_running(left["process"]):
            raise SystemExit(f"autograde is running already, as process {left['process']}")
        shutil.rmtree(left["folder"], ignore_errors=True)
        self.file.unlink()

    def begin(self, assignment: str, student: str, notebooks: list[str]) -> None:
        """nbgrader's pre_convert_hook; `student` may be a pattern, so the path tells."""
        student, assignment = Path(notebooks[0]).parts[-3:-1]
        folder = self.root / "autograded" / student / assignment
        content = {"process": os.getpid(), "folder": str(folder)}
        self.file.write_text(json.dumps(content), "utf-8")

    def end(self, assignment: str, student: str, notebooks: list[str]) -> None:
        """nbgrader's post_convert_hook."""
        self.file.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name != "posix" or process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
