"""A class through nbgrader's own commands, from release to feedback: every grade is as expected."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import nbformat
import pytest

pytest.importorskip("nbgrader")

from gptlib.grading import tasks
from gptlib.grading.sandbox import refusal
from gptlib.grading.submission import restored
from tools.exercises import classroom, notebook, sets
from tools.exercises.classroom import SET, Class

pytestmark = [
    pytest.mark.skipif(bool(refusal()), reason=refusal() or "isolated"),
    pytest.mark.slow,
    pytest.mark.timeout(3600),
]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A class that went all the way, its autograde killed once in between."""
    room = Class(tmp_path_factory.mktemp("course"))
    for step in (("generate_assignment", SET), ("release_assignment", SET)):
        done = room.run(*step)
        assert done.returncode == 0, done.stderr
    room.hand_in(list(classroom.submissions(8)))
    assert room.run("collect", SET).returncode == 0
    kill_within(room, "autograde", SET)
    room.again = room.run("autograde", SET)
    for step in (*classroom.STEPS[1:], ("export", "--to", str(room.folder / "grades.csv"))):
        done = room.run(*step)
        assert done.returncode == 0, done.stderr
    return room


def kill_within(room, *arguments):
    """Kill nbgrader in the middle of a submission that is not its first."""
    process = subprocess.Popen(
        room.command(*arguments),
        cwd=classroom.CONFIG,
        env=room.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    marker = room.folder / ".autograding.json"
    while process.poll() is None:
        if marker.exists() and (room.folder / "autograded" / "damaged01").exists():
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    process.wait()
    assert marker.exists()


def test_every_grade_is_as_expected(room):
    expected = {each.student: each.points for each in classroom.submissions(8)}
    assert room.grades() == expected


def test_a_file_that_can_not_be_read_is_reported_and_stops_nobody(room):
    assert "for student 'damaged04'" in room.again.stderr
    assert "damaged03" not in room.again.stderr.split("for student")[-1]


def test_what_was_graded_before_the_kill_is_not_graded_again(room):
    assert "Skipping existing assignment" in room.again.stderr
    assert "/damaged00/" in room.again.stderr.split("Skipping existing assignment")[1][:300]
    assert not (room.folder / ".autograding.json").exists()


def test_feedback_shows_points_and_hints_and_no_solution_and_no_input(room):
    page = room.feedback("sound02")
    assert "02.1 Stable softmax: 12 of 12 points" in page
    assert "Not started yet." in page
    assert "The way to go" in page
    definitions = sets.load_set(SET)
    solved = next(s for s in classroom.submissions(8) if s.student == "sound02").solved
    released = "\n".join(c.source for c in notebook.notebook(definitions, "learner").cells)
    hints = "\n".join(
        hint for exercise in definitions.exercises.values() for hint in exercise.hints
    )
    for task_id, exercise in definitions.exercises.items():
        for line in sets.source_of(exercise).splitlines() if task_id not in solved else ():
            code = line.split("#")[0].strip()
            if len(code) > 30 and code not in released and code not in hints:
                assert code not in page
    seed = (room.folder / "grading_seed.txt").read_text()
    assert seed not in page


def test_only_nbgrader_wrote_into_the_gradebook(room):
    with sqlite3.connect(room.folder / "gradebook.db") as database:
        scores = [row[0] for row in database.execute("SELECT auto_score FROM grade")]
    assert max(filter(None, scores)) <= 19


def test_putting_right_twice_changes_nothing_more():
    every = tasks.find("02.1")[0]
    for submission in classroom.submissions(30):
        if "cut off" not in submission.damages:
            once = restored(nbformat.reads(submission.text(), as_version=4), every)
            assert restored(once, every) == once
            grades = [c for c in once.cells if c.metadata.get("nbgrader", {}).get("grade")]
            assert len(grades) == len(every.tasks)
            nbformat.validate(once)


@pytest.mark.parametrize(
    "content",
    [
        {"cells": 5},
        {"cells": [None, 3, {"cell_type": "code"}, {"cell_type": "x", "source": ""}]},
        {"cells": [{"cell_type": "code", "source": ["a"], "metadata": {}}]},
        {
            "cells": [
                {"cell_type": "code", "source": "x", "metadata": {"nbgrader": {"grade_id": []}}}
            ]
        },
    ],
)
def test_cells_that_are_none_are_left_out(content):
    every = tasks.find("02.1")[0]
    made = restored(nbformat.from_dict(json.loads(json.dumps(content))), every)
    nbformat.validate(made)
    assert sum(c.metadata.get("nbgrader", {}).get("points", 0) for c in made.cells) == 100


@pytest.fixture
def postgres():
    """The address of an empty database, where a server is at hand."""
    address = os.environ.get("GPTLIB_TEST_POSTGRES")
    if not address:
        pytest.skip("GPTLIB_TEST_POSTGRES names no PostgreSQL database")
    return address


def test_the_gradebook_may_be_postgresql(postgres, tmp_path):
    room = Class(tmp_path / "course", postgres)
    every = [s for s in classroom.submissions(8) if s.student in ("sound00", "sound02")]
    for step in (("generate_assignment", SET), ("release_assignment", SET)):
        assert room.run(*step).returncode == 0
    room.hand_in(every)
    for step in (("collect", SET), ("autograde", SET)):
        done = room.run(*step)
        assert done.returncode == 0, done.stderr
    room.run("export", "--to", str(room.folder / "grades.csv"))
    assert room.grades() == {each.student: each.points for each in every}
    assert not (room.folder / "gradebook.db").exists()
