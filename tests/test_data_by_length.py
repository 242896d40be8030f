"""Which rows make a batch: each once an epoch, like with like, and the same on every machine."""

import numpy as np
import pytest

from gptlib.data import Documents
from gptlib.data.by_length import POOL, ByLength

LENGTHS = np.random.default_rng(1).integers(2, 200, 3 * POOL * 4 + 40 * 4 + 3)  # 4 pools, 3 over


def test_an_epoch_gives_each_row_once_in_full_batches() -> None:
    order = ByLength(LENGTHS, batch_size=4, seed=5)
    assert len(order) == 3 * POOL + 40
    before: list[int] = []
    for epoch in range(2):
        batches = [order.rows(epoch * len(order) + place) for place in range(len(order))]
        assert {len(batch) for batch in batches} == {4}
        seen = np.concatenate(batches).tolist()
        assert len(set(seen)) == len(seen) == len(LENGTHS) - 3
        assert seen != before
        before = seen


def test_rows_of_like_length_come_together_and_batches_do_not_come_sorted() -> None:
    order = ByLength(LENGTHS, batch_size=4)
    lengths = [LENGTHS[order.rows(place)] for place in range(POOL)]
    assert np.mean([np.ptp(batch) for batch in lengths]) < 5  # of 4 rows at random: about 119
    means = [batch.mean() for batch in lengths]
    assert np.abs(np.corrcoef(means, range(POOL))[0, 1]) < 0.5


def test_batches_do_not_depend_on_what_was_asked_before() -> None:
    forwards, backwards = ByLength(LENGTHS, 4, seed=2), ByLength(LENGTHS, 4, seed=2)
    numbers = [0, 1, POOL, 3 * POOL + 39, 3 * POOL + 40, 5 * POOL]
    theirs = {n: backwards.rows(n).tolist() for n in reversed(numbers)}
    assert all(forwards.rows(n).tolist() == theirs[n] for n in numbers)
    assert ByLength(LENGTHS, 4, seed=3).rows(0).tolist() != theirs[0]


def test_a_saved_position_means_the_same_batches_in_later_releases() -> None:
    order = ByLength([3, 1, 7, 2, 2, 5, 4, 1, 6, 3, 12, 8], batch_size=3, seed=3)
    assert [order.rows(n).tolist() for n in range(5)] == [
        [7, 1, 4], [2, 11, 10], [6, 5, 8], [3, 0, 9], [6, 5, 8],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("batch_size", "message"),
    [
        (0, "batch_size must be at least 1, not 0"),
        (4, "3 rows are too few for a batch of 4"),
    ],
)
def test_bad_arguments(batch_size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ByLength([1, 2, 3], batch_size)


def test_documents_come_in_this_order() -> None:
    lengths = [3, 1, 7, 2, 2, 5]
    tokens = np.concatenate([[*range(n * 10 + 1, n * 10 + k), 0] for n, k in enumerate(lengths)])
    documents = Documents(tokens, 0, batch_size=2, seed=4)
    for number, (_, targets) in zip(range(9), documents, strict=False):
        rows = ByLength(lengths, 2, seed=4).rows(number)
        assert [int((row != -100).sum()) for row in targets] == [lengths[row] for row in rows]
