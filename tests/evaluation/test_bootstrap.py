"""Intervals: against scipy, against every resample there is, and by how often they hold."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gptlib.evaluation import Score, accuracy, difference, interval
from gptlib.evaluation.bootstrap import mean, score, share


def test_the_interval_of_a_mean_is_scipys():
    values = np.random.default_rng(0).exponential(size=80)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    )
    low, high = interval(values, samples=20_000)
    # Both draw at random: at 20,000 resamples an end of the interval varies by about 1% of it.
    room = 0.04 * (high - low)
    assert low == pytest.approx(theirs.confidence_interval.low, abs=room)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=room)


def test_the_interval_of_a_few_is_that_of_all_resamples():
    values = [3.0, 4.0, 8.0, 20.0]
    means = [np.mean(rows) for rows in itertools.product(values, repeat=4)]  # 256 of them
    # Few means are possible, so quantiles that lie inside a step come out exactly.
    found = interval(values, samples=20_000, confidence=0.8)
    assert found == tuple(np.quantile(means, [0.1, 0.9])) == (4.5, 13)


def test_95_of_100_intervals_hold_the_true_mean():
    random = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        low, high = interval(random.normal(5, 2, size=60), samples=300, seed=trial)
        held += low <= 5 <= high
    # 200 draws at 95%: 190, give or take 3; percentile intervals of 60 hold a little less often.
    assert 178 <= held <= 198


def test_a_narrower_confidence_lies_inside():
    values = np.random.default_rng(0).normal(size=50)
    low, high = interval(values)
    inner_low, inner_high = interval(values, confidence=0.5)
    assert low < inner_low < inner_high < high


def test_a_function_of_indexes_gives_what_its_scores_give():
    values = np.random.default_rng(0).normal(size=30)
    assert interval(lambda rows: values[rows].mean(), 30) == interval(values)
    assert interval(lambda rows: np.median(values[rows]), 30) != interval(values)


def test_the_seed_decides_the_draw():
    values = np.random.default_rng(0).normal(size=30)
    assert interval(values, seed=3) == interval(values, seed=3)
    assert interval(values, seed=3) != interval(values, seed=4)


def test_groups_are_drawn_whole():
    # 20 stories whose 10 questions are all right or all wrong hold 20 facts, not 200.
    right = np.repeat(np.random.default_rng(0).integers(2, size=20), 10)
    stories = np.repeat(np.arange(20), 10).tolist()
    low, high = interval(right, groups=stories)
    alone_low, alone_high = interval(right)
    by_story = interval(right[::10])
    assert (high - low) / (alone_high - alone_low) == pytest.approx(np.sqrt(10), rel=0.15)
    assert (low, high) == by_story


def test_groups_of_one_are_no_groups():
    values = np.random.default_rng(0).normal(size=30)
    assert interval(values, groups=list(range(30))) == interval(values)


def test_one_example_or_one_group_tells_nothing_of_others():
    assert str(mean("EM", [100.0])) == "100.0 (n=1)"
    assert str(mean("EM", [100.0, 0.0], groups=["a", "a"])) == "50.0 (n=2)"


def test_resamples_where_a_figure_is_undefined_are_left_out():
    flags = np.array([1.0] + [0.0] * 9)

    def ratio(rows):
        return 7.0 if flags[rows].any() else float("nan")

    found = score("ratio", ratio, 10)
    assert (found.value, found.low, found.high) == (7, 7, 7)
    assert np.isnan(found.resampled).mean() == pytest.approx(0.9**10, abs=0.05)


def test_a_difference_on_the_same_examples_is_surer_than_either():
    random = np.random.default_rng(0)
    hard = random.random(400)
    truth = ["yes"] * 400
    good = np.where(hard < 0.75, "yes", "no").tolist()
    better = np.where(hard < 0.80, "yes", "no").tolist()
    a, b = accuracy(better, truth), accuracy(good, truth)
    found = difference(a, b)
    assert found.value == pytest.approx(a.value - b.value)
    assert a.low < b.high  # side by side they overlap
    assert found.low > 0  # pair by pair there is no doubt
    assert found.name == "difference in accuracy"
    assert difference(b, a).low == -found.high


def test_a_difference_needs_the_same_resamples():
    a = accuracy(["x"] * 5, list("xxyyy"))
    for other in (
        accuracy(["x"] * 6, list("xxyyyy")),
        accuracy(["x"] * 5, list("xxyyy"), seed=1),
        accuracy(["x"] * 5, list("xxyyy"), samples=10),
        accuracy(["x"] * 5, list("xxyyy"), groups=list("aabbc")),
        Score("accuracy", 40, 0, 80, n=5),
    ):
        with pytest.raises(ValueError, match="score the same examples with the same samples"):
            difference(a, other)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_a_share_counts_the_chosen_alone(pairs):
    hits, among = zip(*pairs, strict=True)
    found = share("recall", hits, among, samples=20, groups=list(range(len(pairs))))
    chosen = [hit for hit, counted in pairs if counted]
    assert found.n == len(chosen)
    if chosen:
        assert found.value == pytest.approx(100 * sum(chosen) / len(chosen))
    else:
        assert str(found) == "undefined (n=0)"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"samples": 0}, "samples=0: draw at least one"),
        ({"confidence": 95}, "confidence=95: must lie between 0 and 1"),
        ({"groups": ["a"]}, "1 groups for 3 examples"),
    ],
)
def test_a_resampling_without_sense_is_refused(how, message):
    with pytest.raises(ValueError, match=message):
        interval([1, 2, 3], **how)


def test_no_examples_are_refused():
    with pytest.raises(ValueError, match="no examples"):
        interval([])
    with pytest.raises(ValueError, match="no examples"):
        interval(lambda rows: 0.0)
