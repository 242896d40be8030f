"""The files of a tokenizer: `vocab.json`, `merges.txt` and `tokenizer.json`.

They are those of Hugging Face's GPT-2, so `transformers` and `tokenizers` open them too.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from gptlib.tokenizer.bytelevel import BYTE_ORDER, from_visible, to_visible

_BYTES = [to_visible(bytes([byte])) for byte in BYTE_ORDER]
# How a special token is looked for: as it stands, wherever it stands.
_AS_IT_STANDS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
# The variants of BPE that GPT-2 does not use.
_PLAIN_BPE = {
    "dropout": None,
    "unk_token": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": False,
    "byte_fallback": False,
    "ignore_merges": False,
}


class Contents(NamedTuple):
    """What the files say: merges in order, the id of every token, and of every special one."""

    merges: list[tuple[bytes, bytes]]
    vocab: dict[bytes, int]
    special_tokens: dict[str, int]


# The number of its line, or its place in a list, and the two tokens.
_Merge = tuple[int, str, str]


def write_files(contents: Contents, folder: str | Path) -> None:
    """Write the three files into a folder, which is made if it is missing."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ids = {to_visible(token): id for token, id in contents.vocab.items()}
    vocab = dict(sorted((ids | contents.special_tokens).items(), key=lambda item: item[1]))
    merges = [f"{to_visible(left)} {to_visible(right)}" for left, right in contents.merges]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    whole = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": id, "content": token, **_AS_IT_STANDS, "special": True}
            for token, id in sorted(contents.special_tokens.items(), key=lambda item: item[1])
        ],
        "normalizer": None,
        "pre_tokenizer": {**byte_level, "use_regex": True},
        "post_processor": None,
        "decoder": {**byte_level, "use_regex": True},
        "model": {"type": "BPE", **_PLAIN_BPE, "vocab": vocab, "merges": merges},
    }
    _write(folder / "vocab.json", json.dumps(vocab, ensure_ascii=False))
    _write(folder / "merges.txt", "\n".join(["#version: 0.2", *merges, ""]))
    _write(folder / "tokenizer.json", json.dumps(whole, ensure_ascii=False, indent=1))


def read_files(path: str | Path) -> Contents:
    """Read a `tokenizer.json`, or a folder with one, or one with `vocab.json` and `merges.txt`.

    Raises FileNotFoundError where they are missing, and ValueError, naming file and line, where
    they are damaged or describe another kind of tokenizer.
    """
    path = Path(path)
    if path.is_dir() and (path / "tokenizer.json").is_file():
        path = path / "tokenizer.json"
    if path.is_file():
        return _read_tokenizer_json(path)
    vocab_file, merges_file = path / "vocab.json", path / "merges.txt"
    if not (vocab_file.is_file() and merges_file.is_file()):
        raise FileNotFoundError(f"{path} holds neither tokenizer.json nor vocab.json + merges.txt")
    vocab, merges = _ids(_read_json(vocab_file), vocab_file), _read_merges_txt(merges_file)
    # Nothing marks a special token here, but only a special one is neither a byte nor merged.
    merged = {left + right for _, left, right in merges}
    special = {name: vocab[name] for name in vocab.keys() - merged - set(_BYTES)}
    return _check(vocab, merges, special, vocab_file, f"{merges_file}, line")


def _read_tokenizer_json(path: Path) -> Contents:
    whole = _read_json(path)
    try:
        model, added = whole["model"], whole["added_tokens"]
        vocab = _ids(model["vocab"], path)
        special = _ids({token["content"]: token["id"] for token in added}, path)
        merges = [
            (n, *_two(merge.split(" ") if isinstance(merge, str) else merge, f"{path}, merge {n}"))
            for n, merge in enumerate(model["merges"], start=1)
        ]
        differs = [
            key for key, plain in _PLAIN_BPE.items() if (model.get(key) or None) != (plain or None)
        ]
        splitter = whole.get("pre_tokenizer") or {}
        if splitter.get("type") != "ByteLevel" or splitter.get("add_prefix_space"):
            differs.append("pre_tokenizer")
        if not splitter.get("use_regex", True):
            differs.append("pre_tokenizer.use_regex")
        if whole.get("normalizer"):
            differs.append("normalizer")
        if any(token.get(key) for token in added for key in ("single_word", "lstrip", "rstrip")):
            differs.append("added_tokens")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} does not describe a BPE tokenizer: {error!r}") from None
    if differs:
        raise ValueError(f"{path} is not a tokenizer of GPT-2's kind: see its {', '.join(differs)}")
    return _check(vocab | special, merges, special, path, f"{path}, merge")


def _read_merges_txt(path: Path) -> list[_Merge]:
    merges = []
    for number, line in enumerate(_read(path).split("\n"), start=1):
        line = line.removesuffix("\r")
        if line and not line.startswith("#version"):
            merges.append((number, *_two(line.split(" "), f"{path}, line {number}")))
    return merges


def _two(parts: Any, where: str) -> tuple[str, str]:
    if len(parts) == 2 and all(isinstance(part, str) and part for part in parts):
        return parts[0], parts[1]
    raise ValueError(f"{where}: expected two tokens, found {parts}")


def _ids(vocab: Any, path: Path) -> dict[str, int]:
    """Check that a JSON value maps tokens to different ids."""
    if not isinstance(vocab, dict):
        raise ValueError(f"{path}: expected tokens and their ids, found {type(vocab).__name__}")
    owner: dict[int, str] = {}
    for name, id in vocab.items():
        if type(id) is not int or id < 0:
            raise ValueError(f"{path}: token {name!r} has the id {id!r}, not a number from 0 on")
        if (other := owner.setdefault(id, name)) != name:
            raise ValueError(f"{path}: tokens {other!r} and {name!r} share the id {id}")
    return vocab


def _check(
    vocab: dict[str, int], merges: list[_Merge], special: dict[str, int], path: Path, where: str
) -> Contents:
    """Check that vocabulary and merges make one tokenizer, and read the visible characters."""
    _ids(vocab, path)
    if missing := [name for name in _BYTES if name not in vocab]:
        raise ValueError(
            f"{path}: no token for {len(missing)} of the 256 bytes, the first {missing[0]!r}; "
            "a byte-level vocabulary needs them all"
        )
    made = {name: from_visible(name) for name in _BYTES}
    pairs = []
    for number, left, right in merges:
        merged = left + right
        if left not in made or right not in made:
            part = right if left in made else left
            raise ValueError(f"{where} {number}: {part!r} is neither a byte nor merged before")
        if merged in made:
            raise ValueError(f"{where} {number}: {merged!r} was merged before")
        if merged not in vocab:
            raise ValueError(f"{where} {number}: {merged!r} is not in the vocabulary")
        pairs.append((made[left], made[right]))
        made[merged] = made[left] + made[right]
    if unmade := vocab.keys() - made.keys() - special.keys():
        raise ValueError(f"{path}: no merge makes the token {min(unmade)!r}, and it is not special")
    return Contents(pairs, {token: vocab[name] for name, token in made.items()}, special)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise ValueError(f"{path}: not a tokenizer: nested too deeply") from None


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}") from None


def _write(path: Path, text: str) -> None:
    """Write under another name first, so that what stands under this one is always whole."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(text.encode("utf-8"))
    os.replace(unfinished, path)
