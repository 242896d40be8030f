"""Recall, MRR and nDCG: scikit-learn's where it has them, the definition where not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score

from gptlib.evaluation import mrr, ndcg, ranked, recall_at

# A permutation of documents, and a grade for each, not all 0.
queries = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        st.permutations(range(n)),
        st.lists(st.integers(0, 3), min_size=n, max_size=n).filter(any),
    )
)


@given(queries, st.integers(1, 14))
def test_ndcg_is_scikit_learns(query, k):
    ranking, grades = query
    scores = np.empty(len(ranking))
    scores[ranking] = -np.arange(len(ranking))
    relevant = [{document: grade for document, grade in enumerate(grades) if grade}]
    assert ndcg([ranking], relevant, k).value == pytest.approx(
        100 * ndcg_score([grades], [scores], k=k)
    )
    gains = [2**grade - 1 for grade in grades]
    assert ndcg([ranking], relevant, k, gain="exponential").value == pytest.approx(
        100 * ndcg_score([gains], [scores], k=k)
    )


@given(queries)
def test_with_one_relevant_document_mrr_is_mean_average_precision(query):
    ranking, grades = query
    best = int(np.argmax(grades))
    scores = np.empty(len(ranking))
    scores[ranking] = -np.arange(len(ranking))
    truth = [[document == best for document in range(len(ranking))]]
    assert mrr([ranking], [{best: 1}]).value == pytest.approx(
        100 * label_ranking_average_precision_score(truth, [scores])
    )


def test_small_cases():
    ranking, grades = ["d", "a", "c", "b"], {"a": 1, "b": 3, "x": 2}
    assert recall_at([ranking], [grades], k=2).value == pytest.approx(100 / 3)
    assert recall_at([ranking], [grades], k=4).value == pytest.approx(200 / 3)
    assert recall_at([ranking], [grades], k=4, least=2).value == 50
    assert mrr([ranking], [grades]).value == 50
    assert mrr([ranking], [grades], least=3).value == 25
    assert mrr([ranking], [{"x": 1}]).value == 0
    # 0, 1, 0, 3 against 3, 2, 1.
    wanted = (1 / np.log2(3) + 3 / np.log2(5)) / (3 + 2 / np.log2(3) + 1 / 2)
    assert ndcg([ranking], [grades]).value == pytest.approx(100 * wanted)


def test_scores_are_means_over_queries():
    rankings, relevant = [["a", "b"], ["a", "b"]] * 20, [{"a": 1}, {"b": 1}] * 20
    for metric, value in ((mrr, 75), (ndcg, 50 * (1 + 1 / np.log2(3)))):
        found = metric(rankings, relevant)
        assert found.value == pytest.approx(value)
        assert found.n == 40
        assert found.low < found.value < found.high
    assert recall_at(rankings, relevant, k=1).value == 50
    assert recall_at(rankings, relevant, k=1).name == "recall@1"


def test_ties_keep_the_documents_order():
    assert ranked(["a", "b", "c", "d"], [1, 2, 1, 2]) == ["b", "d", "a", "c"]
    with pytest.raises(ValueError, match="1 scores for 2 documents"):
        ranked(["a", "b"], [1])


@pytest.mark.parametrize("metric", [recall_at, mrr, ndcg])
def test_bad_input_is_named(metric):
    with pytest.raises(ValueError, match="2 predictions and 1 references"):
        metric([["a"], ["b"]], [{"a": 1}])
    with pytest.raises(ValueError, match=r"query 1.*no document twice"):
        metric([["a"], ["b", "b"]], [{"a": 1}, {"b": 1}])
    with pytest.raises(ValueError, match="query 0: a ranking is a list"):
        metric(["ab"], [{"a": 1}])
    with pytest.raises(ValueError, match=r"query 1 has no .*: leave it out"):
        metric([["a"], ["b"]], [{"a": 1}, {"b": 0}])
    with pytest.raises(ValueError, match="query 0: grades must be 0 or more"):
        metric([["a"]], [{"a": -1}])
    with pytest.raises(ValueError, match="nothing to score"):
        metric([], [])


def test_settings_without_sense_are_refused():
    with pytest.raises(ValueError, match="k=0"):
        ndcg([["a"]], [{"a": 1}], k=0)
    with pytest.raises(ValueError, match="gain='square': use one of linear, exponential"):
        ndcg([["a"]], [{"a": 1}], gain="square")
    with pytest.raises(ValueError, match="least=0"):
        recall_at([["a"]], [{"a": 1}], least=0)
