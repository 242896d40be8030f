"""Courses in temporary folders, so that the builder and its checks can be tried on anything."""

from pathlib import Path

import pytest

from tools.build import build

from .samples import DEMONSTRATION, Course


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """An empty course."""
    return Course(tmp_path)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with one chapter, built: not to be changed."""
    course = Course(tmp_path_factory.mktemp("demonstration"))
    assert build(course.write(DEMONSTRATION), course.root)
    return course
