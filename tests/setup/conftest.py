"""The tiny course that each test of the set-up may make, break and repair."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .tiny_course import TinyCourse, write_wheel


@pytest.fixture
def course(tmp_path: Path) -> TinyCourse:
    """A tiny course in a path with spaces and letters of several alphabets; nothing is set up."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        write_wheel(wheels, version)
    return TinyCourse(tmp_path / "my course Übung 课程", wheels)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment as somebody makes it by hand. Not to be changed."""
    folder = tmp_path_factory.mktemp("environment") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def begun(course: TinyCourse, environment: Path) -> TinyCourse:
    """A tiny course with an environment made by hand, which saves the seconds of making one."""
    shutil.copytree(environment, course.root / ".venv", symlinks=True)
    return course
