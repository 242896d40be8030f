"""What each scheme of positions gives attention to work with, as tables that can be looked at."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gptlib.model import GPT
from gptlib.positions import alibi_bias, rotary, sinusoidal

POSITIONS = 64
SHIFTS = 24  # the largest shift that is tried
HEADS = 8  # of ALiBi's picture


@dataclass(frozen=True)
class Scheme:
    """A table of N positions, and what it makes of two of them."""

    title: str
    columns: str  # what the columns of `table` are
    says: str  # one sentence
    table: Tensor  # (N, columns)
    products: Tensor  # (N, N): what the score of query i and key j gets from their positions


def schemes(model: GPT | None = None) -> dict[str, Callable[[int], Scheme]]:
    """The schemes by name, each a function of the width; `model` adds its own learned table."""
    found: dict[str, Callable[[int], Scheme]] = {
        "sinusoidal": _sinusoidal,
        "product formula": _product,
        "rotary": _rotary,
        "ALiBi": _alibi,
    }
    if model is not None:
        if getattr(getattr(model, "config", None), "positions", None) != "learned":
            raise ValueError("model: give one with learned positions, or none")
        learned = model.transformer.wpe.weight.detach().float().cpu()
        found["learned"] = lambda width: _learned(learned)
    return found


def singular_values(table: Tensor) -> Tensor:
    """The table's singular values, the largest as 1: how many directions it really uses."""
    values: Tensor = torch.linalg.svdvals(table.double())
    return (values / values[0].clamp(min=1e-300)).float()


def shift_errors(table: Tensor, most: int = SHIFTS) -> Tensor:
    """How far the best matrix is from moving the table by 1, 2, ... rows: 0 exact, 1 useless."""
    X = table.double()
    errors = []
    for shift in range(1, min(most, len(X) - 1) + 1):
        best = torch.linalg.lstsq(X[:-shift], X[shift:], driver="gelsd").solution
        size = X[shift:].norm().clamp(min=1e-300)
        errors.append((X[:-shift] @ best - X[shift:]).norm() / size)
    return torch.stack(errors).float()


def _sinusoidal(width: int) -> Scheme:
    table = sinusoidal(torch.arange(POSITIONS), width)
    says = "Sines and cosines of the position: a product depends on the distance alone."
    return Scheme("sinusoidal", "dimension", says, table, table @ table.T / (width / 2))


def _product(width: int) -> Scheme:
    """sin(i / 10) cos(j / 10), a formula that some articles give by mistake."""
    rows, columns = torch.arange(POSITIONS).double(), torch.arange(width).double()
    # In float64: float32's rounding would be enough to fit a shift with.
    table = (rows / 10).sin()[:, None] * (columns / 10).cos()[None]
    says = "A formula that some articles give: every row is one vector times a number. Rank 1."
    return Scheme("sin(i/10) · cos(j/10)", "dimension", says, table, table @ table.T)


def _rotary(width: int) -> Scheme:
    """A vector of ones, turned by its position: queries and keys are turned so."""
    ones = torch.ones(1, 1, POSITIONS, width)
    table = rotary(ones, torch.arange(POSITIONS)[None])[0, 0]
    says = "Queries and keys are turned by their position: again only the distance counts."
    return Scheme("a vector of ones, turned", "dimension", says, table, table @ table.T / width)


def _alibi(width: int) -> Scheme:
    bias = alibi_bias(HEADS, 0, POSITIONS, POSITIONS)
    says = "No vectors: each head takes its slope times the distance off the score."
    products = bias[2].masked_fill(torch.ones(POSITIONS, POSITIONS).triu(1).bool(), 0.0)
    return Scheme("bias of the last query", "head", says, bias[:, -1].T.contiguous(), products)


def _learned(table: Tensor) -> Scheme:
    rows = table[:POSITIONS]
    length = rows.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    says = "Learned like any weight: nothing makes it depend on the distance, but it may."
    return Scheme("learned", "dimension", says, rows, (rows / length) @ (rows / length).T)
