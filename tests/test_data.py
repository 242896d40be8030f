"""Splits, batches and token files: what follows what, seen how often, and where to go on."""

import json
import tracemalloc
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gptlib.data import Batches, TokenFile, in_order, split, write_tokens

orders = st.sampled_from(["random", "epochs"])
sizes = st.tuples(st.integers(2, 200), st.integers(1, 5), st.integers(1, 40)).filter(
    lambda sizes: sizes[0] > sizes[2]
)


@given(st.integers(2, 300), st.floats(0.05, 0.95), orders, st.integers(0, 9))
def test_no_window_of_training_shows_a_token_of_validation(
    n: int, share: float, order: str, seed: int
) -> None:
    """Tokens are their own positions here, so what a window shows says where it was cut."""
    try:
        train, validation = split(torch.arange(n), share)
    except ValueError:
        assert round(n * share) in (0, n)
        return
    assert torch.equal(torch.cat([train, validation]), torch.arange(n))
    for part in (train, validation):
        if len(part) < 3:
            continue
        batches = Batches(part, batch_size=4, length=2, seed=seed, order=order)
        for idx, targets in islice(batches, 20):
            assert idx.min() >= part[0]
            assert targets.max() <= part[-1]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5])
def test_a_share_outside_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="validation must be between 0 and 1"):
        split("some text", share)


def test_a_split_with_an_empty_part_is_refused() -> None:
    with pytest.raises(ValueError, match="3 tokens are too few to validate on 10%"):
        split([1, 2, 3])


def test_text_lists_and_arrays_are_split_alike() -> None:
    text = "0123456789"
    assert split(text, 0.2) == ("01234567", "89")
    assert split(list(text), 0.2) == (list("01234567"), list("89"))
    assert [part.tolist() for part in split(np.arange(10), 0.2)] == [[*range(8)], [8, 9]]


@given(sizes, orders, st.integers(0, 9))
def test_a_target_is_the_token_that_follows(
    sizes: tuple[int, int, int], order: str, seed: int
) -> None:
    n, batch_size, length = sizes
    batches = Batches(torch.arange(n), batch_size=batch_size, length=length, seed=seed, order=order)
    for idx, targets in islice(batches, 5):
        assert idx.shape == targets.shape == (batch_size, length)
        assert idx.dtype == targets.dtype == torch.int64
        assert torch.equal(targets, idx + 1)
        assert torch.equal(idx[:, 1:], targets[:, :-1])
        assert idx.min() >= 0
        assert targets.max() < n


@given(sizes, st.integers(0, 9))
def test_an_epoch_shows_every_target_once_but_a_short_rest(
    sizes: tuple[int, int, int], seed: int
) -> None:
    n, batch_size, length = sizes
    windows = (n - 1) // length
    batches = Batches(
        torch.arange(n), batch_size=batch_size, length=length, seed=seed, order="epochs"
    )
    rows = [row for _, targets in islice(batches, 3 * windows) for row in targets.tolist()]
    for epoch in range(3):
        seen = Counter(t for row in rows[epoch * windows : (epoch + 1) * windows] for t in row)
        assert set(seen.values()) == {1}
        assert set(seen) == set(range(1, windows * length + 1))
    assert n - 1 - windows * length < length


def test_epochs_are_shuffled_differently() -> None:
    batches = Batches(torch.arange(1001), batch_size=100, length=10, order="epochs")
    first, second, _ = (targets.flatten().tolist() for _, targets in islice(batches, 3))
    assert sorted(first) == sorted(second)
    assert first != second != sorted(second)


def test_random_windows_start_anywhere_with_equal_chance() -> None:
    batches = Batches(torch.arange(11), batch_size=1000, length=1)
    starts = torch.cat([idx for idx, _ in islice(batches, 20)]).flatten()
    counts = torch.bincount(starts, minlength=10)
    # Multinomial: standard deviation of a count is about sqrt(20000 * .1 * .9) = 42.
    assert len(counts) == 10
    assert ((counts - 2000).abs() < 5 * 42).all()


@given(sizes, orders, st.integers(0, 9), st.integers(0, 9))
def test_training_goes_on_with_the_batches_it_would_have_had(
    sizes: tuple[int, int, int], order: str, done: int, seed: int
) -> None:
    n, batch_size, length = sizes
    tokens = torch.arange(n)

    def fresh() -> Batches:
        return Batches(tokens, batch_size=batch_size, length=length, seed=seed, order=order)

    first = fresh()
    for _ in islice(first, done):
        pass
    state = json.loads(json.dumps(first.state_dict()))
    resumed = fresh()
    resumed.load_state_dict(state)
    for (idx, targets), (same_idx, same_targets) in islice(zip(first, resumed, strict=True), 5):
        assert torch.equal(idx, same_idx)
        assert torch.equal(targets, same_targets)
    assert first.state_dict() == resumed.state_dict()


@pytest.mark.parametrize("order", ["random", "epochs"])
def test_any_batch_can_be_had_again(order: str) -> None:
    batches = Batches(torch.arange(500), batch_size=4, length=7, order=order)
    drawn = list(islice(batches, 40))
    for number in (39, 0, 17):
        assert torch.equal(batches.batch(number)[0], drawn[number][0])
    assert batches.number == 40


