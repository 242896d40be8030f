"""Encoding and decoding, against `transformers`, `tokenizers` and tiktoken with GPT-2's files."""

import math
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from gptlib.tokenizer import (
    BYTE_ORDER,
    PATTERN,
    Tokenizer,
    bits_per_byte,
    from_visible,
    pretokenize,
    to_visible,
)
from gptlib.tokenizer.pretokenize import cut_between_words

# Every string that UTF-8 can write: surrogates alone are left out.
unicode_text = st.text(st.characters(exclude_categories=["Cs"]))
CODE = [
    "def f(x):\n\treturn x[1:]  # 3.14\n",
    "if(a&&b){",
    "}};\r\n",
    "x->y != 'z'",
    "https://a.b/c?d=e",
]
EMOJI = ["🙂", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇨🇳", "é", "e\u0301", "\u200d", "\ufeff"]
WORDS = [
    "the",
    " dog",
    " isn't",
    " we'll",
    "'s",
    " ' s",
    " 1234",
    "½",
    "²",
    " naïve",
    "Straße",
    "ı",
]
BLANKS = [
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r\n",
    "\u00a0",
    "\u3000",
    "\x0b",
    "\x1c",
    "\x85",
    "\u2028",
]


def random_strings(n: int) -> list[str]:
    """Strings of mixed scripts, code, emoji, blanks and control characters.

    Only characters that this Python's Unicode knows: each library carries its own version of
    Unicode, and for a character that some versions lack, they disagree on whether it is a letter.
    """
    rng = random.Random(2019)
    known = [chr(c) for c in range(0x110000) if category(chr(c)) not in ("Cn", "Cs")]
    basic = [character for character in known if character < "\uffff"]

    def piece() -> str:
        match rng.randrange(9):
            case 0:
                return rng.choice(CODE)
            case 1:
                return rng.choice(EMOJI)
            case 2 | 3:
                return rng.choice(WORDS)
            case 4:
                return rng.choice(BLANKS)
            case 5:  # Chinese
                return "".join(chr(rng.randint(0x4E00, 0x9FEF)) for _ in range(rng.randint(1, 6)))
            case 6:  # control characters and the rest of Latin-1
                return "".join(chr(rng.randrange(256)) for _ in range(rng.randint(1, 4)))
            case 7:  # the scripts of the basic plane
                return "".join(rng.choices(basic, k=rng.randint(1, 4)))
            case _:  # any plane
                return rng.choice(known)

    return ["".join(piece() for _ in range(rng.randint(0, 12))) for _ in range(n)]


@pytest.fixture(scope="session")
def strings() -> list[str]:
    return random_strings(10_000)


@pytest.fixture(scope="session")
def gpt2(shared_data: Path) -> Tokenizer:
    return Tokenizer.load(shared_data / "gpt2")


@pytest.fixture(scope="session")
def hugging_face(shared_data: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.GPT2Tokenizer.from_pretrained(shared_data / "gpt2")


@pytest.fixture(scope="session")
def tik(gpt2: Tokenizer) -> Any:
    tiktoken = pytest.importorskip("tiktoken")
    return tiktoken.Encoding(
        "gpt2", pat_str=PATTERN, mergeable_ranks=gpt2.vocab, special_tokens=gpt2.special_tokens
    )


@pytest.fixture(scope="session")
def small() -> Tokenizer:
    """A vocabulary learned from a few sentences: tests that need no files use it."""
    text = "The cat sat on the mat. The cat's hat sat there, too: 你好, 你好! " * 3
    return Tokenizer.train(text, 330, ["<|endoftext|>", "<|user|>", "<|user|>:"])


def test_gpt2_has_50257_tokens_and_ends_with_end_of_text(gpt2: Tokenizer) -> None:
    assert gpt2.vocab_size == 50257
    assert gpt2.special_tokens == {"<|endoftext|>": 50256}
    assert len(gpt2.merges) == 50000


def test_ids_equal_hugging_faces_on_ten_thousand_strings(
    gpt2: Tokenizer, hugging_face: Any, strings: list[str]
) -> None:
    assert gpt2.encode_batch(strings) == hugging_face(strings)["input_ids"]


def test_ids_equal_tiktokens_on_ten_thousand_strings(
    gpt2: Tokenizer, tik: Any, strings: list[str]
) -> None:
    assert gpt2.encode_batch(strings) == tik.encode_ordinary_batch(strings, num_threads=1)


def test_ids_equal_hugging_faces_on_shakespeare(
    gpt2: Tokenizer, hugging_face: Any, shared_data: Path
) -> None:
    text = (shared_data / "tinyshakespeare.txt").read_text(encoding="utf-8")
    assert gpt2.encode(text) == hugging_face(text)["input_ids"]


def test_any_ids_decode_as_in_hugging_face_and_tiktoken(
    gpt2: Tokenizer, hugging_face: Any, tik: Any
) -> None:
    """Random ids cut characters apart, so most of these bytes are not UTF-8."""
    rng = random.Random(0)
    for _ in range(500):
        ids = [rng.randrange(50257) for _ in range(rng.randint(0, 20))]
        assert gpt2.decode_bytes(ids) == tik.decode_bytes(ids)
        assert gpt2.decode(ids) == tik.decode(ids)
        assert gpt2.decode(ids) == hugging_face.decode(ids, clean_up_tokenization_spaces=False)


def test_special_tokens_are_found_as_in_hugging_face(gpt2: Tokenizer, hugging_face: Any) -> None:
    for text in ["<|endoftext|>", "a <|endoftext|> b", "<|endoftext|><|endoftext|>\n", "<|endof"]:
        assert gpt2.encode(text) == hugging_face.encode(text)


def test_special_tokens_can_be_taken_as_ordinary_text(gpt2: Tokenizer, tik: Any) -> None:
    text = "a<|endoftext|>b"
    assert gpt2.encode(text, special=False) == tik.encode_ordinary(text)
    assert gpt2.decode(gpt2.encode(text, special=False)) == text


def test_of_two_special_tokens_at_one_place_the_longer_is_taken(small: Tokenizer) -> None:
    ids = small.encode("<|user|>: <|user|>")
    assert ids == [
        small.special_tokens["<|user|>:"],
        *small.encode(" "),
        small.special_tokens["<|user|>"],
    ]


@pytest.mark.parametrize("bad", ["", "<| end |>", "\n"])
def test_special_tokens_that_are_empty_or_hold_blanks_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="no blanks"):
        Tokenizer([], [bad])


@given(unicode_text)
def test_every_string_goes_there_and_back(small: Tokenizer, text: str) -> None:
    assert small.decode(small.encode(text), errors="strict") == text
    assert small.decode(small.encode(text, special=False), errors="strict") == text


@given(st.binary())
def test_every_byte_string_has_tokens(data: bytes) -> None:
    bytes_only = Tokenizer([])
    ids = [bytes_only.vocab[data[i : i + 1]] for i in range(len(data))]
    assert bytes_only.decode_bytes(ids) == data


@given(st.lists(st.text(st.sampled_from("ab '\n\u3000é1<|user>.")), max_size=8))
def test_a_text_in_pieces_has_the_ids_of_the_whole(small: Tokenizer, pieces: list[str]) -> None:
    whole = "".join(pieces)
    streamed = [id for ids in small.encode_stream(pieces) for id in ids]
    assert streamed == small.encode(whole)


@given(st.lists(st.text(st.sampled_from("ab \n\u3000é1.")), max_size=8))
def test_a_stream_is_cut_where_words_end(pieces: list[str]) -> None:
    cut = list(cut_between_words(pieces))
    assert "".join(cut) == "".join(pieces)
    assert [word for piece in cut for word in pretokenize(piece)] == pretokenize("".join(pieces))


def test_a_long_stream_is_not_held_back() -> None:
    pieces = ["some words "] * 100
    assert max(map(len, cut_between_words(pieces))) <= 2 * len(pieces[0])


@given(unicode_text)
def test_decoding_token_by_token_gives_the_whole_text(small: Tokenizer, text: str) -> None:
    ids = small.encode(text)
    parts = list(small.decode_stream(ids))
    assert "".join(parts) == text
    assert all("\ufffd" not in part or "\ufffd" in text for part in parts)


def test_decoding_a_stream_that_stops_inside_a_character_shows_that(small: Tokenizer) -> None:
    ids = [small.vocab[bytes([byte])] for byte in "é".encode()]
    assert list(small.decode_stream(ids)) == ["", "é"]
    assert list(small.decode_stream(ids[:1])) == ["", "\ufffd"]


def test_ids_may_be_an_array_or_a_tensor(small: Tokenizer) -> None:
    torch = pytest.importorskip("torch")
    ids = small.encode("The cat")
    assert small.decode(np.array(ids, dtype=np.uint16)) == "The cat"
    assert small.decode(torch.tensor(ids)) == "The cat"


def test_a_word_of_any_length_is_merged_as_by_hugging_face(
    gpt2: Tokenizer, hugging_face: Any
) -> None:
    rng = random.Random(1)
    for alphabet in ("ACGT", "abcdefghij", "a", " ", "=-", "你好世界"):
        text = "".join(rng.choice(alphabet) for _ in range(3000))
        assert gpt2.encode(text) == hugging_face.encode(text)


def test_merges_may_build_on_each_other_to_any_depth() -> None:
    merges = [(b"a", b"b")]
    for _ in range(3000):
        merges.append((merges[-1][0] + merges[-1][1], b"c"))
    deep = Tokenizer(merges, [])
    assert deep.encode("ab" + "c" * 3000) == [256 + 3000]
    assert deep.encode("ab" + "c" * 30) == [256 + 30]


@st.composite
def any_merges(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    """Merges that no text need have taught: any two tokens that are there already."""
    tokens, merges = [b"a", b"b", b"c"], []
    for _ in range(draw(st.integers(0, 12))):
        left, right = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
        if left + right not in tokens:
            merges.append((left, right))
            tokens.append(left + right)
    return merges


@settings(max_examples=1000)
@given(any_merges(), st.lists(st.text("aabc", max_size=12), min_size=1, max_size=8))
def test_merges_of_any_origin_apply_as_in_hugging_face(
    merges: list[tuple[bytes, bytes]], words: list[str]
) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    ours = Tokenizer(merges, [])
    theirs = tokenizers.models.BPE(
        {to_visible(token): id for token, id in ours.vocab.items()},
        [(left.decode(), right.decode()) for left, right in merges],
    )
    for word in words + [(left + right).decode() for left, right in merges]:
        assert ours.encode(word) == [token.id for token in theirs.tokenize(word)]


@pytest.mark.parametrize("text", ["ab\ud83d", "\udc00", "x" * 9 + "\ud83d tail"])
def test_a_lone_surrogate_is_refused_with_its_position(small: Tokenizer, text: str) -> None:
    at = next(i for i, character in enumerate(text) if "\ud800" <= character <= "\udfff")
    with pytest.raises(ValueError, match=f"character {at} of the text.*lone surrogate"):
        small.encode(text)
    with pytest.raises(ValueError, match=f"character {at} of the text.*lone surrogate"):
        Tokenizer.train(text, 300)
    assert small.encode("after") == Tokenizer(small.merges, small.special_tokens).encode("after")


@pytest.mark.parametrize("id", [-1, 330, 10**9])
def test_an_id_outside_the_vocabulary_is_refused(small: Tokenizer, id: int) -> None:
    last = small.vocab_size - 1
    with pytest.raises(ValueError, match=f"no token has the id {id}; they end at {last}"):
        small.decode([1, id])
    with pytest.raises(ValueError, match="no token has the id"):
        list(small.decode_stream([id]))


def test_a_batch_of_ids_is_decoded_row_by_row(small: Tokenizer) -> None:
    with pytest.raises(TypeError, match="an id is a number, not a list; decode one row at a time"):
        small.decode(np.array([[1, 2], [3, 4]]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"merges": [(b"ab", b"c")]}, "b'ab' is merged before it is made"),
        ({"merges": [(b"a", b"b"), (b"a", b"b")]}, "b'ab' is made twice"),
        ({"merges": [], "vocab": {b"a": 0}}, "is in the vocabulary or in the merges, not in both"),
        ({"merges": [], "special_tokens": {"<|a|>": 7}}, "two tokens share an id"),
        ({"merges": [], "special_tokens": {"<|a|>": 300, "<|b|>": 300}}, "two tokens share an id"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tokenizer(**settings)


def test_bytes_come_in_gpt2s_order(gpt2: Tokenizer) -> None:
    assert [gpt2.vocab[bytes([byte])] for byte in BYTE_ORDER] == list(range(256))


def test_visible_characters_are_those_of_tokenizers() -> None:
    pre_tokenizers = pytest.importorskip("tokenizers").pre_tokenizers
    visible = {to_visible(bytes([byte])) for byte in range(256)}
    assert visible == set(pre_tokenizers.ByteLevel.alphabet())
    text = "".join(map(chr, range(1, 0x800)))
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    assert "".join(part for part, _ in split) == to_visible(text.encode())


@given(st.binary())
def test_visible_characters_read_back(data: bytes) -> None:
    assert from_visible(to_visible(data)) == data


def test_a_character_that_stands_for_no_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="'a b' holds ' ', which stands for no byte"):
        from_visible("a b")


def test_words_are_those_of_tokenizers(strings: list[str]) -> None:
    pre_tokenizers = pytest.importorskip("tokenizers").pre_tokenizers
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for text in strings[:2000]:
        theirs = [part for part, _ in byte_level.pre_tokenize_str(text)]
        assert [to_visible(word.encode()) for word in pretokenize(text)] == theirs


def test_the_pattern_for_ascii_cuts_as_the_full_one() -> None:
    """Every pair of ASCII characters, between characters of each class, and longer mixtures."""
    full = regex.compile(PATTERN)
    ascii_characters = [chr(code) for code in range(128)]
    rng = random.Random(3)
    texts = [
        before + one + other + after
        for one in ascii_characters
        for other in ascii_characters
        for before, after in [("a", "b"), (" ", "1"), ("'", " "), ("\n", "s")]
    ]
    texts += ["".join(rng.choices(ascii_characters, k=50)) for _ in range(2000)]
    texts += ["".join(rng.choices(" \n\t\x1cat1'.", k=50)) for _ in range(2000)]
    assert all(text.isascii() for text in texts)
    assert [pretokenize(text) for text in texts] == [full.findall(text) for text in texts]


def test_the_memory_of_known_words_is_bounded(
    small: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptlib.tokenizer.encode._MOST_WORDS", 10)
    text = " ".join(f"word{i}" for i in range(100))
    fresh = Tokenizer(small.merges, small.special_tokens)
    assert fresh.encode(text) == small.encode(text)
    assert len(fresh._words) <= 10


def test_a_tokenizer_survives_pickling(small: Tokenizer) -> None:
    copy = pickle.loads(pickle.dumps(small))
    assert copy.encode("The cat<|user|>") == small.encode("The cat<|user|>")


def test_bits_per_byte_of_a_uniform_guess() -> None:
    """A uniform guess among 256 bytes costs 8 bits a byte, however the bytes are grouped."""
    assert bits_per_byte(math.log(256), n_tokens=1000, n_bytes=1000) == pytest.approx(8)
    assert bits_per_byte(math.log(256**2), n_tokens=500, n_bytes=1000) == pytest.approx(8)
    for n_tokens, n_bytes in [(0, 1), (1, 0)]:
        with pytest.raises(ValueError, match="at least one"):
            bits_per_byte(1.0, n_tokens, n_bytes)


def test_importing_the_tokenizer_needs_neither_torch_nor_numpy() -> None:
    code = "import sys, gptlib.tokenizer; print({'torch', 'numpy'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
