"""What the attention explorer shows, computed in plain Python: one forward pass, all heads."""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gptlib import hooks
from gptlib.model import GPT
from gptlib.positions import alibi_bias, alibi_slopes
from gptlib.widgets.subject import Subject, TokenizerLike

LONGEST = 512  # tokens; past that neither a matrix nor a screen shows anything
NEEDED = ("hook_q", "hook_k", "hook_attn_scores", "hook_attn_weights", "hook_heads")


@dataclass(frozen=True)
class Settings:
    """How attention is computed: GPT's way by default, or with a part of it left out."""

    causal: bool = True
    scaled: bool = True  # divide by sqrt(d_k)
    temperature: float = 1.0  # of the softmax over keys; every score is divided by it
    off: frozenset[tuple[int, int]] = frozenset()  # (layer, head): their output becomes zero

    def __post_init__(self) -> None:
        if not 0.05 <= self.temperature <= 20:
            raise ValueError(f"temperature={self.temperature:g}: choose between 0.05 and 20")


@dataclass(frozen=True)
class Reading:
    """All that one forward pass showed. L layers, H heads, T tokens."""

    tokens: list[str]
    q: Tensor  # (L, H, T, D)
    k: Tensor  # (L, H, T, D)
    weights: Tensor  # (L, H, T, T)
    resid: Tensor  # (L, T, C), after each block
    final: Tensor  # (T, C), after the last LayerNorm
    untouched: Tensor  # (T, C), as `final`, of the model as it is


@dataclass(frozen=True)
class Guess:
    """A token that may come next."""

    token: str
    probability: float
    untouched: float  # the probability that the model as it is gives


class Reader(Subject):
    """Reads texts with a model and keeps what its heads do.

    Raises `ValueError` for a model that has no hook points where attention happens.
    """

    def __init__(self, model: GPT, tokenizer: TokenizerLike, longest: int = LONGEST) -> None:
        super().__init__(model, tokenizer, longest)
        for hook in NEEDED:
            hooks.hook_points(model, f"*.attn.{hook}")  # raises ValueError, names what is there
        config = self.config
        self.n_layer, self.n_head, self.head_dim = config.n_layer, config.n_head, config.head_dim
        alibi = config.positions == "alibi"
        self.slopes = alibi_slopes(config.n_head) if alibi else torch.zeros(config.n_head)

    def read(self, text: str, settings: Settings | None = None) -> Reading:
        """One forward pass under `settings`, and one of the model as it is where they differ.

        Raises `ValueError` for a text of no tokens or of more than `longest`.
        """
        settings = settings or Settings()
        ids = self.ids(text)
        seen: dict[str, Tensor] = {}
        with self.quiet(), hooks.replace(self.model, self._changes(settings, len(ids))):
            with hooks.record(self.model, "*") as recorded:
                self.model.transformer(self.row(ids))
            seen.update(recorded)
        final = seen["transformer.hook_final"][0]
        with self.quiet():
            as_it_is = settings == Settings()
            untouched = final if as_it_is else self.model.transformer(self.row(ids))[0]
        return Reading(
            tokens=[self.token(id) for id in ids],
            q=self._stack(seen, "attn.hook_q"),
            k=self._stack(seen, "attn.hook_k"),
            weights=self._stack(seen, "attn.hook_attn_weights"),
            resid=self._stack(seen, "hook_resid_post"),
            final=final,
            untouched=untouched,
        )

    def next_tokens(self, reading: Reading, position: int, top: int = 8) -> list[Guess]:
        """What may follow the token at `position`, the likeliest first.

        A token belongs to the list for its probability now or in the model as it is.
        """
        rows = torch.stack([reading.final[position], reading.untouched[position]])
        now, before = self._probabilities(rows)
        best = torch.maximum(now, before).topk(min(top, len(now))).indices
        best = best[now[best].argsort(descending=True)]
        return [Guess(self.token(i), float(now[i]), float(before[i])) for i in best.tolist()]

    def lens(self, reading: Reading, position: int, top: int = 3) -> list[list[tuple[str, float]]]:
        """The logit lens: what each layer would predict if it were the last. (L lists of `top`)

        Source: nostalgebraist 2020, "interpreting GPT: the logit lens".
        """
        with self.quiet():
            rows = self.model.transformer.ln_f(reading.resid[:, position])
        best = self._probabilities(rows).topk(top)
        return [
            [(self.token(i), p) for p, i in zip(values, indices, strict=True)]
            for values, indices in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]

    def _probabilities(self, hidden: Tensor) -> Tensor:
        with torch.no_grad():
            logits = F.linear(hidden, self.model.output_weight)
            return logits.float().softmax(dim=-1)

    def _stack(self, seen: dict[str, Tensor], name: str) -> Tensor:
        rows = [seen[f"transformer.h.{layer}.{name}"][0] for layer in range(self.n_layer)]
        return torch.stack(rows)

    def _changes(self, settings: Settings, n_tokens: int) -> dict[str, Any]:
        """What `hooks.replace` has to do in each layer."""
        changes: dict[str, Any] = {}
        bias: Tensor | float = 0.0
        if self.slopes.any():
            bias = alibi_bias(self.n_head, 0, n_tokens, n_tokens).to(self.model.output_weight)
        scale = 1.0 if settings.scaled else math.sqrt(self.head_dim)
        for layer in range(self.n_layer):
            scores: list[Tensor] = []

            def change_scores(given: Tensor, scores: list[Tensor] = scores) -> Tensor:
                # ALiBi's bias is no part of the product that 1/sqrt(d_k) scales.
                scores[:] = [((given - bias) * scale + bias) / settings.temperature]
                return scores[0]

            def change_weights(given: Tensor, scores: list[Tensor] = scores) -> Tensor:
                return given if settings.causal else scores[0].softmax(dim=-1)

            attn = f"transformer.h.{layer}.attn."
            changes[attn + "hook_attn_scores"] = change_scores
            changes[attn + "hook_attn_weights"] = change_weights
            heads = [head for where, head in settings.off if where == layer]
            if heads:
                changes[attn + "hook_heads"] = _silence(heads)
        return changes


def _silence(heads: list[int]) -> Any:
    def change(given: Tensor) -> Tensor:
        changed = given.clone()
        changed[:, heads] = 0.0
        return changed

    return change
