"""ROUGE: a small case by hand, the longest common subsequence by a loop, Chinese."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptlib.evaluation import rouge


def values(*arguments, **how):
    return {name: score.value for name, score in rouge(*arguments, samples=5, **how).items()}


def test_lins_example():
    # Lin 2004, section 3.1: S2 and S3 share two bigram-free words with S1, S2 in its order.
    found = values(["police kill the gunman"], ["police killed the gunman"])
    assert found["ROUGE-L"] == pytest.approx(75)
    found = values(["the gunman kill police"], ["police killed the gunman"])
    assert found["ROUGE-L"] == pytest.approx(50)
    assert found["ROUGE-1"] == pytest.approx(75)
    assert found["ROUGE-2"] == pytest.approx(100 / 3)  # the gunman, of three bigrams each


def test_stems_are_words_cut_short():
    assert values(["the dogs barked"], ["the dog barks"])["ROUGE-1"] == pytest.approx(100 / 3)
    assert values(["the dogs barked"], ["the dog barks"], stem=True)["ROUGE-1"] == pytest.approx(
        100
    )


words = st.lists(st.sampled_from("abcd"), min_size=1, max_size=7)


def longest_common(a, b):
    """The longest common subsequence, by trying every subsequence."""
    for n in range(min(len(a), len(b)), 0, -1):
        if set(combinations(a, n)) & set(combinations(b, n)):
            return n
    return 0


@given(words, words)
def test_rouge_l_is_the_f1_of_the_longest_common_subsequence(mine, theirs):
    wanted = 200 * longest_common(mine, theirs) / (len(mine) + len(theirs))
    assert values([" ".join(mine)], [" ".join(theirs)])["ROUGE-L"] == pytest.approx(wanted)
    # The same symbols as Chinese characters, which have no spaces.
    chinese = str.maketrans("abcd", "小女孩球")
    mine, theirs = ("".join(text).translate(chinese) for text in (mine, theirs))
    assert values([mine], [theirs], unit="characters")["ROUGE-L"] == pytest.approx(wanted)


def test_chinese_words_are_refused_rather_than_scored_0():
    with pytest.raises(
        ValueError, match=r"reference 1, '小女孩。', has none of the words.*characters"
    ):
        rouge(["a girl", "小女孩。"], ["a girl", "小女孩。"])


def test_an_empty_summary_scores_0():
    assert set(values(["", "a b"], ["a b", ""]).values()) == {0}


def test_the_score_is_the_mean_over_summaries_with_its_interval():
    found = rouge(["a b", "c d", "e f"], ["a b", "x y", "e z"])["ROUGE-1"]
    assert (found.name, found.n) == ("ROUGE-1", 3)
    assert found.value == pytest.approx(50)
    assert found.low < 50 < found.high


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="unit='tokens': use one of words, characters"):
        rouge(["a"], ["a"], unit="tokens")
    with pytest.raises(ValueError, match="stem=True"):
        rouge(["a"], ["a"], unit="characters", stem=True)
    with pytest.raises(ValueError, match="1 predictions and 2 references"):
        rouge(["a"], ["a", "b"])
