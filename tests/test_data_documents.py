"""Batches of whole documents: every token a target once, each row a document from its start."""

import numpy as np
import pytest
import torch

from gptlib.data import Documents

END = 9
LENGTHS = [3, 1, 7, 2, 2, 5, 4, 1, 6, 3, 12, 8]


def corpus(lengths: list[int] = LENGTHS) -> tuple[list[list[int]], torch.Tensor]:
    rng = np.random.default_rng(0)
    documents = [[*rng.integers(0, 8, n - 1).tolist(), END] for n in lengths]
    return documents, torch.tensor([token for document in documents for token in document])


def read(row: torch.Tensor, targets: torch.Tensor) -> list[int]:
    """The document that a row's targets spell."""
    return targets[targets != -100].tolist()


def test_every_document_comes_once_an_epoch_from_its_first_token() -> None:
    documents, tokens = corpus()
    batches = Documents(tokens, END, batch_size=4, seed=3)
    for _ in range(3):
        seen = []
        for _ in range(3):
            idx, targets = next(batches)
            assert idx.shape == targets.shape
            assert idx.shape[1] % 8 == 0
            assert (idx[:, 0] == END).all()
            for row, target in zip(idx, targets, strict=True):
                n = int((target != -100).sum())
                assert row[1:n].tolist() == target[: n - 1].tolist()
                seen.append(read(row, target))
        assert sorted(seen) == sorted(documents)


def test_in_order_gives_each_document_once_even_the_last_few() -> None:
    documents, tokens = corpus()
    found = [
        read(row, target)
        for idx, targets in Documents(tokens, END, batch_size=5).in_order()
        for row, target in zip(idx, targets, strict=True)
    ]
    assert found == documents


def test_bare_rows_begin_with_the_first_token_itself() -> None:
    documents, tokens = corpus([6] * 200)
    idx, targets = next(Documents(tokens, END, batch_size=200, bare=0.25))
    bare = idx[:, 0] != END
    assert 30 <= bare.sum() <= 70  # 50 expected, standard deviation 6
    known = {tuple(document) for document in documents}
    for row, target, is_bare in zip(idx, targets, bare, strict=True):
        read_here = read(row, target)
        assert tuple([row[0].item(), *read_here] if is_bare else read_here) in known
    every = next(Documents(tokens, END, batch_size=200, bare=1.0))[0]
    assert (every[:, 0] != END).all()


def test_documents_of_like_length_come_together() -> None:
    rng = np.random.default_rng(1)
    _, tokens = corpus(rng.integers(2, 200, 6400).tolist())
    batches = Documents(tokens, END, batch_size=16)
    filled = [(next(batches)[1] == -100).float().mean().item() for _ in range(100)]
    assert np.mean(filled) < 0.1  # in random order it would be a half
    lengths = [next(batches)[0].shape[1] for _ in range(30)]
    assert len(set(lengths)) > 5, "batches must not come sorted"


def test_a_document_longer_than_allowed_is_cut() -> None:
    _, tokens = corpus([30, 4])
    idx, targets = next(Documents(tokens, END, batch_size=2, longest=10))
    assert idx.shape == targets.shape == (2, 10)


def test_it_goes_on_where_it_stood() -> None:
    _, tokens = corpus([5] * 300)
    one = Documents(tokens, END, batch_size=2, seed=1, bare=0.5)
    for _ in range(150 + 77):  # in the second epoch, in its second pool
        next(one)
    other = Documents(tokens, END, batch_size=2, seed=1, bare=0.5)
    other.load_state_dict(one.state_dict())
    for _ in range(100):
        for mine, theirs in zip(next(one), next(other), strict=True):
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "cannot go on: seed was 1, now 2"),
        ({"batch_size": 4}, "cannot go on: batch_size was 2, now 4"),
        ({"bare": 0.5}, "cannot go on: bare was 0.0, now 0.5"),
    ],
)
def test_another_order_cannot_go_on(change: dict[str, float], message: str) -> None:
    _, tokens = corpus()
    saved = Documents(tokens, END, batch_size=2, seed=1).state_dict()
    other = Documents(tokens, END, **({"batch_size": 2, "seed": 1} | change))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        other.load_state_dict(saved)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"batch_size": 2, "bare": 2.0}, "bare must be between 0 and 1, not 2.0"),
        ({"batch_size": 13}, "12 documents are too few for a batch of 13"),
    ],
)
def test_bad_arguments(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Documents(corpus()[1], END, **arguments)  # type: ignore[arg-type]


def test_a_text_without_separators_has_no_documents() -> None:
    with pytest.raises(ValueError, match="0 documents are too few"):
        Documents(torch.arange(5), END, batch_size=1)
