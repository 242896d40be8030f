"""What a model of stories is worth: its loss beside the floor, its own stories before the judge."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from zlib import crc32

import numpy as np
import torch
import torch.nn.functional as F

from gptlib import storyworld
from gptlib.data import Documents
from gptlib.model import GPT
from gptlib.sampling import complete
from gptlib.tokenizer import END_OF_TEXT, Tokenizer

PROMPT = "Once upon a time"
Figures = dict[str, float]


@torch.no_grad()
def nats(model: GPT, tokenizer: Tokenizer, texts: list[str], batch_size: int = 20) -> list[float]:
    """What each text costs the model, read from its first token to its end, in nats."""
    end = tokenizer.special_tokens[END_OF_TEXT]
    tokens = np.concatenate([[*tokenizer.encode(text), end] for text in texts])
    found: list[float] = []
    for idx, targets in Documents(tokens, end, batch_size=batch_size).in_order():
        logits = model(idx)
        costs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        found += costs.view(targets.shape).sum(dim=1).tolist()
    return found


def held_out(model: GPT, tokenizer: Tokenizer, level: str, split: str, seeds: range) -> Figures:
    """The mean cost of a split's stories in nats, beside what they cost the world itself.

    `gap` is their difference a story, which is an estimate of the KL divergence from the world to
    the model; `gap_error` its standard error. All of it is exact for these stories.
    """
    stories = [storyworld.story(seed, level, split) for seed in seeds]
    costs = nats(model, tokenizer, [story.text for story in stories])
    gaps = [cost + story.log_prob for cost, story in zip(costs, stories, strict=True)]
    floor = -statistics.fmean(story.log_prob for story in stories)
    n_tokens = sum(len(tokenizer.encode(story.text)) + 1 for story in stories)
    return {
        "stories": len(stories),
        "tokens_per_story": n_tokens / len(stories),
        "nats_per_story": statistics.fmean(costs),
        "floor": floor,
        "gap": statistics.fmean(gaps),
        "gap_error": statistics.stdev(gaps) / len(gaps) ** 0.5,
        "percent_above_floor": 100 * statistics.fmean(gaps) / floor,
    }


def own_stories(
    model: GPT, tokenizer: Tokenizer, n: int, seed: int = 0, batch_size: int = 50
) -> list[str]:
    """`n` stories that the model tells from "Once upon a time" at temperature 1."""
    room = model.config.n_positions - len(tokenizer.encode(PROMPT))
    found: list[str] = []
    while len(found) < n:
        rows = min(batch_size, n - len(found))
        texts = complete(
            model, tokenizer, [PROMPT] * rows, max_new_tokens=room, seed=seed + len(found)
        )
        found += [PROMPT + text for text in texts]
    return found


def judged(texts: list[str], level: str) -> tuple[Figures, list[tuple[str, int]]]:
    """The judge's shares in percent, and its commonest reasons against a text."""
    verdicts = [storyworld.check(text, level) for text in texts]
    reasons = Counter(_kind(verdict.reason) for verdict in verdicts if not verdict)
    figures = {
        "stories": len(texts),
        "percent_grammatical": 100 * statistics.fmean(v.grammatical for v in verdicts),
        "percent_consistent": 100 * statistics.fmean(bool(v) for v in verdicts),
    }
    return figures, reasons.most_common(10)


def _kind(reason: str) -> str:
    """A reason of the judge without the sentence that it quotes."""
    if reason.startswith("no sentence reads"):
        return "a sentence that the world never says"
    return re.split(r"""['"]: """, reason)[-1]


def copied(texts: list[str], training: Iterable[str], n: int = 8) -> Figures:
    """How much of each text stands word for word in one training text.

    A text's overlap is the largest share of its n-grams of words that a single training text
    holds too. Source: Radford et al. 2019, section 4, which measures overlap by 8-grams.
    Raises ValueError for a text shorter than `n` words.
    """
    if short := [text for text in texts if len(text.split()) < n]:
        raise ValueError(f"{len(short)} texts are shorter than {n} words, such as {short[0]!r}")
    wanted = [np.array(sorted(set(_grams(text, n)))) for text in texts]
    lengths = np.array([len(grams) for grams in wanted])
    grams = np.concatenate(wanted)
    order = np.argsort(grams, kind="stable")
    grams, owners = grams[order], np.repeat(np.arange(len(texts)), lengths)[order]
    most = np.zeros(len(texts))
    whole = set(texts)
    found_whole: set[str] = set()
    for text in training:
        if text in whole:
            found_whole.add(text)
        here = np.array(sorted(set(_grams(text, n))))
        begin, end = np.searchsorted(grams, here), np.searchsorted(grams, here, side="right")
        sharing = [owners[i:j] for i, j in zip(begin, end, strict=True) if i < j]
        if sharing:
            shared = np.bincount(np.concatenate(sharing), minlength=len(texts))
            np.maximum(most, shared / lengths, out=most)
    return {
        "percent_copied_whole": 100 * statistics.fmean(text in found_whole for text in texts),
        "overlap_median_percent": 100 * float(np.median(most)),
        "overlap_largest_percent": 100 * float(most.max()),
    }


def _grams(text: str, n: int) -> Iterator[int]:
    words = text.split()
    return (crc32(" ".join(words[at : at + n]).encode()) for at in range(len(words) - n + 1))
