"""The tiny course that each test of the set-up may make, break and repair."""

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
