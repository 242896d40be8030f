"""LoRA: a frozen linear map plus a product of two thin matrices, which alone are trained.

Fine-tuning changes a weight W by little, and that change has few directions. So it is written as
B A with a small inner size, the rank: y = W x + (alpha / rank) B A x. B begins at zero, so the
model begins as it was. Afterwards W + (alpha / rank) B A is one matrix again.
Source: Hu et al. 2022, section 4.1.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gptlib.finetuning.heads import HEADS
from gptlib.finetuning.layers_to_train import train_only

# Every map inside the blocks. Adapters on all of them come closer to full fine-tuning than larger
# ones on a few (Dettmers et al. 2023, section 4 and figure 2).
EVERY_MAP = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")


class LoRALinear(nn.Module):
    """A linear layer with an adapter beside it: `base(x) + alpha / rank * B A dropout(x)`.

    `base` is an `nn.Linear`, or transformers' `Conv1D`, which keeps its weight as (in, out). A is
    drawn as `nn.Linear` draws its weights, B is zero. `active = False` takes the adapter out.
    """

    def __init__(
        self, base: nn.Module, rank: int, alpha: float | int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.base = base
        n_out, n_in = sizes(base)
        like = base.get_parameter("weight")
        self.lora_A = nn.Parameter(like.new_empty(rank, n_in))
        self.lora_B = nn.Parameter(like.new_zeros(n_out, rank))
        nn.init.uniform_(self.lora_A, -1 / math.sqrt(n_in), 1 / math.sqrt(n_in))
        self.dropout = nn.Dropout(dropout)
        self.rank = rank
        self.alpha = alpha
        self.active = True
        self.train(base.training)

    def forward(self, x: Float[Tensor, "*batch I"]) -> Float[Tensor, "*batch O"]:
        y: Tensor = self.base(x)
        if self.active:
            inner = F.linear(self.dropout(x), self.lora_A)  # (*batch, rank)
            y = y + self.alpha / self.rank * F.linear(inner, self.lora_B)
        return y

    @property
    def weight(self) -> Tensor:
        """The one matrix that does the same, laid out as `base` has it: for a decoder, a plot."""
        weight = self.base.get_parameter("weight")
        if not self.active:
            return weight
        exact = torch.promote_types(weight.dtype, torch.float32)
        change = self.alpha / self.rank * (self.lora_B.to(exact) @ self.lora_A.to(exact))
        if not isinstance(self.base, nn.Linear):
            change = change.t()
        return weight + change.to(weight.dtype)

    @property
    def bias(self) -> Tensor | None:
        """The base's own."""
        bias: Tensor | None = self.base.bias  # type: ignore[assignment]
        return bias


def add_lora(
    model: nn.Module,
    rank: int = 8,
    alpha: float | int = 16,
    targets: Sequence[str] = EVERY_MAP,
    dropout: float = 0.0,
) -> int:
    """Put adapters beside linear layers, freeze all else, and return how many numbers train.

    A classifier's head trains too. What the model computes does not change yet.

    Args:
        targets: which layers: the end of a name such as "c_attn" or "mlp.c_proj", or a shell
            pattern such as "h.1[01].*". None is the head of a classifier.
        rank: of the change; `rank * (in + out)` numbers train in a layer.
        alpha: the change is multiplied by alpha / rank.
        dropout: on the adapters' input, in training.

    Raises `ValueError` for a target that no linear layer matches, numbers out of range, or a
    model that has adapters already.
    """
    if rank < 1 or not alpha > 0 or not 0 <= dropout < 1:
        raise ValueError(
            f"rank={rank}, alpha={alpha}, dropout={dropout}: rank must be at least 1, alpha above "
            "0, dropout at least 0 and below 1"
        )
    if not targets or isinstance(targets, str):
        raise ValueError(f'targets={targets!r}: give a list of names, such as ["c_attn"]')
    names: dict[str, None] = {}
    for target in targets:
        names |= dict.fromkeys(_matching(model, target))
    for name in names:
        put(model, name, LoRALinear(model.get_submodule(name), rank, alpha, dropout))
    return train_only(model, "lora")


def lora_layers(model: nn.Module) -> dict[str, LoRALinear]:
    """The layers that have an adapter, by name."""
    return {name: m for name, m in model.named_modules() if isinstance(m, LoRALinear)}


@torch.no_grad()
def merge_lora(model: nn.Module) -> None:
    """Add each adapter to its layer's weight and take it away: a plain model that gives the same.

    All its parameters can train again. Raises `ValueError` where there are no adapters.
    """
    layers = lora_layers(model)
    if not layers:
        raise ValueError("the model has no adapters to merge")
    for name, layer in layers.items():
        layer.active = True
        layer.base.get_parameter("weight").copy_(layer.weight)
        put(model, name, layer.base)
    train_only(model, "all")


@contextmanager
def without_lora(model: nn.Module) -> Iterator[None]:
    """The model computes as it did before `add_lora` during the `with` block: DPO's reference."""
    before = {layer: layer.active for layer in lora_layers(model).values()}
    try:
        for layer in before:
            layer.active = False
        yield
    finally:
        for layer, active in before.items():
            layer.active = active


def linear_layers(model: nn.Module) -> dict[str, nn.Module]:
    """The layers that can have an adapter, by name: all linear maps but a classifier's head.

    Raises `ValueError` for a model that has adapters already.
    """
    if lora_layers(model):
        raise ValueError("the model has adapters already: merge_lora makes it a plain one")
    return {
        name: module
        for name, module in model.named_modules()
        if (isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D")
        and name.split(".")[0] not in HEADS
    }


def put(model: nn.Module, name: str, layer: nn.Module) -> None:
    """Make `layer` the submodule of this name."""
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, layer)


def sizes(layer: nn.Module) -> tuple[int, int]:
    """(out, in) of a linear layer, whichever way its weight lies."""
    first, second = layer.get_parameter("weight").shape
    return (first, second) if isinstance(layer, nn.Linear) else (second, first)


def _matching(model: nn.Module, target: str) -> list[str]:
    layers = linear_layers(model)
    found = [n for n in layers if fnmatchcase(n, target) or fnmatchcase(n, f"*.{target}")]
    if not found:
        kinds = sorted({".".join(name.split(".")[-2:]) for name in layers})
        raise ValueError(
            f"no linear layer matches the target {target!r}; this model has: "
            f"{', '.join(kinds) or 'none at all'}"
        )
    return found
