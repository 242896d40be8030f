"""The tokenizer microscope: its replay by definition against the tokenizer's own encoding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptlib.tokenizer import Tokenizer
from gptlib.widgets import TokenizerMicroscope
from gptlib.widgets.subject import spelled
from gptlib.widgets.tokens.microscope import replay, tokens, words

TEXT = "the theme of the thesis, then there and these others in three thousand themes "
TOKENIZER = Tokenizer.train(TEXT * 2, vocab_size=300)
ANY = st.text(alphabet="the sroan,<|endoftext|>é1\n", max_size=40)


@settings(max_examples=200)
@given(ANY)
def test_words_and_tokens_are_those_of_encode(text):
    assert "".join(word for word, _ in words(TOKENIZER, text)) == text
    assert [id for _, ids in words(TOKENIZER, text) for id in ids] == TOKENIZER.encode(text)
    if text:
        assert [token.id for token in tokens(TOKENIZER, text)] == TOKENIZER.encode(text)


@settings(max_examples=200)
@given(st.text(alphabet="thesrmoanu", min_size=1, max_size=30))
def test_the_replay_ends_at_the_tokens(word):
    start, steps = replay(TOKENIZER, word)
    assert "".join(start) == word
    last = steps[-1].parts if steps else start
    assert last == [spelled(TOKENIZER.token_bytes(id)) for id in TOKENIZER.encode(word)]
    before = start
    for step in steps:
        assert len(before) - len(step.parts) == len(step.merged)
        assert all(step.parts[n] == step.left + step.right for n in step.merged)
        before = step.parts


def test_bytes_that_are_no_character_are_shown_as_numbers():
    tokenizer = Tokenizer([])
    assert [token.text for token in tokens(tokenizer, "é!")] == ["<c3>", "<a9>", "!"]
    assert [token.text for token in tokens(tokenizer, " \n<|endoftext|>")] == [
        "·",
        "⏎",
        "<|endoftext|>",
    ]


def test_two_vocabularies_and_a_chosen_word():
    widget = TokenizerMicroscope({"merged": TOKENIZER, "bytes": Tokenizer([])}, "the theme")
    merged, plain = widget.state["sides"]
    assert merged["bytesPerToken"] > plain["bytesPerToken"] == 1.0
    assert merged["start"] == ["t", "h", "e"]
    assert plain["merges"] == []
    widget.ask({"word": 1})
    assert widget.state["sides"][0]["start"] == ["·", "t", "h", "e", "m", "e"]
    widget.ask({"word": 99})
    assert widget.state["sides"][0]["word"] == 1
    assert "by merged and 9 tokens by bytes" in widget.describe()
    assert widget._repr_mimebundle_()[0]["image/png"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "empty"), ("a b " * 5000, "600 can be shown"), ("\ud800", "lone surrogate")],
)
def test_texts_that_can_not_be_shown(text, says):
    widget = TokenizerMicroscope(TOKENIZER)
    before = widget.state
    widget.ask({"text": text})
    assert says in widget.problem
    assert widget.state == before


def test_what_is_no_tokenizer_is_said():
    assert "'' is a list" in TokenizerMicroscope([1, 2]).problem
