"""Text in, text out: stop strings at every offset, pieces of whole characters, batches."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gptlib import GPT, GPTConfig
from gptlib.sampling import complete, stream_text
from gptlib.sampling.stops import StopStrings
from gptlib.tokenizer import END_OF_TEXT, Tokenizer

TEXT = "The cat sat on the mat. 猫坐在垫子上。 Ünïcödé 🐈‍⬛ cats! " * 3
TOKENIZER = Tokenizer.train(TEXT, vocab_size=270)
END = TOKENIZER.special_tokens[END_OF_TEXT]


class Reciter:
    """A model that is certain of one text, read from the column number, and its end."""

    def __init__(self, text, n_prompt=1):
        self.ids = [*TOKENIZER.encode(text), END]
        self.n_prompt = n_prompt

    def __call__(self, idx):
        logits = torch.zeros(*idx.shape, TOKENIZER.vocab_size)
        step = idx.shape[1] - self.n_prompt
        logits[:, -1, self.ids[min(step, len(self.ids) - 1)]] = 100.0
        return logits


def recite(text, **options):
    return complete(
        Reciter(text), TOKENIZER, "", max_new_tokens=500, greedy=True, cache=False, **options
    )


def pieces(text, **options):
    return list(
        stream_text(
            Reciter(text), TOKENIZER, "", max_new_tokens=500, greedy=True, cache=False, **options
        )
    )


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = GPTConfig(
        vocab_size=TOKENIZER.vocab_size, n_positions=64, n_embd=16, n_layer=1, n_head=2
    )
    return GPT(config).eval()


def test_the_end_of_text_ends_a_text_and_is_no_part_of_it():
    assert recite(TEXT) == TEXT
    assert recite("one" + END_OF_TEXT + "two") == "one"
    assert recite("one" + END_OF_TEXT + "two", stop_tokens=[]).startswith(
        "one" + END_OF_TEXT + "two"
    )
    assert recite("one two", stop_tokens=TOKENIZER.encode("w")) == "one t"


def test_a_stop_string_at_every_offset():
    """Whatever tokens it spans, and however it lies over their borders."""
    for begin in range(len(TEXT) // 3):
        for length in (1, 2, 3, 7):
            stop = TEXT[begin : begin + length]
            expected = TEXT[: TEXT.find(stop)]
            assert recite(TEXT, stop=[stop]) == expected
            assert "".join(pieces(TEXT, stop=[stop])) == expected


def test_streamed_pieces_are_whole_characters_and_join_to_the_whole():
    found = pieces(TEXT)
    assert "".join(found) == TEXT
    assert len(found) > 20
    assert all(found)
    assert "\ufffd" not in "".join(found)


def test_half_a_character_at_the_end_is_shown_as_such():
    options = {"max_new_tokens": 1, "greedy": True, "cache": False}
    first_byte = TOKENIZER.token_bytes(TOKENIZER.encode("é")[0])
    assert len(first_byte) == 1
    assert complete(Reciter("é"), TOKENIZER, "", **options) == "\ufffd"
    assert list(stream_text(Reciter("é"), TOKENIZER, "", **options)) == ["\ufffd"]


def test_a_piece_is_handed_on_before_the_next_token_is_computed():
    asked = []

    class Counting(Reciter):
        def __call__(self, idx):
            asked.append(idx.shape[1])
            return super().__call__(idx)

    text = stream_text(
        Counting("abcdef"), TOKENIZER, "", max_new_tokens=9, greedy=True, cache=False
    )
    assert next(text) == "a"
    assert len(asked) == 1


def reference(text, stop):
    """The definition: of the stop strings complete first, the longest; text before it."""
    ends = [(text.find(s) + len(s), text.find(s)) for s in stop if s in text]
    return text[: min(ends)[1]] if ends else text


@given(
    st.text("ab", max_size=30),
    st.lists(st.text("ab", min_size=1, max_size=5), max_size=4),
    st.lists(st.integers(0, 30)),
)
def test_stop_strings_do_not_depend_on_the_pieces(text, stop, cuts):
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stops = StopStrings(stop)
    found = "".join(stops.feed(text[a:b]) for a, b in pairwise(places))
    assert found + stops.end() == reference(text, stop)
    assert stops.found == any(s in text for s in stop)


def test_stop_strings_hold_back_no_more_than_they_must():
    stops = StopStrings(["abcd"])
    assert stops.feed("xxab") == "xx"
    assert stops.feed("ab") == "ab"
    assert stops.feed("c") == ""
    assert stops.feed("x") == "abcx"


@pytest.mark.parametrize("options", [{"greedy": True}, {"seed": 4}, {"seed": 4, "top_k": 9}])
def test_streaming_gives_the_same_text(model, options):
    whole = complete(model, TOKENIZER, "The cat", max_new_tokens=40, **options)
    found = "".join(stream_text(model, TOKENIZER, "The cat", max_new_tokens=40, **options))
    assert found == whole


@pytest.mark.parametrize("options", [{}, {"repetition_penalty": 1.5}])
def test_prompts_of_unequal_length_give_what_each_gives_alone(model, options):
    prompts = ["The cat sat on the mat.", "", "T", "猫坐"]
    options = {"max_new_tokens": 20, "greedy": True, **options}
    together = complete(model, TOKENIZER, prompts, **options)
    alone = [complete(model, TOKENIZER, prompt, **options) for prompt in prompts]
    assert together == alone
    assert len(set(alone)) == 4


def test_n_texts_of_one_prompt(model):
    one = complete(model, TOKENIZER, "The", max_new_tokens=20, seed=1)
    three = complete(model, TOKENIZER, "The", max_new_tokens=20, seed=1, n=3)
    assert three[0] == one
    assert len(set(three)) == 3
    six = complete(model, TOKENIZER, ["The", "The"], max_new_tokens=20, seed=1, n=3)
    assert six[:3] == three
    assert len(set(six)) == 6
    assert complete(model, TOKENIZER, [], max_new_tokens=20) == []


def test_one_text_that_stops_leaves_the_others_alone(model):
    free = complete(model, TOKENIZER, "The", max_new_tokens=40, seed=1, n=4)
    stop = free[2][1:4]
    found = complete(model, TOKENIZER, "The", max_new_tokens=40, seed=1, n=4, stop=stop)
    assert found == [reference(text, [stop]) for text in free]


def test_generation_ends_when_every_text_has(model):
    calls = []
    hook = model.transformer.ln_f.register_forward_hook(lambda *_: calls.append(1))
    complete(
        model, TOKENIZER, "The", max_new_tokens=40, stop=["ab"],
        forced=dict(enumerate(TOKENIZER.encode("xab"))),
    )  # fmt: skip
    hook.remove()
    assert len(calls) == len(TOKENIZER.encode("xab"))


def test_bad_input_is_named(model):
    with pytest.raises(ValueError, match='stop="": an empty stop string'):
        complete(model, TOKENIZER, "The", max_new_tokens=5, stop=[""])
    with pytest.raises(ValueError, match="n=0: must be at least 1"):
        complete(model, TOKENIZER, "The", max_new_tokens=5, n=0)
    without = Tokenizer.train("abc", vocab_size=256, special_tokens=())
    with pytest.raises(ValueError, match="the prompt is empty"):
        complete(model, without, "", max_new_tokens=5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'topk'"):
        complete(model, TOKENIZER, "The", max_new_tokens=5, topk=5)
