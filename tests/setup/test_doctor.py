"""`python course.py doctor`: true of the machine, and there when nothing else works."""

import os
import platform
import shutil

import psutil
import pytest

from tools import doctor

from .tiny_course import ROOT, TinyCourse

LOCK = """\
# a comment
numpy==2.4.6
nest-asyncio2==1.7.4
torch==2.13.0
pywinpty==3.1.2 ; os_name == 'nt'
"""


def test_versions_are_compared() -> None:
    found = {"numpy": "2.4.6", "nest-asyncio2": "1.7.4", "torch": "2.13.0+cpu"}
    assert doctor.compare(LOCK, found) == ["4 of 4 packages as locked"]
    assert doctor.compare(LOCK, {"numpy": "2.4.60", "torch": "2.13.0", "pywinpty": "3.0"}) == [
        "1 of 4 packages as locked",
        "numpy: locked 2.4.6, installed 2.4.60",
        "nest-asyncio2: locked 1.7.4, installed not",
        "pywinpty: locked 3.1.2, installed 3.0",
    ]


def test_names_are_normal_ones() -> None:
    found = doctor.installed()
    assert found["pytest"] == pytest.__version__
    assert not any("_" in name or name != name.lower() for name in found)


def test_the_machine_is_described() -> None:
    text = "\n".join(doctor.machine())
    assert platform.python_version() in text
    assert f"{os.cpu_count()} cores" in text
    if hasattr(os, "sysconf"):
        assert f"memory     {psutil.virtual_memory().total / 1e9:.1f} GB" in text


def test_it_works_without_a_set_up(course: TinyCourse) -> None:
    shutil.copy(ROOT / "tools" / "doctor.py", course.root / "tools")
    before = sorted(course.root.rglob("*"))
    done = course.run("doctor", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stderr
    assert platform.python_version() in done.stdout
    assert ".venv      none that works" in done.stdout
    assert sorted(course.root.rglob("*")) == before


@pytest.mark.slow
def test_it_tells_what_a_set_up_holds(begun: TinyCourse) -> None:
    shutil.copy(ROOT / "tools" / "doctor.py", begun.root / "tools")
    begun.run("test")
    done = begun.run("doctor")
    assert done.returncode == 0, done.stderr
    assert ".venv      complete" in done.stdout
    assert "1 of 1 packages as locked" in done.stdout
    # The tiny course has no gptlib to measure devices with.
    assert "devices    not measured" in done.stdout

    (begun.root / "requirements.lock").write_text("tinydep==2.0\n")
    changed = begun.run("doctor").stdout
    assert ".venv      unfinished, or for another lock or Python" in changed
    assert "tinydep: locked 2.0, installed 1.0" in changed
