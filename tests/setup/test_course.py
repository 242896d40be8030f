"""course.py, run for real on a tiny lock: what it makes, keeps, repairs and hands on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .tiny_course import TinyCourse, complaint, told

pytestmark = pytest.mark.slow  # each test makes a virtual environment or two


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def stop(process: subprocess.Popen[str], kill: bool) -> None:
    """Press Ctrl-C, which the whole group hears; or end them all, as a power cut does."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGINT)
    else:
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], check=True)


def test_first_and_second_start(course: TinyCourse) -> None:
    before = set(course.root.iterdir())
    first = course.run("test", "--quick", "--", "-k", "two words")
    said = told(first)
    assert said["arguments"] == ["--quick", "--", "-k", "two words"]
    assert Path(said["prefix"]) == course.root / ".venv"
    assert Path(said["folder"]) == course.root
    assert Path(said["path"]) == course.python.parent
    assert said["utf8"] == 1
    assert (said["tinydep"], said["tiny"]) == ("1.0", "1.0")
    assert set(course.root.iterdir()) - before == {
        course.root / ".venv",
        course.root / ".course",
        # pip's build of the package in this folder
        *(path for path in [course.root / "__pycache__"] if path.exists()),
    }

    log = course.log.stat().st_mtime_ns
    second = course.run("test")
    assert told(second)["arguments"] == []
    assert first.stdout.count("CUDA") == (sys.platform == "linux")
    assert second.stdout.count("\n") == 1  # the line of the program itself
    assert course.log.stat().st_mtime_ns == log

    # The code of the program is course.py's own code.
    assert course.run("test", TINY_CODE="7").returncode == 7

    # A changed lock is installed into what is there.
    kept = course.root / ".venv" / "kept"
    kept.touch()
    (course.root / "requirements.lock").write_text("tinydep==2.0\n")
    third = course.run("test")
    assert told(third)["tinydep"] == "2.0"
    assert "Setting up" in third.stdout
    assert kept.exists()
    assert "Setting up" not in course.run("test").stdout

    # Half an update counts for nothing: what it left is made again.
    course.stamp.write_text("unfinished")
    assert told(course.run("test"))["tinydep"] == "2.0"
    assert not kept.exists()


def test_set_up_that_was_stopped_is_made_again(course: TinyCourse, tmp_path: Path) -> None:
    for gate in (tmp_path / "stopped", tmp_path / "killed"):
        process = course.start(TINY_GATE=str(gate))
        try:
            wait_for(gate, process)
            assert course.stamp.read_text() == "unfinished"

            # Meanwhile a second terminal neither waits nor tears down what the first one builds.
            assert "Another terminal" in complaint(course.run("test"))
            assert course.python.exists()

            stop(process, kill=gate.name == "killed")
            stdout, stderr = process.communicate()
        finally:
            gate.unlink(missing_ok=True)  # what may be left of the set-up waits no longer
        if os.name == "posix" and gate.name == "stopped":
            assert process.returncode == 130, stdout + stderr
            assert stderr.strip() == "course.py: stopped. The same command starts again."
        half = course.root / ".venv" / "half"
        half.touch()

    assert told(course.run("test"))["tiny"] == "1.0"
    assert not half.exists()


def test_damage_is_repaired(course: TinyCourse) -> None:
    (course.root / ".venv").mkdir()
    assert told(course.run("test"))["tiny"] == "1.0"

    course.python.unlink()
    course.python.write_bytes(b"")  # stands for one that the system's upgrade broke
    assert told(course.run("test"))["tiny"] == "1.0"

    course.root = course.root.rename(course.root.with_name("elsewhere"))
    assert Path(told(course.run("test"))["prefix"]) == course.root / ".venv"


def test_venv_made_by_hand_is_kept(begun: TinyCourse) -> None:
    own = begun.root / ".venv" / "own file"
    own.touch()
    assert told(begun.run("test"))["tiny"] == "1.0"
    assert own.exists()
