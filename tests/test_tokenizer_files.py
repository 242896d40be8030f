"""The files of a tokenizer: others open them, and damage is reported in one line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gptlib.tokenizer import Tokenizer, from_visible

SPECIAL = ["<|endoftext|>", "<|user|>"]
TEXT = "naïve cats<|endoftext|> sat,\n\n  <|user|>the cat's 你好 🙂\x00"


@pytest.fixture(scope="module")
def trained() -> Tokenizer:
    return Tokenizer.train("The cat sat on the mat with the other cats. 你好! " * 2, 300, SPECIAL)


@pytest.fixture
def folder(trained: Tokenizer, tmp_path: Path) -> Path:
    trained.save(tmp_path)
    return tmp_path


def same(one: Tokenizer, other: Tokenizer) -> bool:
    return (one.merges, one.vocab, one.special_tokens) == (
        other.merges,
        other.vocab,
        other.special_tokens,
    )


def edit_json(path: Path, edit: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_three_files_are_written_and_nothing_else(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == {"vocab.json", "merges.txt", "tokenizer.json"}


def test_either_form_loads_as_it_was_saved(trained: Tokenizer, folder: Path) -> None:
    assert same(Tokenizer.load(folder), trained)
    assert same(Tokenizer.load(folder / "tokenizer.json"), trained)
    (folder / "tokenizer.json").unlink()
    assert same(Tokenizer.load(str(folder)), trained)


def test_saving_twice_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    Tokenizer.load(folder).save(tmp_path / "again")
    for file in ("vocab.json", "merges.txt", "tokenizer.json"):
        assert (folder / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


@pytest.mark.parametrize("special", [SPECIAL, SPECIAL[:1]])
def test_transformers_opens_them_with_the_same_ids(special: list[str], tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    ours = Tokenizer.train("The cat sat on the mat. " * 2, 290, special)
    ours.save(tmp_path)
    for cls in (
        transformers.GPT2Tokenizer,
        transformers.GPT2TokenizerFast,
        transformers.AutoTokenizer,
        transformers.PreTrainedTokenizerFast,
    ):
        theirs = cls.from_pretrained(tmp_path)
        assert len(theirs) == ours.vocab_size
        assert theirs.encode(TEXT) == ours.encode(TEXT)
        assert theirs.decode(ours.encode(TEXT), clean_up_tokenization_spaces=False) == TEXT
    # Without tokenizer.json a special token is just an entry of vocab.json.
    (tmp_path / "tokenizer.json").unlink()
    theirs = transformers.GPT2Tokenizer.from_pretrained(tmp_path)
    assert theirs.encode("The cat<|endoftext|>") == ours.encode("The cat<|endoftext|>")
    assert theirs.eos_token_id == ours.special_tokens["<|endoftext|>"]


def test_tokenizers_opens_them_with_the_same_ids(trained: Tokenizer, folder: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    whole = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert whole.encode(TEXT).ids == trained.encode(TEXT)
    assert whole.decode(trained.encode(TEXT), skip_special_tokens=False) == TEXT
    bpe = tokenizers.models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    parts = tokenizers.Tokenizer(bpe)
    parts.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert parts.encode("The cat sat").ids == trained.encode("The cat sat")


def test_what_tokenizers_trained_and_saved_loads_here(tmp_path: Path) -> None:
    """Its special tokens come first, so its ids follow another rule than GPT-2's."""
    tokenizers = pytest.importorskip("tokenizers")
    byte_level = tokenizers.pre_tokenizers.ByteLevel
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = byte_level(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=SPECIAL,
        initial_alphabet=byte_level.alphabet(),
        show_progress=False,
    )
    theirs.train_from_iterator(["The cat sat on the mat. 你好! " * 2], trainer)
    theirs.save(str(tmp_path / "tokenizer.json"))
    ours = Tokenizer.load(tmp_path)
    assert ours.special_tokens == {"<|endoftext|>": 0, "<|user|>": 1}
    assert ours.encode(TEXT) == theirs.encode(TEXT).ids
    ours.save(tmp_path / "again")
    assert same(Tokenizer.load(tmp_path / "again"), ours)


def test_gpt2s_files_load_and_save_with_nothing_lost(shared_data: Path, tmp_path: Path) -> None:
    gpt2 = Tokenizer.load(shared_data / "gpt2")
    gpt2.save(tmp_path)
    assert same(Tokenizer.load(tmp_path), gpt2)
    saved = json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8"))
    assert saved == json.loads((shared_data / "gpt2" / "vocab.json").read_text(encoding="utf-8"))
    theirs = (shared_data / "gpt2" / "merges.txt").read_text(encoding="utf-8").split("\n")
    assert (tmp_path / "merges.txt").read_text(encoding="utf-8").split("\n") == theirs


