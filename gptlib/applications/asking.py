"""Asking a model many things at once, and how likely it finds given answers."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm  # type: ignore[import-untyped]

from gptlib.model import GPT
from gptlib.sampling import complete
from gptlib.sampling.processors import Processor
from gptlib.tokenizer import END_OF_TEXT, Tokenizer

BATCH = 64  # prompts at once


def replies(
    model: GPT,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    max_new_tokens: int,
    *,
    grammar: Callable[[], Processor] | None = None,
    seed: int | None = None,
    temperature: float = 1.0,
    progress: bool = False,
) -> list[str]:
    """The answer to each prompt, without its end of text: the likeliest words, one by one.

    With a `seed` answers are drawn instead, at this temperature. `grammar` makes a processor for
    each batch that allows some tokens only. Prompts of like length are answered together; all are
    shortened from the left to what the model can read and answer.
    """
    room = model.config.n_positions - max_new_tokens
    if room < 1:
        raise ValueError(
            f"max_new_tokens={max_new_tokens}: leaves no room for a prompt in "
            f"{model.config.n_positions} positions"
        )
    order = sorted(range(len(prompts)), key=lambda n: len(prompts[n]))
    found = [""] * len(prompts)
    starts = range(0, len(order), BATCH)
    for start in tqdm(starts, disable=not progress, leave=False):
        rows = order[start : start + BATCH]
        answers = complete(
            model, tokenizer, [_fitting(tokenizer, prompts[row], room) for row in rows],
            max_new_tokens=max_new_tokens, greedy=seed is None,
            seed=None if seed is None else seed + start, temperature=temperature,
            processors=[grammar()] if grammar else [],
        )  # fmt: skip
        for row, answer in zip(rows, answers, strict=True):
            found[row] = answer
    return found


def _fitting(tokenizer: Tokenizer, prompt: str, room: int) -> str:
    if len(prompt) <= room:  # a token has at least one character
        return prompt
    return tokenizer.decode(tokenizer.encode(prompt)[-room:])


@torch.no_grad()
def log_likelihoods(
    model: GPT, tokenizer: Tokenizer, prompts: Sequence[str], answers: Sequence[str]
) -> Float[Tensor, "P A"]:
    """log p(answer and its end | prompt), in nats, of every answer after every prompt.

    Each prompt is read once; all answers go on from its keys and values. A prompt is shortened from
    the left to what the model can read beside the longest answer.
    Raises `ValueError` for an empty prompt or answer, or for an answer with no room for a prompt.
    """
    if not all(prompts) or not all(answers):
        raise ValueError("an empty prompt or answer has no likelihood")
    end = tokenizer.special_tokens[END_OF_TEXT]
    ids = [[*tokenizer.encode(answer), end] for answer in answers]
    T = max(map(len, ids))
    idx = torch.tensor([row + [end] * (T - len(row)) for row in ids])
    counts = torch.tensor([[n < len(row) for n in range(T)] for row in ids])
    room = model.config.n_positions - T
    if room < 1:
        raise ValueError(
            f"the longest answer has {T} tokens and leaves no room for a prompt in "
            f"{model.config.n_positions} positions"
        )
    table = torch.empty(len(prompts), len(answers))
    for number, prompt in enumerate(prompts):
        read = torch.tensor([tokenizer.encode(prompt)[-room:]])
        for at in range(0, len(answers), BATCH):
            rows = slice(at, at + BATCH)
            B = len(idx[rows])
            cache = model.new_cache(read.shape[1] + T)
            first = model(read, cache=cache)[:, -1:].expand(B, 1, -1)
            cache.select(torch.zeros(B, dtype=torch.long))
            later = model(idx[rows, :-1], cache=cache) if T > 1 else first[:, :0]
            logits = torch.cat([first, later], dim=1)  # (B, T, V): what was expected of each
            costs = F.cross_entropy(logits.mT, idx[rows], reduction="none")  # (B, T)
            table[number, rows] = -(costs * counts[rows]).sum(1)
    return table
