"""`gptlib evaluate`: a table for each task, with the model beside methods without one."""

import re

from .conftest import call


def test_a_table_for_each_task(story_run):
    done = call(
        *("evaluate", "--model", story_run, "--tasks", "sentiment", "search"),
        *("--splits", "test", "-n", "4"),
    )
    assert done.code == 0, done.err
    blocks = done.out.strip().split("\n\n")
    assert [block.split()[0] for block in blocks] == ["sentiment", "search"]
    assert re.search(r"^commonest label +test +\d", blocks[0], re.MULTILINE)
    assert re.search(rf"^{re.escape(str(story_run))} +test ", blocks[0], re.MULTILINE)
    assert "BM25" in blocks[1]
    assert "nDCG@10" in blocks[1]
    assert re.search(r"\d \[\d", blocks[1]), "no interval beside the figure"


def test_quick_takes_few_examples(story_run):
    options = ("--model", story_run, "--tasks", "sentiment", "--splits", "test")
    done = call("evaluate", *options, "--quick", "-n", "500")
    assert done.code == 0, done.err
    assert done.out.strip().splitlines()[-1].endswith(" 20")


def test_a_task_that_is_none():
    done = call("evaluate", "--tasks", "juggling")
    assert done.code == 2
    assert "there is no task 'juggling': use all, or some of translation" in done.err
    assert "Traceback" not in done.err


def test_a_model_that_is_none(tmp_path):
    done = call("evaluate", "--model", tmp_path / "nothing", "--tasks", "sentiment")
    assert done.code == 1
    assert "nothing" in done.err
    assert "Traceback" not in done.err
