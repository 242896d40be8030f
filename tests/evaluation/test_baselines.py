"""Methods without a model, on cases small enough to see, and against other implementations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from gptlib.evaluation.baselines import (
    BM25,
    CommonAnswer,
    Majority,
    NearestNeighbour,
    WordByWord,
    WordTags,
    WordVote,
    drawn,
    first_entities,
    lead,
)
from gptlib.evaluation.baselines.sentences import sentences
from gptlib.evaluation.baselines.words import words


def test_majority():
    assert Majority(["a", "b", "b"]).predict(["x", "y"]) == ["b", "b"]
    with pytest.raises(ValueError, match="no labels"):
        Majority([])


def test_words_vote_with_the_labels_they_stood_in():
    vote = WordVote(["a lovely day", "a sad day", "a grey day"], ["good", "bad", "bad"])
    assert vote.predict(["lovely", "Sad!", "a day", "sad and lovely", "unseen"]) == [
        "good",
        "bad",
        "bad",  # two in three of either word's texts
        "bad",  # a tie: the first by alphabet
        "bad",  # no word is known: the commonest
    ]


def test_word_tags_are_the_commonest_of_each_token():
    tagger = WordTags(
        [["The", "run", "ends"], ["They", "run"], ["they", "run"]],
        [["DET", "NOUN", "VERB"], ["PRON", "VERB"], ["PRON", "VERB"]],
    )
    assert tagger.predict([["the", "run"], ["unseen"]]) == [["DET", "VERB"], ["VERB"]]
    with pytest.raises(ValueError, match="2 predictions and 1 references"):
        WordTags([["a", "b"]], [["DET"]])


STORY = (
    'One day, Mrs Appleby went out. "Where is my hat?" she asked. It was 3.5 miles away!\n\n'
    "Nobody knew (not even Tom.) So they slept"
)


def test_sentences():
    assert sentences(STORY) == [
        "One day, Mrs Appleby went out.",
        '"Where is my hat?"',
        "she asked.",
        "It was 3.5 miles away!",
        "Nobody knew (not even Tom.)",
        "So they slept",
    ]
    assert sentences("他跑了。“真的吗？”她问。") == ["他跑了。", "“真的吗？”", "她问。"]
    assert sentences("") == []


@given(st.text("ab. !\n。", max_size=30))
def test_sentences_lose_nothing_but_spaces(text):
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_lead_and_drawn_sentences():
    assert lead([STORY], 1) == ["One day, Mrs Appleby went out."]
    assert lead(["Short."]) == drawn(["Short."]) == ["Short."]
    found = {text for seed in range(40) for text in drawn([STORY], 2, seed)}
    own = sentences(STORY)
    both = {f"{own[i]} {own[j]}" for i in range(6) for j in range(i + 1, 6)}
    assert found <= both
    assert len(found) > 10  # of 15
    assert drawn([STORY, STORY], 2, 1) == drawn([STORY], 2, 1) * 2


def test_the_common_answer_goes_by_the_first_word():
    common = CommonAnswer(
        ["Who ran?", "Who hid?", "Where is it?", "Who won?", "Did he?", "Did she?"],
        ["Ben", "Ben", "the park", "Tom", "yes", "yes"],
    )
    asked = ["who fell?", "Did it?", "Where was it?", "How?"]
    assert common.predict(asked) == ["Ben", "yes", "the park", "Ben"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (STORY, "Mrs Appleby"),
        ("Once there was a boy named Ben. He ran.", "Ben"),
        ("It was Lily's hat.", "Lily"),
        ("He said that I ran to Tom.", "Tom"),
        ('"No," said Mum.', "Mum"),
        ("Nobody was there. It rained.", ""),
        ("", ""),
    ],
)
def test_the_first_entity_is_the_first_name_inside_a_sentence(text, name):
    assert first_entities([text]) == [name]


def test_the_nearest_neighbour_has_the_largest_cosine():
    inputs = ["the boy ran", "the girl ran home", "the dog slept", "I ran"]
    nearest = NearestNeighbour(inputs, list("abcd"))
    asked = ["the girl went home", "dog", "I", "unseen"]
    assert nearest.predict(asked) == ["b", "c", "d", "a"]

    def vector(text):
        # Scikit-learn's smoothed idf: ln((1 + N) / (1 + n)) + 1.
        vocabulary = sorted({word for text in inputs for word in words(text)})
        holding = [sum(word in words(text) for text in inputs) for word in vocabulary]
        idf = [math.log((1 + len(inputs)) / (1 + n)) + 1 for n in holding]
        found = np.array([words(text).count(w) * i for w, i in zip(vocabulary, idf, strict=True)])
        return found / (np.linalg.norm(found) or 1)

    best = [int(np.argmax([vector(text) @ vector(other) for other in inputs])) for text in asked]
    assert nearest.nearest(asked, batch_size=3) == best


documents = st.lists(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8), min_size=1, max_size=7
)


@given(documents, st.lists(st.sampled_from("abcdefg"), max_size=5))
def test_bm25_is_rank_bm25s_with_lucenes_idf(docs, query):
    ours = BM25([" ".join(doc) for doc in docs], k1=1.5, b=0.6)
    theirs = BM25Okapi(docs, k1=1.5, b=0.6)
    theirs.idf = {word: ours.idf(sum(word in doc for doc in docs)) for word in "abcdefg"}
    # Theirs has a constant factor k1 + 1, which ranks nothing differently.
    wanted = theirs.get_scores(query) / (1.5 + 1)
    np.testing.assert_allclose(ours.scores(" ".join(query)), wanted, atol=1e-12)


def test_bm25_by_its_formula():
    search = BM25(["red ball", "the red red hat of Tom", "a hat"])
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    lengths, tf = [2, 6, 2], [1, 2, 0]
    wanted = [
        idf * n / (n + 1.2 * (0.25 + 0.75 * length / (10 / 3)))
        for length, n in zip(lengths, tf, strict=True)
    ]
    np.testing.assert_allclose(search.scores("Red?"), wanted)
    assert search.rank("hat of tom") == [1, 2, 0]
    assert search.rank("unseen") == [0, 1, 2]
    assert (search.scores("red") >= 0).all()


def test_bm25_refuses_what_makes_no_sense():
    with pytest.raises(ValueError, match="no documents"):
        BM25([])
    with pytest.raises(ValueError, match="k1=-1"):
        BM25(["a"], k1=-1)
    with pytest.raises(ValueError, match="b=2"):
        BM25(["a"], b=2)


PAIRS = [
    ("The boy ran.", "男孩跑了。"),
    ("The girl ran.", "女孩跑了。"),
    ("The boy slept, and the girl sang.", "男孩睡了，女孩唱了歌。"),
    ("The dog sang!", "小狗唱了歌！"),
    ("A dog slept.", "小狗睡了。"),
    ("A dog ran.", "小狗跑了。"),
]


def test_words_are_translated_by_what_comes_with_them():
    translator = WordByWord(*zip(*PAIRS, strict=True))
    assert {word: translator.table[word] for word in ("boy", "girl", "dog", "ran")} == {
        "boy": "男孩",
        "girl": "女孩",
        "dog": "小狗",
        "ran": "跑了",
    }
    assert translator.table["sang"] == "唱了歌"
    # `a` comes with the dog alone, and is taken for it; what was never seen is left out.
    assert translator.predict(["Boy, girl!", "A cat ran."]) == ["男孩，女孩！", "小狗跑了。"]


def test_a_word_that_goes_with_nothing_has_no_translation():
    assert "the" in WordByWord(*zip(*PAIRS, strict=True), least=0.3).table
    strict = WordByWord(*zip(*PAIRS, strict=True), least=0.99)
    assert "slept" in strict.table
    assert "the" not in strict.table
    with pytest.raises(ValueError, match="1 predictions and 2 references"):
        WordByWord(["a"], ["一", "二"])