@pytest.mark.parametrize("order", ["random", "epochs"])
def test_seeds_differ(order: str) -> None:
    one, other = (
        next(Batches(torch.arange(500), batch_size=8, length=4, seed=seed, order=order))[0]
        for seed in (0, 1)
    )
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 1}, "cannot go on: seed was 0, now 1"),
        ({"order": "epochs"}, "cannot go on: order was 'random', now 'epochs'"),
        ({"batch_size": 5}, "cannot go on: batch_size was 4, now 5"),
        ({"length": 9}, "cannot go on: length was 8, now 9"),
        ({"tokens": torch.arange(101)}, "cannot go on: n_tokens was 100, now 101"),
    ],
)
def test_a_position_in_other_batches_is_refused(changed: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"tokens": torch.arange(100), "batch_size": 4, "length": 8}
    state = Batches(**settings).state_dict()
    with pytest.raises(ValueError, match=message):
        Batches(**settings | changed).load_state_dict(state)


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="8 tokens are too few for a window of 8 and its next"):
        Batches(torch.arange(8), batch_size=1, length=8)
    with pytest.raises(ValueError, match="must be at least 1: 0, 8"):
        Batches(torch.arange(99), batch_size=0, length=8)
    with pytest.raises(ValueError, match="order must be 'random' or 'epochs', not 'sorted'"):
        Batches(torch.arange(99), batch_size=1, length=8, order="sorted")


def test_epochs_are_counted() -> None:
    batches = Batches(torch.arange(101), batch_size=5, length=10, order="epochs")
    for _ in islice(batches, 3):
        pass
    assert batches.epoch == pytest.approx(1.5)


@given(st.integers(2, 200), st.integers(1, 5), st.integers(1, 300))
def test_in_order_every_token_but_the_first_is_a_target_once(
    n: int, batch_size: int, length: int
) -> None:
    batches = list(in_order(torch.arange(n), batch_size=batch_size, length=length))
    seen = [t for _, targets in batches for t in targets.flatten().tolist()]
    assert seen == list(range(1, n))
    assert all(torch.equal(targets, idx + 1) for idx, targets in batches)
    assert all(len(idx) <= batch_size for idx, _ in batches)


ids = st.lists(st.lists(st.integers(0, 999), max_size=20), max_size=20)


@given(ids)
def test_a_token_file_reads_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "tokens.npy"
    flat = [id for run in runs for id in run]
    tokens = write_tokens(iter(runs), path, vocab_size=1000)
    assert len(tokens) == len(flat)
    assert np.asarray(tokens).tolist() == flat
    assert np.load(path).tolist() == flat
    assert np.asarray(tokens[3:-2]).tolist() == flat[3:-2]
    assert np.asarray(tokens[3:][2:]).tolist() == flat[5:]


@pytest.mark.parametrize(
    ("vocab_size", "dtype"), [(256, "uint16"), (65536, "uint16"), (65537, "uint32")]
)
def test_the_vocabulary_decides_the_width(tmp_path: Path, vocab_size: int, dtype: str) -> None:
    tokens = write_tokens([[vocab_size - 1]], tmp_path / "tokens.npy", vocab_size)
    assert tokens.dtype == dtype
    assert np.asarray(tokens).tolist() == [vocab_size - 1]


@pytest.mark.parametrize("order", ["random", "epochs"])
def test_batches_of_a_file_are_those_of_the_array(tmp_path: Path, order: str) -> None:
    array = np.random.default_rng(0).integers(50_000, size=3000)
    file = write_tokens([array[:1000], array[1000:]], tmp_path / "tokens.npy", 50_000)
    for on_disk, in_memory in zip(split(file), split(array), strict=True):
        settings: dict[str, Any] = {"batch_size": 4, "length": 16, "seed": 3, "order": order}
        one, other = Batches(on_disk, **settings), Batches(in_memory, **settings)
        for (idx, targets), (same_idx, same_targets) in islice(zip(one, other, strict=True), 50):
            assert torch.equal(idx, same_idx)
            assert torch.equal(targets, same_targets)


def test_an_id_outside_the_vocabulary_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "tokens.npy"
    with pytest.raises(ValueError, match="token 3 has id 300, outside a vocabulary of 300"):
        write_tokens([[1, 2], [3, 300]], path, vocab_size=300)
    with pytest.raises(ValueError, match="token 0 has id -1, outside"):
        write_tokens([[-1]], path, vocab_size=300)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="vocab_size must be between 1 and"):
        write_tokens([], path, vocab_size=0)


def test_a_file_that_is_no_token_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.npy"
    path.write_text("just text")
    with pytest.raises(ValueError, match=r"tokens\.npy is not a token file"):
        TokenFile(path)
    np.save(path, np.zeros((2, 2), dtype=np.uint16))
    with pytest.raises(ValueError, match=r"it holds uint16 \(2, 2\)"):
        TokenFile(path)
    np.save(path, np.zeros(3))
    with pytest.raises(ValueError, match=r"it holds float64 \(3,\)"):
        TokenFile(path)
    write_tokens([[1, 2, 3]], path, 10)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(ValueError, match="is damaged: 132 bytes instead of 134"):
        TokenFile(path)
    with pytest.raises(FileNotFoundError):
        TokenFile(tmp_path / "none.npy")


def test_a_token_file_has_no_steps(tmp_path: Path) -> None:
    tokens = write_tokens([[1, 2, 3]], tmp_path / "tokens.npy", 10)
    with pytest.raises(ValueError, match="only with step 1"):
        tokens[::2]


def test_writing_and_reading_take_memory_for_a_batch_not_for_the_file(tmp_path: Path) -> None:
    run = np.arange(10_000)
    tracemalloc.start()
    tokens = write_tokens((run for _ in range(2000)), tmp_path / "tokens.npy", 10_000)
    for _ in islice(Batches(tokens, batch_size=8, length=64), 100):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(tokens) * tokens.dtype.itemsize == 40_000_000
    assert peak < 2_000_000
