"""Two real processes under torchrun train as one does, and only the first one writes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from gptlib.training import checkpoint
from gptlib.training.processes import Processes

from .test_kill import assert_same_run
from .two_processes import against_one_process


@pytest.fixture(scope="module")
def torchrun(tmp_path_factory):
    """What each of two processes wrote down, and the folder they shared."""
    folder = tmp_path_factory.mktemp("torchrun")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--master-addr", "127.0.0.1", "--master-port", str(port)),
            *(str(Path(__file__).with_name("two_processes.py")), str(folder)),
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1", "USE_LIBUV": "0"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1)], folder


@pytest.mark.slow
def test_the_loss_curve_is_that_of_one_process(torchrun):
    ranks, _ = torchrun
    history, weights = against_one_process()
    for facts in ranks:
        theirs = facts["history"]
        assert theirs["loss"] == pytest.approx(history.loss, abs=1e-4)
        assert theirs["validation_loss"] == pytest.approx(history.validation_loss, abs=1e-4)
        assert theirs["grad_norm"] == pytest.approx(history.grad_norm, rel=1e-3)
        assert theirs["tokens"] == history.tokens
        for name, expected in weights.items():
            found = torch.tensor(facts["weights"][name])
            torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=1e-3)
    assert history.loss[-1] < history.loss[0] - 0.3  # there was something to get wrong


@pytest.mark.slow
def test_both_processes_know_the_same(torchrun):
    (first, second), _ = torchrun
    assert first["weights"] == second["weights"]
    assert first["history"]["loss"] == second["history"]["loss"]


@pytest.mark.slow
def test_only_rank_zero_writes(torchrun):
    (first, second), folder = torchrun
    assert str(folder / "run" / "straight" / "log.csv.part") in first["written"]
    assert second["written"] == []


@pytest.mark.slow
def test_a_run_of_two_processes_resumes_bit_for_bit(torchrun):
    ranks, folder = torchrun
    for facts in ranks:  # with dropout: the generators of both processes were saved
        assert facts["resumed"]["loss"] == facts["straight"]["loss"]
        assert facts["resumed"]["stopped"] == "finished"
    assert_same_run(folder / "run" / "resumed", folder / "run" / "straight")
    with safe_open(folder / "run" / "resumed" / checkpoint.FILE, framework="pt") as file:
        masks = [file.get_tensor(f"rng.{rank}.torch") for rank in (0, 1)]
    assert not torch.equal(*masks)


def test_rows_are_shared_out_whole_and_once():
    batch = (torch.arange(12).view(6, 2), torch.arange(6))
    parts = [Processes(torch.device("cpu"), rank, 3).rows(batch) for rank in range(3)]
    for index, whole in enumerate(batch):
        assert torch.equal(torch.cat([part[index] for part in parts]), whole)


def test_rows_that_cannot_be_shared_out_are_refused():
    with pytest.raises(ValueError, match="6 rows can't be split over 4 processes: make the batch"):
        Processes(torch.device("cpu"), 0, 4).rows((torch.zeros(6, 2), torch.zeros(6)))
