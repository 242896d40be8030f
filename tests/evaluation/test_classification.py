"""Accuracy, macro F1 and confusion: scikit-learn's own figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from gptlib.evaluation import accuracy, confusion, macro_f1

LABELS = ["bad", "good", "so-so"]
pairs = st.lists(
    # A language model may also say what is no label.
    st.tuples(st.sampled_from([*LABELS, "what?"]), st.sampled_from(LABELS)),
    min_size=1,
    max_size=25,
)


@given(pairs)
def test_figures_are_scikit_learns(examples):
    mine, theirs = map(list, zip(*examples, strict=True))
    labels = sorted(set(theirs))
    assert accuracy(mine, theirs, samples=5).value == pytest.approx(
        100 * metrics.accuracy_score(theirs, mine)
    )
    assert macro_f1(mine, theirs, samples=5).value == pytest.approx(
        100 * metrics.f1_score(theirs, mine, labels=labels, average="macro", zero_division=0)
    )
    counted = confusion(mine, theirs, LABELS).counts
    known = [*LABELS, "what?"]
    assert (counted == metrics.confusion_matrix(theirs, mine, labels=known)[:-1]).all()


def test_a_rare_class_counts_as_much_as_a_common_one():
    mine, theirs = ["good"] * 20, ["good"] * 18 + ["bad"] * 2
    assert accuracy(mine, theirs).value == 90
    assert macro_f1(mine, theirs).value == pytest.approx(100 * (36 / 38) / 2)


def test_examples_are_resampled():
    mine, theirs = ["good", "bad", "bad", "good"] * 10, ["good", "bad", "good", "good"] * 10
    for metric in (accuracy, macro_f1):
        found = metric(mine, theirs)
        assert found.n == 40
        assert found.low < found.value < found.high


def test_a_confusion_prints_as_a_table():
    counted = confusion(["good", "bad", "bad"], ["good", "good", "bad"])
    assert str(counted).splitlines() == ["      bad  good", "bad     1     0", "good    1     1"]
    counted = confusion(["good", "?"], ["good", "good"], ["good", "bad"])
    assert str(counted).splitlines() == [
        "      good  bad  (other)",
        "good     1    0        1",
        "bad      0    0        0",
    ]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="reference 1 is 'odd', none of the labels good, bad"):
        confusion(["good", "bad"], ["good", "odd"], ["good", "bad"])
    with pytest.raises(ValueError, match="reference 0 is 'odd', none of the labels good"):
        macro_f1(["good"], ["odd"], ["good"])
    for metric in (accuracy, macro_f1, confusion):
        with pytest.raises(ValueError, match="2 predictions and 1 references"):
            metric(["good", "bad"], ["good"])
        with pytest.raises(ValueError, match="nothing to score"):
            metric([], [])
