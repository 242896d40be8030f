"""Stages: how much comes from where, when, and going on after a stop."""

from collections import Counter
from typing import Any

import pytest
import torch

from gptlib.data import Batches, Documents, Stages


def sources() -> dict[str, Any]:
    """Batches that say where they come from: all tokens of a source are its number."""
    return {
        "a": Batches(torch.full((50,), 1), batch_size=2, length=4),
        "b": Batches(torch.full((50,), 2), batch_size=2, length=4),
        "c": Documents(torch.tensor([3, 0] * 9), 0, batch_size=3),
    }


def origins(batches: Stages, n: int) -> list[str]:
    return ["?abc"[int(next(batches)[1].max())] for _ in range(n)]


def test_each_stage_lasts_and_the_last_one_never_ends() -> None:
    batches = Stages(sources(), [(5, {"a": 1.0}), (3, {"b": 1.0}), (1, {"c": 1.0})])
    assert "".join(origins(batches, 20)) == "aaaaabbb" + 12 * "c"


def test_shares_are_kept_and_mixed() -> None:
    found = origins(Stages(sources(), [(1, {"a": 0.2, "b": 0.5, "c": 0.3})]), 1000)
    counts = Counter(found)
    for name, share in (("a", 0.2), ("b", 0.5), ("c", 0.3)):
        assert abs(counts[name] - 1000 * share) < 60  # four standard deviations
    assert len(set(found[:30])) == 3, "sources must alternate, not follow each other"


def test_it_goes_on_where_it_stood() -> None:
    stages = [(10, {"a": 1.0}), (10, {"a": 0.5, "c": 0.5})]
    tokens = torch.arange(2000)
    one, other = (
        Stages({"a": Batches(tokens, batch_size=2, length=4), "c": sources()["c"]}, stages, seed=4)
        for _ in range(2)
    )
    for _ in range(14):
        next(one)
    other.load_state_dict(one.state_dict())
    for _ in range(20):
        for mine, theirs in zip(next(one), next(other), strict=True):
            assert torch.equal(mine, theirs)


def test_other_sources_cannot_go_on() -> None:
    saved = Stages(sources(), [(1, {"a": 1.0})], seed=1).state_dict()
    with pytest.raises(ValueError, match="the seed or the sources were others"):
        Stages(sources(), [(1, {"a": 1.0})], seed=2).load_state_dict(saved)
    with pytest.raises(ValueError, match="the seed or the sources were others"):
        Stages({"a": sources()["a"]}, [(1, {"a": 1.0})], seed=1).load_state_dict(saved)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "there is no stage"),
        ([(0, {"a": 1.0})], "stage 1 lasts 0 batches"),
        ([(1, {"a": 1.0}), (1, {"d": 1.0})], "stage 2 draws from 'd', which is no source"),
        ([(1, {"a": 0.5, "b": 0.4})], "the shares of stage 1 sum to 0.9"),
    ],
)
def test_bad_stages(stages: list[tuple[int, dict[str, float]]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Stages(sources(), stages)
