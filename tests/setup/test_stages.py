"""`python course.py test`: every stage runs, is counted rightly, and decides the exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import test as stages

SUITE = """
import pytest

def test_good(): pass
def test_good_too(): pass
def test_bad(): assert 1 == 2
@pytest.mark.skip
def test_skipped(): pass
@pytest.fixture
def broken(): raise ValueError
def test_error(broken): pass
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take seconds to import
    monkeypatch.setattr(stages, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(stages, "REPORT", tmp_path / "cache" / "tests.xml")
    return tmp_path / "cache" / "tests.xml"


def pytest_on(folder: Path, report: Path, suite: str) -> list[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(suite)
    options = ["-p", "no:cacheprovider", f"--junitxml={report}"]
    return [sys.executable, "-m", "pytest", *options, str(folder)]


def test_all_stages_run_and_are_counted(
    report: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    commands = {
        "linter": python("print('linted')"),
        "checker": python("raise SystemExit(3)"),
        "pytest": pytest_on(tmp_path, report, SUITE),
        "last": python("import os; print('hub', os.environ['HF_HUB_OFFLINE'])"),
    }
    monkeypatch.setattr(stages, "stages", lambda quick, extra: iter(commands.items()))
    assert stages.main([]) == 1
    out = capfd.readouterr().out
    assert "linted" in out
    assert "hub 1" in out
    lines = out.splitlines()
    # linter, last and two tests; checker, one test and one broken fixture
    assert lines[-1] == "4 passed, 3 failed, 1 skipped"
    table = {line.split()[0]: line.split()[1:] for line in lines[-7:-2]}
    assert {name: table[name][0] for name in commands} == {
        "linter": "passed",
        "checker": "FAILED",
        "pytest": "FAILED",
        "last": "passed",
    }
    total = sum(float(table[name][1]) for name in commands)
    assert float(table["total"][0]) == pytest.approx(total, abs=0.3)


def test_it_succeeds_when_all_do(
    report: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stages, "stages", lambda *_: iter([("one", python("pass"))]))
    assert stages.main(["--quick"]) == 0
    assert capfd.readouterr().out.endswith("\n1 passed, 0 failed, 0 skipped\n")


@pytest.mark.parametrize("suite", ["", "import nothing_of_this_name"])
def test_a_run_without_tests_has_failed(report: Path, tmp_path: Path, suite: str) -> None:
    report.parent.mkdir()
    code = subprocess.run(pytest_on(tmp_path, report, suite), capture_output=True).returncode
    assert code != 0
    passed, failed, _ = stages.count(report, code)
    assert (passed, failed) == (0, 1)


def test_a_stage_does_not_count_the_report_of_another(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = pytest_on(tmp_path, report, "def test_good(): pass")
    crash = python("raise SystemExit(2)")
    monkeypatch.setattr(stages, "stages", lambda *_: iter([("a", first), ("b", crash)]))
    assert stages.main([]) == 1
    assert capfd.readouterr().out.endswith("\n1 passed, 1 failed, 0 skipped\n")


def test_stages_of_the_course() -> None:
    full = dict(stages.stages(False, []))
    names = ["ruff check", "ruff format", "import-linter", "mypy", "pytest"]
    assert list(full)[:5] == names
    assert "tests" in full["ruff check"]
    assert "course.py" in full["ruff check"]
    if any((stages.ROOT / "chapters").glob("*.ipynb")):
        assert full["notebooks"][-1] in ("chapters", "exercises")
        assert "--nbval" in full["notebooks"]
        assert "--nbval-lax" not in full["notebooks"]

    quick = dict(stages.stages(True, ["-k", "one"]))
    assert list(quick) == names
    assert quick["pytest"][-4:] == ["-m", "not slow", "-k", "one"]


@pytest.mark.parametrize(("cores", "used"), [(1, 1), (2, 2), (64, stages.MOST_WORKERS)])
def test_a_worker_for_each_core(cores: int, used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    command = dict(stages.stages(False, []))["pytest"]
    assert command[command.index("-n") + 1] == str(used)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert stages.workers() == used


@pytest.mark.parametrize("arguments", [["--slow"], ["tests"], ["--quick", "-k", "--", "-x"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert stages.main(arguments) == 2
    assert "--quick" in capsys.readouterr().err
