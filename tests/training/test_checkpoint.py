"""Checkpoints: what goes on with them, what is refused, and disks that fail."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import gptlib
from gptlib.data import Batches
from gptlib.model import next_token_loss
from gptlib.training import Callback, CheckpointError, checkpoint, train

from . import children
from .children import At, small_batches, small_config, small_model, small_run, tokens
from .test_kill import assert_same_run

POSIX = pytest.mark.skipif(os.name != "posix", reason="limits and permissions work otherwise there")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that stands at step 10 of 24."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    history = small_run(folder, At(10, lambda run: run.stop("enough for now")))
    assert history.stopped == "enough for now"
    assert history.step[-1] == 10
    return folder


@pytest.fixture
def copy(stopped, tmp_path):
    return Path(shutil.copytree(stopped, tmp_path / "run"))


def go_on(folder, model=None, batches=None, **changes):
    return train(
        model or small_model(),
        batches or small_batches(),
        small_config(**changes),
        out=folder,
        resume=True,
    )


def test_a_resumed_run_is_the_run_that_never_stopped(copy, tmp_path):
    resumed = small_run(copy)
    straight = small_run(tmp_path / "straight")
    for name in ("step", "loss", "lr", "grad_norm", "tokens", "validation_loss"):
        assert getattr(resumed, name) == getattr(straight, name), name
    assert resumed.seconds == sorted(resumed.seconds)
    assert resumed.stopped == "finished"


def test_a_finished_run_comes_back_as_it_was(tmp_path):
    first = small_run(tmp_path)
    model = small_model().eval()
    again = go_on(tmp_path, model=model)
    assert again == first
    saved = gptlib.load(tmp_path).state_dict()
    assert all(torch.equal(saved[name], w) for name, w in model.state_dict().items())


def test_the_model_opens_with_gptlib_while_training_goes_on(copy):
    held_out = small_batches().batch(1000)
    loss = next_token_loss(gptlib.load(copy)(held_out[0]), held_out[1])
    fresh = next_token_loss(small_model().eval()(held_out[0]), held_out[1])
    assert loss < fresh


def test_files_hold_numbers_and_json_only(copy):
    assert {file.suffix for file in copy.iterdir()} == {".safetensors", ".json"}
    with safe_open(copy / checkpoint.FILE, framework="pt") as file:
        facts = json.loads(file.metadata()["run"])
    assert facts["step"] == 10
    assert facts["batches"]["number"] == 20
    assert (copy / checkpoint.FILE).stat().st_mode & 0o777 == 0o644 or os.name != "posix"


def test_more_steps_may_follow(copy):
    history = go_on(copy, steps=30, checkpoint_every=7, schedule="cosine")
    assert history.step == list(range(1, 31))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.02}, "can't go on with other settings: lr was 0.01, now 0.02"),
        ({"beta1": 0.5, "seed": 8}, "beta1 was 0.9, now 0.5, seed was 7, now 8"),
        ({"ema": None}, "ema was 0.9, now None"),
        ({"steps": 9}, "stands at step 10, past steps=9"),
        ({"model": small_model(dropout=0.2)}, "a model of another configuration"),
        ({"batches": Batches(tokens(), batch_size=8, length=8)}, "seed was 5, now 0"),
    ],
)
def test_another_run_is_refused_in_one_line(copy, changes, message):
    before = (copy / checkpoint.FILE).read_bytes()
    with pytest.raises(ValueError, match=r"go on|steps|model") as refusal:
        go_on(copy, **changes)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert (copy / checkpoint.FILE).read_bytes() == before


class Bare(torch.nn.Module):
    """A model without a configuration that could tell it from others."""

    def __init__(self, width, bias=True):
        super().__init__()
        self.embed = torch.nn.Embedding(17, width)
        self.out = torch.nn.Linear(width, 17, bias=bias)

    def forward(self, idx):
        return self.out(self.embed(idx))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Bare(5), r"embed.weight has shape \(17, 4\), here \(17, 5\)"),
        (Bare(4, bias=False), "holds surplus out.bias"),
    ],
)
def test_any_module_can_be_trained_and_another_one_is_told_apart(tmp_path, model, message):
    history = train(Bare(4), small_batches(), small_config(lr=0.1), out=tmp_path)
    assert history.loss[-1] < history.loss[0]
    assert not (tmp_path / "config.json").exists()  # no GPT that gptlib could load
    with pytest.raises(CheckpointError, match=message):
        go_on(tmp_path, model=model, lr=0.1)


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_named(copy, damage):
    file = copy / checkpoint.FILE
    file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    with pytest.raises(CheckpointError, match="is damaged or no checkpoint of a run") as refusal:
        go_on(copy)
    assert str(file) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_run_is_not_overwritten(copy):
    before = (copy / checkpoint.FILE).read_bytes()
    with pytest.raises(CheckpointError, match="holds a run already: give resume=True"):
        train(small_model(), small_batches(), small_config(), out=copy)
    assert (copy / checkpoint.FILE).read_bytes() == before


def test_resuming_needs_a_folder_and_batches_that_tell_their_place(tmp_path):
    with pytest.raises(ValueError, match="resume=True needs out"):
        train(small_model(), small_batches(), small_config(), resume=True)
    with pytest.raises(ValueError, match="the batches have no state_dict"):
        train(small_model(), [], small_config(), out=tmp_path)


def test_where_a_file_stands_in_the_way_nothing_is_trained(tmp_path):
    (tmp_path / "file").write_text("mine")
    steps = []
    with pytest.raises(CheckpointError, match="can't write a checkpoint at step 0"):
        small_run(tmp_path / "file", At(1, steps.append))
    assert steps == []
    assert (tmp_path / "file").read_text() == "mine"


def fails_at_ten(out: Path, message: Path, prepare) -> None:
    """Train until the disk fails at step 10, and write down what was said."""
    try:
        small_run(out, At(9, lambda run: prepare(run.out)))
    except CheckpointError as error:
        message.write_text(str(error))


def fill_disk(out: Path) -> None:
    # Files may not grow past 1 KB: the system refuses to write, as it does on a full disk.
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def lock_folder(out: Path) -> None:
    out.chmod(0o555)


def as_a_user(function, *arguments):
    """Nothing is read-only for root, so become somebody else."""
    if os.geteuid() == 0:
        os.setuid(65534)
    function(*arguments)


@POSIX
def test_a_full_disk_is_an_error_and_the_checkpoint_before_is_whole(tmp_path):
    folder, message = tmp_path / "run", tmp_path / "message"
    assert children.call(fails_at_ten, folder, message, fill_disk) == 0
    said = message.read_text()
    assert "can't write a checkpoint at step 10" in said
    assert "File too large" in said
    assert "the checkpoint before it is whole" in said
    assert "\n" not in said
    assert_stands_at_eight(folder)
    assert not (folder / checkpoint.UNFINISHED).exists()  # the room is given back
    assert children.call(children.small_run, folder) == 0
    assert children.call(children.small_run, tmp_path / "straight") == 0
    assert_same_run(folder, tmp_path / "straight")


@POSIX
def test_a_folder_locked_while_training_is_an_error_and_its_checkpoint_is_whole():
    with tempfile.TemporaryDirectory() as name:  # a place that other users can reach
        place = Path(name)
        place.chmod(0o777)
        folder, message = place / "run", place / "message"
        assert children.call(as_a_user, fails_at_ten, folder, message, lock_folder) == 0
        assert "can't write a checkpoint at step 10" in message.read_text()
        assert "Permission denied" in message.read_text()
        folder.chmod(0o777)
        assert_stands_at_eight(folder)


@POSIX
def test_a_read_only_folder_is_an_error_before_the_first_step():
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o777)
        folder, message = place / "run", place / "message"
        folder.mkdir(mode=0o755)
        folder.chmod(0o555)
        assert children.call(as_a_user, fails_at_ten, folder, message, lock_folder) == 0
        assert "can't write a checkpoint at step 0" in message.read_text()
        assert list(folder.iterdir()) == []


def assert_stands_at_eight(folder):
    with safe_open(folder / checkpoint.FILE, framework="pt") as file:
        assert json.loads(file.metadata()["run"])["step"] == 8
        assert len(file.get_tensor("history.loss")) == 8


def test_callbacks_end_even_when_the_disk_fails(tmp_path):
    ended = []

    class Watch(Callback):
        def on_end(self, run):
            ended.append(run.step)

    def remove(run):
        shutil.rmtree(run.out)
        run.out.write_text("")

    with pytest.raises(CheckpointError, match="at step 4"):
        small_run(tmp_path / "run", Watch(), At(3, remove))
    assert ended == [4]
