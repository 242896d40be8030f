"""`gptlib info`: what a model is made of, or what this machine has."""

import json
import platform
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

import gptlib
from gptlib.cli.parsing import Parser

SUMMARY = "tell what a model is made of, or what this machine has"
DESCRIPTION = """\
Tell what a model is made of: shape, parameters by part, number format, size, tokenizer, training.

Without a model: versions, the devices of this machine with their measured speed, shipped models."""
EXAMPLES = """\
  gptlib info
  gptlib info story-gpt
  gptlib info runs/mine"""

# A parameter belongs to the first part whose word its name holds.
PARTS = {
    ".wte.": "token embedding",
    ".wpe.": "position embedding",
    ".attn.": "attention",
    ".mlp.": "MLP",
    ".ln_": "LayerNorm",
    "lm_head": "output layer",
}


def options(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument(
        "model", nargs="?", help="a folder, a shipped model or one of the hub (default: none)"
    )


def run(given: Namespace) -> int:
    """Print a table."""
    rows = _machine() if given.model is None else _model(given.model)
    for name, value in rows:
        print(f"{name:<11} {value}")
    return 0


def _machine() -> list[tuple[str, str]]:
    from gptlib import device, pretrained

    names = ", ".join(pretrained.shipped()) or "none in this installation"
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    rows = [("gptlib", f"{gptlib.__version__}, {system}"), ("models", names)]
    title = "devices"
    for line in device.report().splitlines():
        rows.append((title, line))
        title = ""
    return rows


def _model(name: str) -> list[tuple[str, str]]:
    from gptlib import pretrained

    folder = pretrained.find(name)
    pretrained.read_config(folder / "config.json")  # first of all: is it a model?
    files = sorted(folder.glob("*.safetensors"))
    files = [file for file in files if file.name.startswith("model")]
    dtypes, dtype = _dtypes(files)
    model = pretrained.load(folder, dtype)  # in its own format: mapped, not read
    c = model.config
    by_part: Counter[str] = Counter()
    for parameter, tensor in model.named_parameters():
        part = next(title for word, title in PARTS.items() if word in f".{parameter}")
        by_part[part] += tensor.numel()
    total = by_part.total()
    rows = [
        ("folder", str(folder)),
        ("model", f"{c.n_layer} layers, {c.n_head} heads of {c.head_dim}, width {c.n_embd}, "
                  f"MLP {c.inner_dim}, {c.n_positions} {c.positions} positions"),
        ("parameters", f"{total:,}"),
        *(("", f"{n:>13,}  {part} ({n / total:.1%})") for part, n in by_part.items()),
    ]  # fmt: skip
    if c.tie_word_embeddings:
        rows.append(("", f"{'':>13}  output layer: the token embedding again"))
    size = sum(file.stat().st_size for file in files)
    rows += [
        ("format", f"{dtypes}, {_bytes(size)} in {', '.join(file.name for file in files)}"),
        ("vocabulary", f"{c.vocab_size:,}"),
        ("tokenizer", _tokenizer(folder)),
        *_training(folder),
    ]
    return rows


def _dtypes(files: list[Path]) -> tuple[str, Any]:
    """The number formats in some safetensors files, in words, and the commonest as torch's."""
    import torch
    from safetensors import SafetensorError, safe_open

    found: Counter[str] = Counter()
    for file in files:
        try:
            with safe_open(file, framework="pt") as opened:
                found.update(opened.get_slice(n).get_dtype() for n in opened.keys())  # noqa: SIM118
        except (SafetensorError, OSError):
            break  # loading the model says in one line what is wrong with it
    names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}
    words = [names.get(name, name) for name, _ in found.most_common()]
    known = [word for word in words if word in names.values()]
    return ", ".join(words), getattr(torch, known[0]) if known else torch.float32


def _bytes(n: int) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 1e5 else f"{n / 1e3:,.1f} kB"


def _tokenizer(folder: Path) -> str:
    from gptlib.tokenizer import Tokenizer

    try:
        tokenizer = Tokenizer.load(folder)
    except FileNotFoundError:
        return "none in this folder"
    special = ", ".join(f"{text} ({id})" for text, id in tokenizer.special_tokens.items())
    return (
        f"byte-level BPE, {tokenizer.vocab_size:,} tokens: 256 bytes, "
        f"{len(tokenizer.merges):,} merges, special: {special or 'none'}"
    )


def _training(folder: Path) -> list[tuple[str, str]]:
    """What `run.json` and the model card tell, as far as they are there."""
    rows = []
    if (folder / "run.json").is_file():
        rows.append(("training", _run(folder)))
    card = folder / "README.md"
    if card.is_file():
        rows.append(("card", str(card)))
        rows += [("", line) for line in _first_paragraph(card.read_text(encoding="utf-8"))]
    return rows


def _run(folder: Path) -> str:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        text = f"on {record['arguments']['data']}"
        result = record.get("result")
        if result is None:
            return f"{text}, not yet at an end"
        text += (
            f": {result['step']:,} steps, {result['tokens']:,} tokens, {result['seconds']:,.0f} s, "
            f"{result['stopped']}; loss {result['loss']:.4f}"
        )
        if (loss := result["validation_loss"]) is not None:
            text += f", validation {loss:.4f}"
            if (floor := record.get("data", {}).get("floor")) is not None:
                text += f", {loss - floor:.4f} above the floor of {floor:.4f}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"run.json can't be read: {error!r}"
    return text


def _first_paragraph(card: str) -> list[str]:
    """The first lines of prose of a model card, after its YAML header and its title."""
    if card.startswith("---\n") and "\n---\n" in card[4:]:
        card = card[4:].split("\n---\n", 1)[1]
    for paragraph in card.split("\n\n"):
        lines = [line for line in paragraph.strip().splitlines() if not line.startswith("#")]
        if lines:
            return lines
    return []
