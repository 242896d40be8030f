"""`gptlib generate`: let a model go on with a text."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from gptlib.cli.errors import Failure, Usage
from gptlib.cli.parsing import Parser, number, whole

SUMMARY = "let a model go on with a text"
DESCRIPTION = """\
Let a model go on with a text, token by token, and print both as it writes.

Each token is drawn from the model's probabilities; the options say how boldly. It ends after
--max-new-tokens, at the model's end-of-text token, or before a --stop text."""
EXAMPLES = """\
  gptlib generate "Once upon a time"
  gptlib generate --model runs/mine --temperature 0.8 --top-p 0.95 --seed 1 -n 3 "Lily had"
  gptlib generate --greedy --stop "." "The dog"
  echo "Once upon a time" | gptlib generate -"""
MOST = 200  # new tokens, unless more are asked for


def options(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument("prompt", help="the text to go on with; - reads it from standard input")
    parser.add_argument(
        "--model", default="story-gpt", metavar="MODEL",
        help="a folder, a shipped model or one of the hub (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--max-new-tokens", type=whole(1), metavar="N",
        help=f"how many tokens to write at most (default: {MOST}, or what the model has room for)",
    )  # fmt: skip
    parser.add_argument(
        "-n", "--samples", type=whole(1), default=1, metavar="N",
        help="how many texts to write (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--stop", action="append", default=[], metavar="TEXT",
        help="end before this text; may be given more than once (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--window", type=whole(1), metavar="N",
        help="read only the last N tokens, to write on past the model's positions "
        "(default: all of them)",
    )  # fmt: skip
    how = parser.add_argument_group("choosing the next token")
    how.add_argument(
        "--temperature", type=number(above=0), metavar="X",
        help="below 1 more cautious, above 1 bolder (default: 1)",
    )  # fmt: skip
    how.add_argument(
        "--top-k", type=whole(1), metavar="N", help="only the N likeliest (default: all)"
    )
    how.add_argument(
        "--top-p", type=number(above=0, most=1), metavar="X",
        help="only the likeliest that have this probability together (default: all)",
    )  # fmt: skip
    how.add_argument(
        "--min-p", type=number(above=0, most=1), metavar="X",
        help="only those at least this many times as likely as the likeliest (default: all)",
    )  # fmt: skip
    how.add_argument(
        "--repetition-penalty", type=number(above=0), metavar="X",
        help="above 1: what was said becomes less likely (default: none)",
    )  # fmt: skip
    how.add_argument(
        "--greedy", action="store_true", help="take the likeliest, draw nothing (default: off)"
    )
    how.add_argument(
        "--beams", type=whole(1), metavar="N",
        help="search for the likeliest text with N beams (default: no search)",
    )  # fmt: skip
    how.add_argument(
        "--seed", type=whole(0), metavar="N",
        help="draw the same every time (default: another text each time)",
    )  # fmt: skip
    where = parser.add_argument_group("machine")
    where.add_argument(
        "--device", metavar="NAME", help="cpu, cuda, mps or xpu (default: the best one here)"
    )


def run(given: Namespace) -> int:
    """Print the prompt and what the model makes of it."""
    _check(given)
    prompt = _prompt(given.prompt)
    texts = _texts(given, prompt)
    try:
        for number_, pieces in enumerate(texts):
            print("\n" * (number_ > 0) + prompt, end="", flush=True)
            for piece in pieces:
                print(piece, end="", flush=True)
            print()
    except KeyboardInterrupt:
        print()
        raise
    return 0


def _check(given: Namespace) -> None:
    """Raise `Usage` for options that contradict each other."""
    draws = given.seed is not None or given.temperature is not None
    if given.greedy and given.beams:
        raise Usage("--greedy and --beams are two ways to search: choose one")
    if given.greedy and (draws or given.samples > 1):
        raise Usage("--greedy draws nothing: leave out --seed, --temperature and --samples")
    if given.beams and (draws or given.stop):
        raise Usage("--beams has no use for --seed, --temperature or --stop: leave them out")
    if given.beams and given.samples > given.beams:
        raise Usage(f"{given.beams} beams find no {given.samples} texts: give more --beams")


def _prompt(word: str) -> str:
    prompt = word
    if word == "-":
        try:
            prompt = sys.stdin.buffer.read().decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise Failure(f"standard input: not UTF-8 at byte {error.start}") from None
    if not prompt:
        raise Usage("the prompt is empty: give a text to go on with")
    return prompt


def _texts(given: Namespace, prompt: str) -> Iterator[Iterator[str]]:
    """One text after another, each in pieces."""
    import gptlib
    from gptlib import device, pretrained, sampling
    from gptlib.tokenizer import Tokenizer

    try:
        here = device.choose(given.device).device
    except ValueError as error:
        raise Usage(f"--device: {error}") from None
    folder = pretrained.find(given.model)
    model = gptlib.load(folder).to(here)
    tokenizer = Tokenizer.load(folder)
    if tokenizer.vocab_size > model.config.vocab_size:
        raise Failure(
            f"{folder}: its tokenizer has {tokenizer.vocab_size} tokens, the model only "
            f"{model.config.vocab_size}: they do not belong together"
        )
    names = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
    asked: dict[str, Any] = {n: v for n in names if (v := getattr(given, n)) is not None}
    asked["window"] = given.window
    asked["max_new_tokens"] = _room(given, len(tokenizer.encode(prompt)), model.config.n_positions)
    if given.beams:
        yield from map(iter, _beams(model, tokenizer, prompt, given, asked))
        return
    asked |= {"stop": given.stop, "greedy": given.greedy}
    for n in range(given.samples):
        seed = None if given.seed is None else given.seed + n
        yield sampling.stream_text(model, tokenizer, prompt, seed=seed, **asked)


def _room(given: Namespace, length: int, n_positions: int) -> int:
    """How many tokens to write: as asked, else what fits behind a prompt of this length."""
    asked: int | None = given.max_new_tokens
    room = n_positions - length
    if given.window is not None or (asked or 1) <= room:
        return asked if asked is not None else min(MOST, room) if given.window is None else MOST
    raise Failure(
        f"{given.model}: reads {n_positions} tokens at most, and the prompt has {length}: no room "
        f"for {asked or 'any'} more; shorten one of them, or slide on with --window {n_positions}"
    )


def _beams(
    model: Any, tokenizer: Any, prompt: str, given: Namespace, asked: dict[str, Any]
) -> list[list[str]]:
    import torch

    from gptlib.sampling import beam_search
    from gptlib.tokenizer import END_OF_TEXT

    idx = torch.tensor([tokenizer.encode(prompt)], device=next(model.parameters()).device)
    end = tokenizer.special_tokens.get(END_OF_TEXT)
    found = beam_search(
        model, idx, n_beams=given.beams, n_best=given.samples,
        stop_tokens=() if end is None else (end,), **asked,
    )  # fmt: skip
    texts = []
    for ids in found.ids[0, :, idx.shape[1] :].tolist():
        texts.append([tokenizer.decode(ids[: ids.index(end)] if end in ids else ids)])
    return texts
