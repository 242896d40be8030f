"""The shape of a model: one frozen dataclass, with Hugging Face GPT-2's field names."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Positions = Literal["learned", "sinusoidal", "rotary", "alibi", "none"]


@dataclass(frozen=True)
class GPTConfig:
    """Everything that fixes a GPT's architecture. The defaults are GPT-2 small.

    Raises `ValueError` in one line that names the field, its value and what to do.
    Source: Radford et al. 2019, table 2; field names as in `transformers.GPT2Config`.
    """

    vocab_size: int = 50_257
    n_positions: int = 1024  # longest sequence; other books: block_size, n_ctx, context_length
    n_embd: int = 768  # C, the width of the residual stream; d_model in papers
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None  # width of the MLP's hidden layer; None means 4 * n_embd
    layer_norm_epsilon: float = 1e-5
    dropout: float = 0.0  # GPT-2 trained with 0.1; modern runs see each token once and use none
    tie_word_embeddings: bool = True  # the output layer reuses the input embedding
    positions: Positions = "learned"

    def __post_init__(self) -> None:
        for name in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner"):
            value = getattr(self, name)
            if name == "n_inner" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}={value!r}: must be a whole number of at least 1")
        if self.n_embd % self.n_head:
            raise ValueError(
                f"n_embd={self.n_embd} can't be split into n_head={self.n_head} equal heads: "
                "make n_embd a multiple of n_head"
            )
        if self.positions not in get_args(Positions):
            known = ", ".join(get_args(Positions))
            raise ValueError(f"positions={self.positions!r}: choose one of {known}")
        if self.positions == "rotary" and self.head_dim % 2:
            raise ValueError(
                f"rotary positions turn pairs of dimensions, and n_embd / n_head = "
                f"{self.head_dim} is odd: choose an even head size"
            )
        if self.positions == "sinusoidal" and self.n_embd % 2:
            raise ValueError(f"n_embd={self.n_embd}: sinusoidal positions need an even n_embd")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout={self.dropout}: must be at least 0 and below 1")
        if not self.layer_norm_epsilon > 0.0:
            raise ValueError(f"layer_norm_epsilon={self.layer_norm_epsilon}: must be above 0")

    @property
    def head_dim(self) -> int:
        """D, the width of one head."""
        return self.n_embd // self.n_head

    @property
    def inner_dim(self) -> int:
        """The width of the MLP's hidden layer."""
        return 4 * self.n_embd if self.n_inner is None else self.n_inner

    @property
    def num_parameters(self) -> int:
        """How many numbers training adjusts, from a formula, without building the model."""
        C, F = self.n_embd, self.inner_dim
        layer_norm = 2 * C
        attention = (C * 3 * C + 3 * C) + (C * C + C)  # c_attn, c_proj
        mlp = (C * F + F) + (F * C + C)  # c_fc, c_proj
        embeddings = self.vocab_size * C
        if self.positions == "learned":
            embeddings += self.n_positions * C
        head = 0 if self.tie_word_embeddings else self.vocab_size * C
        return embeddings + self.n_layer * (2 * layer_norm + attention + mlp) + layer_norm + head

    @classmethod
    def preset(cls, name: str, **changes: Any) -> "GPTConfig":
        """A named configuration, with fields changed by keyword: `preset("tiny", n_layer=2)`."""
        if name not in PRESETS:
            raise ValueError(f"no preset {name!r}: choose one of {', '.join(PRESETS)}")
        known = {field.name for field in fields(cls)}
        for field in changes:
            if field not in known:
                raise ValueError(f"GPTConfig has no field {field!r}: it has {', '.join(known)}")
        return cls(**{**PRESETS[name], **changes})


# Radford et al. 2019, table 2, for the four GPT-2s. The paper's own parameter counts (117M, 345M)
# were wrong and later corrected by its authors: `num_parameters` gives 124M, 355M, 774M, 1558M.
PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"n_layer": 4, "n_head": 4, "n_embd": 128, "n_positions": 128, "vocab_size": 256},
    "gpt2": {"n_layer": 12, "n_head": 12, "n_embd": 768},
    "gpt2-medium": {"n_layer": 24, "n_head": 16, "n_embd": 1024},
    "gpt2-large": {"n_layer": 36, "n_head": 20, "n_embd": 1280},
    "gpt2-xl": {"n_layer": 48, "n_head": 25, "n_embd": 1600},
}
