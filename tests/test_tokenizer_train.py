"""Learning merges, against `tokenizers` and against a slow version that recounts everything."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptlib import storyworld
from gptlib.data import corpus
from gptlib.tokenizer import BYTE_ORDER, PATTERN, Tokenizer, from_visible, pretokenize

Merges = list[tuple[bytes, bytes]]


def hugging_faces_merges(texts: Sequence[str], vocab_size: int) -> Merges:
    """The merges that `tokenizers` learns; its vocabulary here has no special token."""
    tokenizers = pytest.importorskip("tokenizers")
    byte_level = tokenizers.pre_tokenizers.ByteLevel
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = byte_level(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=byte_level.alphabet(), show_progress=False
    )
    model.train_from_iterator(texts, trainer)
    merges = json.loads(model.to_str())["model"]["merges"]
    return [(from_visible(left), from_visible(right)) for left, right in merges]


def recounted_merges(text: str, n_merges: int) -> Merges:
    """Byte-pair encoding as it is defined: count every pair, merge the best, begin again."""
    words = [[bytes([byte]) for byte in word.encode()] for word in pretokenize(text)]
    id_of = {bytes([byte]): id for id, byte in enumerate(BYTE_ORDER)}
    merges: Merges = []
    while len(merges) < n_merges:
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            break
        # The most frequent; of those the one with the smaller ids.
        best = min(counts, key=lambda pair: (-counts[pair], id_of[pair[0]], id_of[pair[1]]))
        merges.append(best)
        id_of[best[0] + best[1]] = len(id_of)
        for word in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = [best[0] + best[1]]
                i += 1
    return merges


@pytest.fixture(scope="module")
def docs() -> str:
    return corpus("python-docs")


@pytest.mark.parametrize("vocab_size", [1024, 4096])
def test_merges_on_pythons_documentation_are_those_of_tokenizers(
    docs: str, vocab_size: int
) -> None:
    ours = Tokenizer.train(docs, vocab_size, special_tokens=[])
    assert len(ours.merges) == vocab_size - 256
    assert ours.merges == hugging_faces_merges([docs], vocab_size)


def test_merges_on_the_story_corpus_are_those_of_tokenizers() -> None:
    """In English, and in Chinese, where words are long and characters have three bytes."""
    told = list(storyworld.stories(1000, level="full"))
    for texts in ([story.text for story in told], [story.zh for story in told]):
        ours = Tokenizer.train(texts, 1500, special_tokens=[])
        assert len(ours.merges) > 1000
        assert ours.merges == hugging_faces_merges(texts, 1500)


# Few letters make many ties and many runs of one letter, where versions of BPE differ.
@given(st.text(st.sampled_from("aab \né"), max_size=60))
def test_merges_on_texts_full_of_ties_are_those_of_tokenizers(text: str) -> None:
    assert Tokenizer.train(text, 320, []).merges == hugging_faces_merges([text], 320)


@given(st.text(st.sampled_from("aaabc '你"), max_size=60), st.integers(0, 40))
def test_merges_are_those_of_recounting_everything(text: str, n_merges: int) -> None:
    assert Tokenizer.train(text, 256 + n_merges, []).merges == recounted_merges(text, n_merges)


def test_merges_are_those_of_recounting_everything_on_real_text(docs: str) -> None:
    text = docs[:20_000]
    assert Tokenizer.train(text, 256 + 60, []).merges == recounted_merges(text, 60)


@given(st.text(st.sampled_from("aaab c'"), min_size=1, max_size=200))
def test_every_token_encodes_to_itself(text: str) -> None:
    """So a merge never makes a token that another merge made, and tiktoken agrees on the ids."""
    tokenizer = Tokenizer.train(text, 400, [])
    assert len(tokenizer.vocab) == 256 + len(tokenizer.merges)
    for token, id in tokenizer.vocab.items():
        if id >= 256:
            assert tokenizer.encode(token.decode()) == [id]


@pytest.mark.parametrize("vocab_size", [300, 1000])
def test_ids_of_a_learned_vocabulary_are_tiktokens(docs: str, vocab_size: int) -> None:
    tiktoken = pytest.importorskip("tiktoken")
    ours = Tokenizer.train(docs[:200_000], vocab_size, [])
    theirs: Any = tiktoken.Encoding(
        "docs", pat_str=PATTERN, mergeable_ranks=ours.vocab, special_tokens={}
    )
    assert ours.encode(docs) == theirs.encode_ordinary(docs)


def test_training_from_pieces_equals_training_from_the_whole(docs: str) -> None:
    documents = docs[:300_000].split("\n\n")
    whole = Tokenizer.train([f"{document}\n\n" for document in documents], 500)
    assert (
        Tokenizer.train((f"{document}\n\n" for document in documents), 500).merges == whole.merges
    )
    assert whole.merges == hugging_faces_merges([f"{d}\n\n" for d in documents], 499)


def test_special_tokens_in_the_text_are_not_learned_from() -> None:
    stories = ["one fish", "two fish"] * 50
    joined = Tokenizer.train("<|endoftext|>".join(stories), 300)
    assert joined.merges == Tokenizer.train(stories, 300).merges
    assert joined.special_tokens == {"<|endoftext|>": joined.vocab_size - 1}


def test_the_vocabulary_stays_small_where_nothing_is_left_to_merge() -> None:
    tokenizer = Tokenizer.train("aaaa", 1000)
    assert [left + right for left, right in tokenizer.merges] == [b"aa", b"aaaa"]
    assert tokenizer.vocab_size == 259
    assert Tokenizer.train("", 1000).vocab_size == 257


def test_a_vocabulary_without_room_for_the_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"vocab_size must be 258 or more.*it is 257"):
        Tokenizer.train("text", 257, ["<|a|>", "<|b|>"])
