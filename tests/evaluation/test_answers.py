"""EM and F1, by the definitions of the SQuAD papers."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptlib.evaluation import (
    answer_f1,
    exact_match,
    unanswerable_precision,
    unanswerable_recall,
)
from gptlib.evaluation.answers import matches, normalise, overlap


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The Old Oak", "old oak"),
        ("  a\tred \n ball. ", "red ball"),
        ("theatre", "theatre"),  # an article is a word
        ("An apple, an idea; THE end!", "apple idea end"),
        ("Lily's", "lilys"),
        ("well-known", "wellknown"),
        ("a the an", ""),
        ("«été»", "«été»"),  # only ASCII punctuation goes
    ],
)
def test_normalisation(text, plain):
    assert normalise(text) == plain


@pytest.mark.parametrize(
    ("prediction", "reference", "exact", "shared"),
    [
        ("the red ball", "A red ball!", 1, 1),
        ("red ball", "ball", 0, 2 / 3),  # precision 1/2, recall 1
        ("in the old park", "park", 0, 1 / 2),  # in, old, park: 1/3 and 1
        ("ball ball", "ball", 0, 2 / 3),  # a word counts as often as both have it
        ("dog", "cat", 0, 0),
        ("", "", 1, 1),
        ("", "cat", 0, 0),
        ("cat", "", 0, 0),
        ("the", "", 1, 1),  # nothing is left of it
        ("Tom", ["Ben", "Tom"], 1, 1),
        ("old Tom", ["Ben", "Tom", "old Tom Brown"], 0, 4 / 5),  # the best one counts
    ],
)
def test_exact_match_and_f1_of_one_question(prediction, reference, exact, shared):
    assert matches(prediction, reference) == exact
    assert overlap(prediction, reference) == pytest.approx(shared)
    assert exact_match([prediction], [reference]).value == 100 * exact
    assert answer_f1([prediction], [reference]).value == pytest.approx(100 * shared)


words = st.lists(st.sampled_from(["red", "Red", "ball", "the", "oak", "ball."]), max_size=6)


@given(words, words)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(mine, theirs):
    mine, theirs = " ".join(mine), " ".join(theirs)
    said, right = Counter(normalise(mine).split()), Counter(normalise(theirs).split())
    shared = sum(min(said[word], right[word]) for word in said)
    if not said or not right:
        wanted = float(said == right)
    elif not shared:
        wanted = 0.0
    else:
        precision, recall = shared / sum(said.values()), shared / sum(right.values())
        wanted = 2 * precision * recall / (precision + recall)
    assert overlap(mine, theirs) == pytest.approx(wanted)
    assert overlap(theirs, mine) == overlap(mine, theirs)
    assert matches(mine, theirs) <= overlap(mine, theirs) <= 1


def test_scores_are_means_over_questions():
    predictions = ["Ben", "red ball", "", "park"]
    references = ["ben", "ball", "", "tree"]
    assert exact_match(predictions, references).value == 50
    assert answer_f1(predictions, references).value == pytest.approx(100 * (1 + 2 / 3 + 1 + 0) / 4)
    found = exact_match(predictions, references, groups=["a", "a", "b", "b"])
    assert (found.name, found.n, found.low, found.high) == ("EM", 4, 50, 50)


def test_unanswerable_recall_and_precision_equal_scikit_learns():
    from sklearn.metrics import precision_score, recall_score

    predictions = ["", "", "Ben", "", "Tom", "the", ""]
    references = ["", "Ben", "", "", ["Tom"], "", ["", "the"]]
    silent = [not normalise(text) for text in predictions]
    right = [True, False, True, True, False, True, True]
    recall = unanswerable_recall(predictions, references)
    precision = unanswerable_precision(predictions, references, groups=list("aabbccd"))
    assert recall.value == pytest.approx(100 * recall_score(right, silent))
    assert precision.value == pytest.approx(100 * precision_score(right, silent))
    assert (recall.n, precision.n) == (5, 5)


def test_without_unanswerable_questions_their_recall_is_undefined():
    assert str(unanswerable_recall(["Ben"], ["Ben"])) == "undefined (n=0)"
    assert str(unanswerable_precision(["Ben"], ["Ben"])) == "undefined (n=0)"


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        (["Ben"], ["Ben", "Tom"], "1 predictions and 2 references"),
        ([], [], "nothing to score"),
        ("Ben", ["Ben"], "predictions is one string, 'Ben'"),
        (["Ben", None], ["Ben", "Tom"], "question 1: None is no text"),
        (["Ben"], [None], "question 0: None is no text"),
        (["Ben", "Tom"], ["Ben", []], "question 1 has no reference"),
        (["Ben"], [["Ben", 3]], "question 0: 3 is no text"),
    ],
)
def test_bad_input_is_named(predictions, references, message):
    for metric in (exact_match, answer_f1, unanswerable_recall, unanswerable_precision):
        with pytest.raises(ValueError, match=message):
            metric(predictions, references)
