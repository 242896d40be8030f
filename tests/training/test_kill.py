"""kill -9 at any moment loses nothing: the resumed run ends in the same bits."""

import random
import time
from itertools import pairwise

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from gptlib.training import checkpoint

from . import children

pytestmark = pytest.mark.slow

KILLS = 25 if children.FORKS else 6  # without fork each child takes seconds to import torch


def contents(folder):
    """All that a checkpoint says, but for the seconds it took."""
    tensors = load_file(folder / checkpoint.FILE)
    del tensors["history.seconds"]
    with safe_open(folder / checkpoint.FILE, framework="pt") as file:
        return tensors, file.metadata()


def assert_same_run(folder, reference):
    tensors, facts = contents(folder)
    expected, expected_facts = contents(reference)
    assert facts == expected_facts
    assert tensors.keys() == expected.keys()
    # NaN stands for "no spare number" in a generator's state.
    different = [
        n for n, t in expected.items() if not torch.equal(tensors[n].nan_to_num(), t.nan_to_num())
    ]
    assert different == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody disturbed, and how long it took."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    children.call(children.nothing)
    begun = time.monotonic()
    assert children.call(children.small_run, folder) == 0
    return folder, time.monotonic() - begun


def test_the_reference_learns_something(whole):
    tensors, _ = contents(whole[0])
    loss = tensors["history.loss"]
    assert len(loss) == 24
    assert loss[-5:].mean() < loss[:5].mean() - 0.3


def test_killed_at_random_moments(whole, tmp_path):
    reference, duration = whole
    moments = random.Random(3)
    kills = chains = 0
    folder = tmp_path / "0"
    while kills < KILLS:
        process = children.start(children.small_run, folder)
        process.join(moments.uniform(0, duration))
        if process.exitcode is None:
            process.kill()
            process.join()
            kills += 1
        else:  # the run came to its end before its moment
            assert process.exitcode == 0
            assert_same_run(folder, reference)
            chains += 1
            folder = tmp_path / str(chains)
    assert children.call(children.small_run, folder) == 0
    assert_same_run(folder, reference)


def test_killed_before_every_system_call_that_writes_a_checkpoint(whole, tmp_path):
    folder = tmp_path / "run"
    n, steps = 0, []
    exitcode = None
    while exitcode != 0:
        n += 1
        exitcode = children.call(children.killed_while_saving, folder, n)
        assert exitcode in (0, -9, 9)  # Windows gives no sign to a signal's number
        tensors, _ = contents(folder)  # whole, whatever happened
        steps.append(len(tensors["history.step"]))
    assert n > 8  # a checkpoint takes at least that many
    # Some kills came too early for the new checkpoint to count, some after it did.
    gains = {b - a for a, b in pairwise(steps[:-1])}
    assert gains == {0, 2}
    assert children.call(children.small_run, folder) == 0
    assert_same_run(folder, whole[0])


def test_a_half_written_checkpoint_is_cleared_away(whole, tmp_path):
    folder = tmp_path / "run"
    assert children.call(children.stopped, folder, 11) == 0
    data = (folder / checkpoint.FILE).read_bytes()
    unfinished = folder / checkpoint.UNFINISHED
    unfinished.mkdir()
    for name in (checkpoint.FILE, ".tmpAbCdEf"):  # safetensors writes under a name of its own
        (unfinished / name).write_bytes(data[: len(data) // 2])
    assert children.call(children.small_run, folder) == 0
    assert_same_run(folder, whole[0])
    assert not unfinished.exists()
