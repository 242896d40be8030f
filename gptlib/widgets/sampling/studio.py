"""What the sampling studio shows: one distribution, and what each filter leaves of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gptlib.model import GPT
from gptlib.sampling import filters
from gptlib.sampling.draws import Draws
from gptlib.widgets.subject import Subject, TokenizerLike

# In the order that gptlib.sampling runs them. The value is the setting that changes nothing.
STAGES: Mapping[str, float | None] = {
    "repetition_penalty": None,
    "temperature": 1.0,
    "top_k": None,
    "top_p": None,
    "min_p": None,
}
SHOWN = 16  # candidates
LONGEST = 512  # tokens of prompt and path together

Settings = Mapping[str, float | None]


@dataclass(frozen=True)
class Stage:
    """A distribution: of the model, or after one more filter."""

    name: str
    probs: Tensor  # (V,)

    @property
    def kept(self) -> int:
        """How many tokens are still possible."""
        return int((self.probs > 0).sum())


@dataclass(frozen=True)
class Look:
    """The stages at the end of a path, and the probability of each token on the way there."""

    stages: list[Stage]
    path: list[tuple[int, float]]  # (token, probability after the filters)


class Studio(Subject):
    """Walks through a model's distributions token by token."""

    def __init__(self, model: GPT, tokenizer: TokenizerLike) -> None:
        super().__init__(model, tokenizer, LONGEST)

    def look(self, prompt: str, path: Sequence[int], settings: Settings) -> Look:
        """One forward pass over prompt and path. Raises `ValueError` for what can't be read."""
        ids = self.ids(prompt, path)
        start = len(ids) - len(path)
        logits = self._logits(ids)
        walked = []
        for step, token in enumerate(path, start=start):
            stages = self.stages(logits[step - 1], ids[:step], settings)
            walked.append((token, float(stages[-1].probs[token])))
        return Look(self.stages(logits[-1], ids, settings), walked)

    def stages(self, logits: Tensor, ids: Sequence[int], settings: Settings) -> list[Stage]:
        """The model's distribution, then what it is after each filter that is set."""
        row, idx = logits[None].float().cpu(), torch.tensor([list(ids)])
        found = [Stage("model", row[0].softmax(-1))]
        for name, off in STAGES.items():
            value = settings.get(name, off)
            if value == off or value is None:
                continue
            given: dict[str, Any] = {name: (int if name == "top_k" else float)(value)}
            for process in filters.chain(len(ids), **given):
                row = process(row, idx)
            found.append(Stage(name, row[0].softmax(-1)))
        return found

    def draw(self, look: Look, seed: int) -> int:
        """A token from the last stage; the same for the same seed."""
        return int(Draws(1, seed)(look.stages[-1].probs[None]))

    def candidates(self, look: Look) -> list[tuple[int, list[float]]]:
        """The likeliest tokens, before or after the filters, with their chance in each stage."""
        first, last = look.stages[0].probs, look.stages[-1].probs
        ranked = torch.maximum(first, last).topk(min(SHOWN, len(first))).indices.tolist()
        ranked.sort(key=lambda id: (-float(last[id]), -float(first[id])))
        return [(id, [float(stage.probs[id]) for stage in look.stages]) for id in ranked]

    def _logits(self, ids: list[int]) -> Tensor:
        with self.quiet():
            logits: Tensor = self.model(self.row(ids))[0]
        return logits
