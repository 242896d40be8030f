"""What all commands share: help without torch, exit codes, one line a mistake."""

import json
import os
import subprocess
import sys
from dataclasses import MISSING, fields

import pytest

import gptlib
from gptlib.cli import main
from gptlib.cli.main import COMMANDS, parser
from gptlib.cli.train_options import FREE, OPTIONS
from gptlib.training import TrainingConfig, checkpoint

from .conftest import call, program, start


def modules_after(*words: str) -> tuple[set[str], int]:
    """What a command has imported when it ends, and its exit code."""
    code = f"""
import json, sys
from gptlib.cli import main
try:
    code = main({list(words)!r})
except SystemExit as end:
    code = end.code
print(json.dumps([sorted(sys.modules), code]))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, exit_code = json.loads(done.stdout.splitlines()[-1])
    return set(modules), exit_code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["train", "--help"], 0),
        (["generate", "--help"], 0),
        (["train", "--out", "x", "--lr", "-1"], 2),
        (["generate", "--greedy", "--beams", "2", "Once"], 2),
        (["new", "no good"], 2),
    ],
)
def test_help_and_wrong_usage_need_no_torch(words, code):
    modules, found = modules_after(*words)
    assert found == code
    assert "gptlib.cli.train" in modules
    assert "torch" not in modules
    assert "numpy" not in modules


def test_torch_would_be_seen(tmp_path):
    modules, code = modules_after("info", str(tmp_path))
    assert code == 1
    assert "torch" in modules


def test_the_module_is_a_program(tmp_path):
    done = program("--version", folder=tmp_path)
    assert done == (0, f"gptlib {gptlib.__version__}\n", "")


def test_each_command_explains_itself():
    overview = call("--help")
    assert overview.code == 0
    for name in COMMANDS:
        page = call(name, "--help")
        assert page.code == 0
        assert f"gptlib {name}" in page.out.split("examples:")[1]
        assert name in overview.out


def test_every_option_says_its_default():
    (commands,) = (a for a in parser()._actions if a.dest == "command")
    for name, command in commands.choices.items():
        for action in command._actions:
            if action.option_strings and action.dest not in ("help", "out", "resume"):
                assert "(default: " in action.help, f"{name} {action.option_strings}"
            assert action.help
            assert not action.help.endswith(".")


def test_examples_can_be_parsed():
    import shlex

    (commands,) = (a for a in parser()._actions if a.dest == "command")
    for command in commands.choices.values():
        for example in command.epilog.splitlines()[1:]:
            before, found, words = example.partition("gptlib ")
            if found and "cd " not in before:
                parser().parse_args(shlex.split(words))


def test_training_options_are_those_of_the_library():
    for field in fields(TrainingConfig):
        option = OPTIONS[field.name]
        if field.default is not MISSING:
            assert option.default == field.default, field.name
    # What training lets change, the command line lets change.
    assert {field.name for field in fields(TrainingConfig)} & FREE == checkpoint.FREE


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["trian"], "invalid choice: 'trian'"),
        (["train"], "required: --out"),
        (["train", "--out", "x", "--steps", "many"], "--steps: must be a whole number of at least"),
        (["train", "--out", "x", "--steps", "0"], "of at least 1, not '0'"),
        (["train", "--out", "x", "--lr", "nan"], "--lr: must be a number above 0, not 'nan'"),
        (["train", "--out", "x", "--preset", "huge"], "invalid choice: 'huge' (choose from "),
        (["train", "--out", "x", "--stepz", "3"], "unrecognized arguments: --stepz 3"),
        (["generate", "--top-p", "1.5", "Once"], "above 0 and at most 1, not '1.5'"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(words, says):
    done = call(*words)
    assert done.code == 2
    assert says in done.line()
    assert done.line().endswith("--help)")


def test_mistakes_in_the_program_keep_their_traceback(monkeypatch):
    def broken(name: str) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr("gptlib.cli.info._model", broken)
    with pytest.raises(KeyError, match="a mistake"):
        main(["info", "x"])


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried ..."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
)
def test_full_memory_says_what_to_do(monkeypatch, error):
    def full(name: str) -> None:
        raise error

    monkeypatch.setattr("gptlib.cli.info._model", full)
    done = call("info", "x")
    assert done.code == 1
    assert "smaller batch" in done.line()


@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is told otherwise there")
def test_a_reader_that_has_seen_enough_is_no_error(story_run, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    process = start("info", story_run, folder=tmp_path, stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
