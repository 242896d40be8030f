"""Pictures for the notebooks: matplotlib alone, arrays in, one look, and a caption in words.

Figures are made without pyplot, which keeps global state and takes 0.6 s to import.
"""

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import ArrayLike

# Okabe & Ito's palette, told apart with every common form of colour blindness (2008, figure 16).
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
SEQUENTIAL = "cividis"  # from nothing to much; reads the same in grey
DIVERGING = "PuOr_r"  # below and above zero; safe for red-green blindness
DPI = 96
# matplotlib's own font has no Chinese: behind it stands the first of these that the machine has.
CHINESE = (
    *("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
    *("PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei"),
)


def figure(
    n_rows: int = 1, n_columns: int = 1, size: tuple[float, float] = (6.4, 3.4), **options: Any
) -> tuple[Figure, Any]:
    """A figure and its axes (one, or an array of them), `size` in inches, in the course's look."""
    fig = Figure(figsize=size, layout="constrained")
    axes = fig.subplots(n_rows, n_columns, **options)
    for ax in np.atleast_1d(axes).flat:
        ax.set_prop_cycle(color=COLORS)
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def heatmap(
    ax: Axes,
    values: ArrayLike,
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    title: str = "",
    diverging: bool = False,
    numbers: bool | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    colorbar: bool = True,
) -> None:
    """A matrix as colours, row 0 on top; with its numbers when it is small.

    `values` has shape (rows, columns). Diverging maps are centred on zero unless told otherwise.
    Raises `ValueError` when `values` is not a matrix or the labels don't fit it.
    """
    matrix = np.asarray(values, dtype=float)
    if matrix.ndim != 2:
        raise ValueError(f"a heatmap needs a matrix, and values has shape {matrix.shape}")
    for name, labels, size in (
        ("rows", rows, matrix.shape[0]),
        ("columns", columns, matrix.shape[1]),
    ):
        if labels is not None and len(labels) != size:
            raise ValueError(f"{len(labels)} labels for {size} {name}: give one for each")
    if diverging and vmin is None and vmax is None:
        vmax = float(np.nanmax(np.abs(matrix))) or 1.0
        vmin = -vmax
    image = ax.imshow(
        matrix, cmap=DIVERGING if diverging else SEQUENTIAL, vmin=vmin, vmax=vmax, aspect="auto"
    )
    ax.set_title(title)
    ax.spines[:].set_visible(False)
    if rows is not None:
        ax.set_yticks(range(len(rows)), rows)
    if columns is not None:
        ax.set_xticks(range(len(columns)), columns, rotation=0 if len(columns) < 9 else 60)
    if numbers is None:
        numbers = matrix.size <= 64
    if numbers:
        for (i, j), value in np.ndenumerate(matrix):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            ax.text(
                j,
                i,
                f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
    if colorbar and ax.figure is not None:
        ax.figure.colorbar(image, ax=ax, shrink=0.85)


def curves(
    ax: Axes,
    series: Mapping[str, ArrayLike],
    *,
    x: ArrayLike | None = None,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    floor: float | None = None,
    floor_label: str = "floor",
) -> None:
    """Named lines over one axis, labelled at their ends; `floor` draws a bound to compare with."""
    for name, values in series.items():
        y = np.asarray(values, dtype=float)
        across = np.arange(len(y)) if x is None else np.asarray(x, dtype=float)
        ax.plot(across, y, label=name)
    if floor is not None:
        ax.axhline(floor, color="black", linestyle="--", linewidth=1, label=floor_label)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend(frameon=False)


def smooth(values: ArrayLike, width: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The running mean over `width` entries; the first ones average what there is.

    Raises `ValueError` when `width` is below 1.
    """
    if width < 1:
        raise ValueError(f"width={width}: average over at least 1 value")
    y = np.asarray(values, dtype=float)
    sums = np.cumsum(np.concatenate([[0.0], y]))
    ends = np.arange(1, len(y) + 1)
    starts = np.maximum(ends - width, 0)
    means: np.ndarray[Any, np.dtype[np.float64]] = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def png(fig: Figure) -> bytes:
    """The figure as a PNG, the same bytes for the same figure: no date, no version inside.

    Chinese is written where the machine has a font for it; without one, boxes stand for it.
    """
    picture, complete = _drawn(fig)
    if not complete and (font := chinese_font()):
        for text in fig.findobj(Text):
            text.set_fontfamily([*text.get_fontfamily(), font])
        picture, _ = _drawn(fig)
    return picture


def _drawn(fig: Figure) -> tuple[bytes, bool]:
    """The PNG, and whether the fonts had all its characters."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fig.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    missing = [warning for warning in said if "missing from" in str(warning.message)]
    for warning in said:
        if warning not in missing:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    return buffer.getvalue(), not missing


def chinese_font() -> str | None:
    """The name of a font of this machine that has Chinese characters."""
    here = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((font for font in CHINESE if font in here), None)


def show(fig: Figure, alt: str) -> None:
    """Display a figure in a notebook, and below it its description in words.

    `alt` says what the picture *shows*, not what it is: readers see it as a caption, screen
    readers read it out. (JupyterLab 4 passes no alt text to its images, so the caption is the
    only way there.) Raises `ValueError` when it is shorter than 20 characters.
    """
    if len(alt.strip()) < 20:
        raise ValueError(f"alt={alt!r}: describe in a sentence what the picture shows")
    from IPython.display import display

    picture = base64.b64encode(png(fig)).decode("ascii")
    bundle = {"image/png": picture, "text/plain": alt}
    display(bundle, metadata={"image/png": {"alt": alt}}, raw=True)  # type: ignore[no-untyped-call]
    display({"text/markdown": f"*{alt}*", "text/plain": alt}, raw=True)  # type: ignore[no-untyped-call]
