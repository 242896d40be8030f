"""The sandbox: hostile programs are contained, honest ones get what they earned."""

import contextlib
import os
import shutil
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from gptlib.grading import report, run, tasks
from gptlib.grading.sandbox import Limits, Sandbox, frames, isolation, refusal, runner
from tools.exercises import attacks
from tools.exercises.__main__ import EXERCISES

PROGRAMS = attacks.programs()
isolated = pytest.mark.skipif(bool(refusal()), reason=refusal() or "isolated")
METHODS = [name for name in ("bwrap", "unshare") if shutil.which(name)] or ["none"]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """What programs are after: a gradebook, a file, a server, a secret; all of it within reach."""
    folder = tmp_path_factory.mktemp("host")
    with sqlite3.connect(folder / "gradebook.db") as database:
        database.execute("CREATE TABLE grade (auto_score INTEGER)")
        database.execute("INSERT INTO grade VALUES (7)")
    (folder / "canary.txt").write_text("sings")
    for path in (folder, *folder.iterdir(), *folder.parents[:2]):
        path.chmod(0o777)
    before = snapshot(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET", "SECRET")
        yield folder
    assert snapshot(folder) == before


def snapshot(folder):
    """Names and contents of what must not change; the library's files, too."""
    library = [isolation.PACKAGE / "__init__.py", *isolation.PACKAGE.glob("grading/*.py")]
    return {path: path.read_bytes() for path in (*folder.iterdir(), *library)}


@pytest.fixture(scope="module")
def server():
    """Listens on this machine, by address and by name; nobody may come."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with socket.socket(socket.AF_UNIX) as named:
            named.bind(f"\0gptlib-test-{port}")
            named.listen()
            for each in (listening, named):
                threading.Thread(target=_accept, args=(each, came), daemon=True).start()
            yield port
    assert came == []


def _accept(listening, came):
    while True:
        try:
            came.append(listening.accept())
        except OSError:
            return


@pytest.fixture(scope="module")
def marked():
    """Marks the processes of this module by an argument, so that they can be found."""
    mark = f"marked-{os.getpid()}-{os.urandom(4).hex()}"
    wrapped = isolation.wrapped
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolation, "wrapped", lambda command, *rest: wrapped([*command, mark], *rest))
        yield mark


def left(mark):
    """The processes that bear a mark."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


@pytest.fixture(scope="module")
def outcomes(request, host, server, marked):
    """All programs that were chosen, a few at a time: most of their time they wait."""
    chosen = [
        item.callspec.params.get("program") for item in request.session.items if _is_ours(item)
    ]
    with ThreadPoolExecutor(attacks.JOBS) as pool:
        yield {
            program.name: pool.submit(attacks.run, program, str(host), server) for program in chosen
        }
    assert left(marked) == []


def _is_ours(item):
    return getattr(item, "originalname", "") == "test_hostile_programs"


def test_there_are_enough_programs():
    assert len(PROGRAMS) >= 25


@isolated
@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_hostile_programs(program, outcomes):
    attack = outcomes[program.name].result()
    assert attack.points == program.points, attack.notes
    assert str(attack) in attacks.PAGE.read_text("utf-8"), "python -m tools.exercises --attacks"


@isolated
@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_solutions_get_full_marks_by_each_method(method, marked):
    path = EXERCISES / "solutions" / "02_attention.ipynb"
    (result,) = report.grade([path], run=Sandbox(method=method))
    assert result.full


def judged(*sources, limits=None):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    sandbox = Sandbox(limits or Limits(attempts=1))
    every = tasks.find("02.1")[0]
    verdicts, ran = report.judged(
        nbformat.v4.new_notebook(cells=cells), every, report.shipped, sandbox
    )
    return {verdict.task.id: verdict for verdict in verdicts}, ran


@isolated
@pytest.mark.slow
def test_what_notebooks_do_works_and_checks_may_stand_first():
    verdicts, ran = judged(
        'check("02.1", softmax)',
        "%matplotlib inline\n%time 1\n!true",
        "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()",
        "import asyncio\nawait asyncio.sleep(0)\nfrom IPython.display import display\ndisplay(1)",
        "import torch\nfrom gptlib.grading import check, hint, progress\nprogress()\nhint('02.1')",
        "answer_q1 = await asyncio.sleep(0, 'Q')\nopen('notes.txt', 'w').write('mine')",
        "def softmax(x, dim):\n    return torch.softmax(x, dim).nan_to_num(0.0)",
        "print('fine'); torch.utils.data.DataLoader",
    )
    assert ran.errors.keys() <= {0, *range(7, 30)}, ran.errors
    assert verdicts["02.1"].passed
    assert verdicts["02.q1"].results  # an answer came, though it is none of the letters


@isolated
@pytest.mark.slow
def test_a_cell_that_ends_the_process_costs_only_what_needs_it():
    verdicts, _ = judged(
        "import os, torch; answer_q1 = 1",
        "def attend(q, k, v): os._exit(1)",
        "def softmax(x, dim):\n    return torch.softmax(x, dim).nan_to_num(0.0)",
        limits=Limits(attempts=2),
    )
    assert verdicts["02.1"].passed
    assert "ended the process" in verdicts["02.2"].note


def test_nothing_runs_where_it_can_not_be_isolated(monkeypatch):
    monkeypatch.setattr(isolation, "refusal", lambda: "no isolation on this machine")
    with pytest.raises(runner.Refused, match="no isolation"):
        Sandbox()(nbformat.v4.new_notebook(), {})


@pytest.mark.slow
def test_own_work_runs_without_isolation_when_that_is_wanted(monkeypatch):
    monkeypatch.setattr(isolation, "refusal", lambda: "no isolation on this machine")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("answer_q1 = 'B'")])
    ran = Sandbox(trusted=True)(run.prepare(book, tasks.find("02.1")[0]), {})
    assert ran.answers["02.q1"][0].value == "B"


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_where_nothing_can_be_isolated_one_line_says_so(platform, monkeypatch):
    monkeypatch.setattr("sys.platform", platform)
    said = isolation.refusal.__wrapped__()
    assert platform in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\n",
        b"a b\n",
        b"x" * 1000,
        b"answers 02.1 -5\n",
        b"answers 02.1 10\nabc",
        b"\xff 1 1\n",
    ],
)
def test_what_is_no_frame_ends_the_reading(stream, tmp_path):
    (tmp_path / "stream").write_bytes(stream)
    with open(tmp_path / "stream", "rb") as file:
        assert list(frames.receive(file, 1000)) == []


def test_too_much_is_not_even_read(tmp_path):
    (tmp_path / "stream").write_bytes(b"answers 02.1 999999999999\n")
    with open(tmp_path / "stream", "rb") as file, pytest.raises(frames.Overflow):
        list(frames.receive(file, 1000))
