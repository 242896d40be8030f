"""One token's path through a model: what each branch adds, and what that does to a prediction."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gptlib import hooks
from gptlib.model import GPT
from gptlib.widgets.subject import Subject, TokenizerLike

LONGEST = 256  # tokens
HOOKS = ("hook_embed", "hook_final", "*.hook_attn_out", "*.hook_mlp_out")


@dataclass(frozen=True)
class Step:
    """Something added to the stream: the embedding, or a branch of a block."""

    name: str  # "embedding", "attention 0", "MLP 0"
    added: float  # length of what is added
    stream: float  # length of the stream after it
    along: float  # cosine of what is added and the stream before it; 0 for the embedding
    logit: float  # what it adds to the target's logit


@dataclass(frozen=True)
class Walk:
    """The steps of one position, and the target that they speak for or against."""

    tokens: list[str]
    position: int
    target: int
    likeliest: list[tuple[int, float]]  # token and probability
    steps: list[Step]
    bias: float  # what the last LayerNorm's bias adds to the target's logit

    @property
    def logit(self) -> float:
        """The target's logit: the sum of all."""
        return sum(step.logit for step in self.steps) + self.bias


class Walker(Subject):
    """Reads a text and follows one position. Raises `ValueError` for a model without hooks."""

    def __init__(self, model: GPT, tokenizer: TokenizerLike) -> None:
        super().__init__(model, tokenizer, LONGEST)
        for hook in HOOKS:
            hooks.hook_points(model, f"*{hook}")  # raises ValueError, names what is there

    def walk(self, text: str, position: int | None = None, target: int | None = None) -> Walk:
        """Follow a position (default: the last) and explain a target (default: the likeliest)."""
        ids = self.ids(text)
        at = len(ids) - 1 if position is None else min(max(position, 0), len(ids) - 1)
        with self.quiet(), hooks.record(self.model, "*") as seen:
            self.model.transformer(self.row(ids))
            final = seen["transformer.hook_final"][0, at]
            logits = F.linear(final, self.model.output_weight).float()
            best = logits.softmax(-1).topk(min(6, len(logits)))
            target = int(best.indices[0]) if target is None else target
            if not 0 <= target < len(logits):
                raise ValueError(f"target={target}: the model has {len(logits)} tokens")
            steps, bias = self._steps(seen, at, target)
        likeliest = list(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        tokens = [self.token(id) for id in ids]
        return Walk(tokens, at, target, likeliest, steps, bias)

    def _steps(self, seen: dict[str, Tensor], at: int, target: int) -> tuple[list[Step], float]:
        parts = [("embedding", seen["transformer.hook_embed"][0, at])]
        for layer in range(self.config.n_layer):
            for name, hook in (("attention", "hook_attn_out"), ("MLP", "hook_mlp_out")):
                parts.append((f"{name} {layer}", seen[f"transformer.h.{layer}.{hook}"][0, at]))
        stream = torch.stack([part for _, part in parts]).sum(0)
        # The last LayerNorm divides the whole stream by one number. With that number known, the
        # target's logit is a sum over the parts. (Elhage et al. 2021, "logit attribution".)
        norm = self.model.transformer.ln_f
        spread = (stream.var(unbiased=False) + self.config.layer_norm_epsilon).sqrt()
        direction = norm.weight * self.model.output_weight[target]
        bias = float(norm.bias @ self.model.output_weight[target])
        steps, before = [], torch.zeros_like(stream)
        for name, part in parts:
            after = before + part
            steps.append(
                Step(
                    name,
                    added=float(part.norm()),
                    stream=float(after.norm()),
                    along=float(F.cosine_similarity(part, before, dim=0)),
                    logit=float((part - part.mean()) @ direction / spread),
                )
            )
            before = after
        return steps, bias
