"""The command line as its users meet it, and a small run to look at."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from gptlib.cli import main

# A model so small that a step takes milliseconds.
SMALL = ("--n-layer", "1", "--n-head", "2", "--n-embd", "16", "--device", "cpu")
STORIES = ("--data", "story:nursery", "--stories", "60", "--vocab-size", "300", "--batch-size", "4")


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    def line(self) -> str:
        """Its complaint, which is one line and no traceback."""
        assert "Traceback" not in self.err
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.strip()


def call(*words: object) -> Done:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
    return Done(code, out.getvalue(), err.getvalue())


def start(*words: object, folder: Path, **changes: object) -> "subprocess.Popen[str]":
    """Start `python -m gptlib` in a process of its own, in that folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "gptlib", *map(str, words)],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        text=True,
        encoding="utf-8",
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **changes},
    )


def program(*words: object, folder: Path, text: str | None = None) -> Done:
    """Run `python -m gptlib` to its end."""
    process = start(*words, folder=folder, stdin=subprocess.PIPE)
    out, err = process.communicate(text, timeout=300)
    return Done(process.returncode, out, err)


@pytest.fixture(scope="session")
def story_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has read some stories, as `gptlib train` leaves it."""
    out = tmp_path_factory.mktemp("runs") / "stories"
    done = call("train", *STORIES, *SMALL, "--steps", 12, "--validate-every", 5, "--lr", 0.01,
                "--sample-every", 6, "--out", out)  # fmt: skip
    assert done.code == 0, done.err
    (out / "said").write_text(done.out, encoding="utf-8")
    return out


@pytest.fixture(scope="session")
def poem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text file of one's own, in a folder with a blank in its name."""
    file = tmp_path_factory.mktemp("my texts") / "poem.txt"
    file.write_text("The rain in Spain: el niño ríe, 雨が降る.\n" * 100, encoding="utf-8")
    return file
