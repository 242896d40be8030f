"""Run a notebook that somebody filled in, and bring back what its functions answer.

A runner takes the prepared notebook and the cases to ask, and gives a `Run`. The one here is for
a learner's own work: it runs code with all the rights of whoever calls it.
"""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm  # type: ignore[import-untyped]

from gptlib.grading import values
from gptlib.grading.asking import Answer, Case, as_answers, as_plain
from gptlib.grading.learner import RECORD
from gptlib.grading.tasks import Exercise, Set, Task

CELL_SECONDS = 60
START_SECONDS = 600  # for imports, which are no work of the learner's: a busy machine needs long
_CHECK = re.compile(r'\bcheck\(\s*["\']([\d.q]+)["\']')


@dataclass(frozen=True)
class Run:
    """What a notebook answered, by task; `notes` say why a task has no answer.

    `errors` may say what cells of the prepared notebook raised, by their index.
    """

    answers: dict[str, list[Answer]]
    notes: dict[str, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


Runner = Callable[[NotebookNode, Mapping[str, list[Case]]], Run]


def prepare(notebook: NotebookNode, tasks: Set) -> NotebookNode:
    """The notebook with its check cells as they should be: each once, complete and unchanged.

    A cell that was edited gets its text again where it stands, a second one of the same task is
    dropped, and a deleted one is added at the end. Outputs are removed. Cells of other kinds stay.
    """
    left = {task.id: task for task in tasks.tasks}
    cells = []
    for cell in notebook.cells:
        cell = deepcopy(cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            task_id = checked(cell)
            if task_id in {task.id for task in tasks.tasks}:
                if task_id not in left:
                    continue
                cell.source = _check_line(left.pop(task_id))
        cells.append(cell)
    cells += [nbformat.v4.new_code_cell(_check_line(task)) for task in left.values()]
    prepared: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)
    return prepared


def checked(cell: NotebookNode) -> str | None:
    """The id of the task that a cell checks, by its metadata or else by its text."""
    meta = cell.metadata.get("nbgrader", {})
    name = str(meta.get("grade_id", ""))
    if meta.get("grade") and name.endswith("-check"):
        return name.removesuffix("-check").replace("-", ".", 1)
    if meta.get("solution"):
        return None
    match = _CHECK.search(cell.source)
    return match[1] if match else None


def _check_line(task: Task) -> str:
    names = task.targets if isinstance(task, Exercise) else ("answer_" + task.id.split(".")[1],)
    # Imported anew: a learner may have deleted the import, or called something else `check`.
    return f'from gptlib.grading import check\ncheck("{task.id}", {", ".join(names)})'


def run_in_kernel(notebook: NotebookNode, cases: Mapping[str, list[Case]]) -> Run:
    """Run a prepared notebook in a Jupyter kernel of its own; cells that fail stop no other."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    notes = {}
    notebook.cells.insert(0, nbformat.v4.new_code_cell("import torch, gptlib.grading"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for task_id, asked in cases.items():
            values.save(folder / f"{task_id}.cases", as_plain(asked))
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            allow_errors=True,
            kernel_name="python3",
            record_timing=False,
            extra_arguments=["--IPKernelApp.log_level=40"],  # errors; not the note on encryption
            resources={"metadata": {"path": name}},
        )
        environment = {**os.environ, RECORD: name, "IPYTHONDIR": str(folder / "ipython")}
        stopped = ""
        with client.setup_kernel(env=environment):
            # A bar in a terminal only: half a minute without a sign of life is long.
            cells = tqdm(notebook.cells, unit="cell", leave=False, disable=None)
            for index, cell in enumerate(cells):
                if cell.cell_type != "code":
                    continue
                client.timeout = CELL_SECONDS if index else START_SECONDS
                try:
                    client.execute_cell(cell, index)
                except CellTimeoutError:
                    stopped = f"a cell above ran for more than {CELL_SECONDS} seconds"
                    break
                except DeadKernelError:
                    stopped = "a cell above ended the kernel"
                    break
        answers = read_answers(folder)
    for cell in notebook.cells:
        checks = checked(cell) if cell.cell_type == "code" else None
        if checks and checks not in answers:
            errors = [out for out in cell.outputs if out.output_type == "error"]
            reason = f"{errors[0].ename}: {errors[0].evalue}" if errors else stopped
            notes[checks] = f"Nothing to judge: {reason or 'its check did not run'}."
    return Run(answers, notes)


def read_answers(folder: Path) -> dict[str, list[Answer]]:
    """The answers that `check` left in a folder, by task."""
    return {
        path.name.removesuffix(".answers"): as_answers(values.load(path))
        for path in sorted(folder.glob("*.answers"))
    }
