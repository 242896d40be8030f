"""Entities: spans and their F1 as seqeval has them."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.metrics import accuracy_score

from gptlib.evaluation import span_f1, spans, tag_accuracy

TAGS = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
pairs = st.lists(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(*[st.lists(st.sampled_from(TAGS), min_size=n, max_size=n)] * 2)
    ),
    min_size=1,
    max_size=6,
)


@given(st.lists(st.sampled_from(TAGS), max_size=12))
def test_spans_are_seqevals(tags):
    theirs = [(label, start, last + 1) for label, start, last in get_entities(tags)]
    assert [tuple(span) for span in spans(tags)] == theirs


@given(pairs)
def test_f1_is_seqevals(sentences):
    mine, theirs = map(list, zip(*sentences, strict=True))
    found = span_f1(mine, theirs, samples=5)
    if not any(spans(tags) for tags in mine + theirs):
        assert found.cell == "undefined"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels that nobody predicted
        assert found.value == pytest.approx(100 * f1_score(theirs, mine))


@given(pairs)
def test_accuracy_is_scikit_learns_over_all_tokens(sentences):
    mine, theirs = map(list, zip(*sentences, strict=True))
    flat = [[tag for tags in side for tag in tags] for side in (theirs, mine)]
    assert tag_accuracy(mine, theirs, samples=5).value == pytest.approx(100 * accuracy_score(*flat))


def test_an_entity_counts_if_label_and_both_ends_are_right():
    right = [["B-PER", "I-PER", "O", "B-LOC"]]
    for said, value in [
        (["B-PER", "I-PER", "O", "B-LOC"], 100),
        (["B-PER", "O", "O", "B-LOC"], 50),  # one end is wrong: one of two, one of two
        (["B-LOC", "I-LOC", "O", "B-LOC"], 50),
        (["O", "O", "O", "B-LOC"], 200 / 3),  # all that is found is right: 1 and 1/2
        (["O", "O", "O", "O"], 0),
    ]:
        assert span_f1([said], right).value == pytest.approx(value)


def test_the_f1_of_one_label_counts_its_entities_alone():
    said, right = [["B-PER", "B-LOC", "O"]], [["B-PER", "O", "B-LOC"]]
    assert span_f1(said, right, label="PER").value == 100
    assert span_f1(said, right, label="LOC").value == 0
    assert span_f1(said, right, label="PER").name == "F1 of PER"


def test_sentences_are_resampled():
    said = [["B-PER", "B-PER"], ["O", "B-LOC"], ["B-LOC", "O"]] * 10
    right = [["B-PER", "B-PER"], ["B-LOC", "O"], ["B-LOC", "O"]] * 10
    found = span_f1(said, right)
    assert found.n == 30
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([["O"]], "1 predictions and 2 references"),
        ([["O"], ["O", "O", "O"]], "sentence 1: 3 tags for 2 tokens"),
        ([["O"], "OO"], "sentence 1: tags are one text"),
        ([["O"], ["O", "PER"]], "sentence 1, token 1: tag 'PER' is neither"),
        ([["O"], ["O", "B-"]], "sentence 1, token 1: tag 'B-' is neither"),
        ([["E-PER"], ["O", "O"]], "sentence 0, token 0: tag 'E-PER' is neither"),
    ],
)
def test_bad_tags_are_named(said, message):
    with pytest.raises(ValueError, match=message):
        span_f1(said, [["O"], ["O", "B-LOC"]])
