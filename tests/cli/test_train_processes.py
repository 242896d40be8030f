"""`torchrun -m gptlib train`: one process makes the data and talks, both train."""

import csv
import json
import os
import socket
import subprocess
import sys

import pytest

from .conftest import SMALL, STORIES, Done, call

pytestmark = pytest.mark.slow
RUN = (*STORIES, *SMALL, "--steps", "6", "--validate-every", "3", "--sample-every", "0")


def torchrun(*words: object, folder) -> Done:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--master-addr", "127.0.0.1", "--master-port", str(port), "-m", "gptlib"),
            *map(str, words),
        ],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "USE_LIBUV": "0"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def losses(out):
    with open(out / "log.csv", newline="", encoding="utf-8") as file:
        return [(row["step"], float(row["loss"])) for row in csv.DictReader(file)]


def test_two_processes_make_the_run_of_one(tmp_path):
    both = torchrun("train", *RUN, "--out", "both", folder=tmp_path)
    assert both.code == 0, both.err
    alone = call("train", *RUN, "--out", tmp_path / "alone")
    assert alone.code == 0, alone.err
    expected = losses(tmp_path / "alone")
    assert len(expected) == 6
    for (step, loss), (other_step, other_loss) in zip(
        losses(tmp_path / "both"), expected, strict=True
    ):
        assert step == other_step
        assert loss == pytest.approx(other_loss, abs=1e-4)
    records = [json.loads((tmp_path / n / "run.json").read_text()) for n in ("both", "alone")]
    assert records[0]["data"] == records[1]["data"]
    assert records[0]["arguments"] == records[1]["arguments"]
    names = [sorted(f.name for f in (tmp_path / n).iterdir()) for n in ("both", "alone")]
    assert names[0] == names[1]
    # Said once: what one process says, but for the folder and the seconds.
    assert [line.split()[0] for line in both.out.splitlines()] == [
        line.split()[0] for line in alone.out.splitlines()
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--data", "nowhere.txt"), "--data no corpus 'nowhere.txt'"),
        ((*RUN, "--batch-size", "3"), "--batch-size 3 can't be shared by 2 processes"),
        (("--lr", "fast"), "--lr: must be a number above 0, not 'fast'"),
    ],
)
def test_a_mistake_is_told_once(tmp_path, words, says):
    done = torchrun("train", *words, "--out", "run", folder=tmp_path)
    assert done.code != 0
    assert done.err.count(says) == 1
    # torchrun reports the failure too, in its own words and with its own traceback.
    assert done.err.count("gptlib train: ") == 1
