"""The attention explorer on paper."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from gptlib import plots

Weights = np.ndarray[Any, np.dtype[np.float32]]  # (L, H, T, T)
LABELLED = 40  # tokens; more labels would overlap
# The square root of a weight decides its colour, on paper and on the screen.
NORM = PowerNorm(0.5, vmin=0, vmax=1)


def draw(models: Mapping[str, tuple[list[str], Weights]], layer: int, head: int) -> Figure:
    """One row for each model: all heads small on the left, (layer, head) large on the right."""
    figure = Figure(figsize=(7.2, 3.5 * len(models)), layout="constrained")
    rows = figure.subplots(len(models), 2, squeeze=False, width_ratios=[1, 1.1])
    for (small, large), (name, (tokens, weights)) in zip(rows, models.items(), strict=True):
        _overview(small, weights, layer, head)
        _head(large, tokens, weights[layer, head], f"layer {layer}, head {head}")
        small.set_title(name or "all heads", loc="left", fontsize=10)
    return figure


def _overview(ax: Axes, weights: Weights, layer: int, head: int) -> None:
    """All heads as one image: a row for each layer, thin gaps between the tiles."""
    n_layer, n_head, n_tokens, _ = weights.shape
    step = max(1, n_tokens // 64)
    tiles = _hide_future(weights)[..., ::step, ::step]
    side = tiles.shape[-1]
    gap = max(1, side // 12)
    sheet = np.full((n_layer * (side + gap) - gap, n_head * (side + gap) - gap), np.nan)
    for i, j in np.ndindex(n_layer, n_head):
        top, left = i * (side + gap), j * (side + gap)
        sheet[top : top + side, left : left + side] = tiles[i, j]
    ax.imshow(sheet, cmap=_colours(), norm=NORM, interpolation="nearest")
    ax.spines[:].set_visible(False)
    middles = np.arange(max(n_layer, n_head)) * (side + gap) + side / 2 - 0.5
    ax.set_xticks(middles[:n_head], [str(j) for j in range(n_head)])
    ax.set_yticks(middles[:n_layer], [str(i) for i in range(n_layer)])
    ax.tick_params(length=0, labelsize=8)
    ax.set(xlabel="head", ylabel="layer")
    left, top = head * (side + gap) - 0.5, layer * (side + gap) - 0.5
    corners = np.array([0, side, side, 0, 0])
    ax.plot(left + corners, top + corners[[0, 0, 2, 2, 0]], color=plots.COLORS[5], linewidth=2)


def _head(ax: Axes, tokens: list[str], weights: Weights, title: str) -> None:
    image = ax.imshow(_hide_future(weights), cmap=_colours(), norm=NORM, interpolation="nearest")
    ax.spines[:].set_visible(False)
    if len(tokens) <= LABELLED:
        size = 8 if len(tokens) <= 20 else 6
        ax.set_yticks(range(len(tokens)), tokens, fontsize=size, parse_math=False)
        ax.set_xticks(range(len(tokens)), tokens, fontsize=size, rotation=90, parse_math=False)
    ax.tick_params(length=0)
    ax.set_title(title, loc="left", fontsize=10)
    ax.figure.colorbar(image, ax=ax, shrink=0.8, label="weight", ticks=[0, 0.05, 0.2, 0.5, 1])


def _hide_future(weights: Weights) -> Weights:
    """Blank above the diagonal, where the mask leaves nothing; unmasked weights stay."""
    future = np.triu(np.ones(weights.shape[-2:], dtype=bool), 1)
    masked = ~weights[..., future].any()
    return np.where(future & masked, np.nan, weights)


def _colours() -> Any:
    return colormaps[plots.SEQUENTIAL].with_extremes(bad=(0, 0, 0, 0))