def test_a_merges_file_with_windows_line_ends_loads(trained: Tokenizer, folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    lines = (folder / "merges.txt").read_bytes().replace(b"\n", b"\r\n")
    (folder / "merges.txt").write_bytes(lines)
    assert same(Tokenizer.load(folder), trained)


def test_a_failed_save_leaves_the_old_file_whole(
    trained: Tokenizer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        Tokenizer.train("another text", 270, SPECIAL).save(folder)
    assert same(Tokenizer.load(folder), trained)


def test_missing_files_are_named(tmp_path: Path) -> None:
    message = f"{tmp_path} holds neither tokenizer.json nor vocab.json + merges.txt"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        Tokenizer.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no-such-folder holds neither"):
        Tokenizer.load(tmp_path / "no-such-folder")


# How merges.txt is broken, and the line that must be said about it.
BAD_MERGES = [
    ("a b c", "merges.txt, line 2: expected two tokens, found ['a', 'b', 'c']"),
    ("ab", "merges.txt, line 2: expected two tokens, found ['ab']"),
    ("a  b", "merges.txt, line 2: expected two tokens, found ['a', '', 'b']"),
    ("th zz", "merges.txt, line 2: 'th' is neither a byte nor merged before"),
    ("a €", "merges.txt, line 2: '€' is neither a byte nor merged before"),
    ("Q Q", "merges.txt, line 2: 'QQ' is not in the vocabulary"),
]


@pytest.mark.parametrize(("line", "message"), BAD_MERGES)
def test_a_bad_line_of_merges_is_named(folder: Path, line: str, message: str) -> None:
    (folder / "tokenizer.json").unlink()
    header, *lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
    (folder / "merges.txt").write_text("\n".join([header, line, *lines]), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        Tokenizer.load(folder)


def test_a_repeated_merge_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    lines = (folder / "merges.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    (folder / "merges.txt").write_text("\n".join([*lines, lines[1]]), encoding="utf-8")
    with pytest.raises(ValueError, match=f"merges.txt, line {len(lines) + 1}: .* merged before"):
        Tokenizer.load(folder)


def set_id(token: str, id: object) -> Callable[[Any], object]:
    return lambda vocab: vocab.update({token: id})


# How vocab.json is broken, and the line that must be said about it.
BAD_VOCABS: list[tuple[Callable[[Any], object], str]] = [
    (set_id("a", "7"), "vocab.json: token 'a' has the id '7', not a number from 0 on"),
    (set_id("a", -1), "vocab.json: token 'a' has the id -1, not a number from 0 on"),
    (set_id("a", True), "vocab.json: token 'a' has the id True, not a number from 0 on"),
    (set_id("a", 65), "vocab.json: tokens 'a' and 'b' share the id 65"),
    (lambda vocab: vocab.pop("Ā"), "vocab.json: no token for 1 of the 256 bytes, the first 'Ā'"),
]


@pytest.mark.parametrize(("edit", "message"), BAD_VOCABS)
def test_a_bad_vocabulary_is_refused(
    folder: Path, edit: Callable[[Any], object], message: str
) -> None:
    (folder / "tokenizer.json").unlink()
    edit_json(folder / "vocab.json", edit)
    with pytest.raises(ValueError, match=re.escape(message)):
        Tokenizer.load(folder)


# Files that are not JSON, or not the JSON that is wanted.
BAD_JSON = [
    (b'{"a": 1,\n "b"}', "line 2, column 5: not JSON"),
    (b"", "line 1, column 1: not JSON"),
    (b"[1, 2]", "expected tokens and their ids, found list"),
    (b'{"\xff": 1}', "not UTF-8 at byte 2"),
    (b"[" * 100_000, "nested too deeply"),
]


@pytest.mark.parametrize(("content", "message"), BAD_JSON)
def test_a_vocabulary_that_is_no_json_is_refused(
    folder: Path, content: bytes, message: str
) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        Tokenizer.load(folder)
    assert "\n" not in str(error.value)
    assert "vocab.json" in str(error.value)


# How tokenizer.json differs from GPT-2's kind, and the word that must be said about it.
OTHER_KINDS: list[tuple[Callable[[Any], object], str]] = [
    (lambda t: t.update(normalizer={"type": "NFC"}), "see its normalizer"),
    (lambda t: t.update(pre_tokenizer={"type": "Whitespace"}), "see its pre_tokenizer"),
    (lambda t: t.update(pre_tokenizer=None), "see its pre_tokenizer"),
    (lambda t: t["pre_tokenizer"].update(use_regex=False), "see its pre_tokenizer.use_regex"),
    (lambda t: t["pre_tokenizer"].update(add_prefix_space=True), "see its pre_tokenizer"),
    (lambda t: t["model"].update(end_of_word_suffix="</w>"), "see its end_of_word_suffix"),
    (lambda t: t["model"].update(byte_fallback=True), "see its byte_fallback"),
    (lambda t: t["added_tokens"][0].update(lstrip=True), "see its added_tokens"),
    (lambda t: t.pop("model"), "does not describe a BPE tokenizer: KeyError('model')"),
    (lambda t: t["model"].pop("merges"), "does not describe a BPE tokenizer: KeyError('merges')"),
    (lambda t: t["model"].update(merges=[["a"]]), "merge 1: expected two tokens, found ['a']"),
    (lambda t: t["model"]["vocab"].update({"xyz": 9999}), "no merge makes the token 'xyz'"),
    (lambda t: t["added_tokens"][0].update(id=0), "share the id 0"),
]


@pytest.mark.parametrize(("edit", "message"), OTHER_KINDS)
def test_a_tokenizer_of_another_kind_is_refused(
    folder: Path, edit: Callable[[Any], object], message: str
) -> None:
    edit_json(folder / "tokenizer.json", edit)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        Tokenizer.load(folder)
    assert "\n" not in str(error.value)
    assert "tokenizer.json" in str(error.value)


def test_merges_may_be_written_as_pairs(trained: Tokenizer, folder: Path) -> None:
    """`tokenizers` writes ["a", "b"] since 0.20, "a b" before."""

    def as_pairs(whole: Any) -> None:
        whole["model"]["merges"] = [merge.split(" ") for merge in whole["model"]["merges"]]

    edit_json(folder / "tokenizer.json", as_pairs)
    assert same(Tokenizer.load(folder), trained)


def test_the_vocabulary_is_readable(folder: Path) -> None:
    text = (folder / "vocab.json").read_text(encoding="utf-8")
    assert '"Ġthe"' in text
    assert from_visible("Ġthe") == b" the"
