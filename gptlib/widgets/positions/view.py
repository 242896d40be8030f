"""The position viewer's view."""

from typing import Any

from matplotlib.figure import Figure

from gptlib import plots
from gptlib.model import GPT
from gptlib.widgets.arrays import pack
from gptlib.widgets.positions.schemes import Scheme, schemes, shift_errors, singular_values
from gptlib.widgets.view import View, css, esm

WIDTHS = (4, 8, 16, 32, 64)


class PositionViewer(View):
    """Schemes of positions as pictures: their tables, products, rank, and what a shift does.

    >>> PositionViewer()
    >>> PositionViewer("rotary", width=32)
    >>> PositionViewer("learned", model=model)
    """

    _esm = esm("positions/viewer.js")
    _css = css("positions/viewer.css")

    def __init__(
        self, scheme: str = "sinusoidal", width: int = 16, model: GPT | None = None
    ) -> None:
        super().__init__()
        self._shown: Scheme | None = None
        with self.guarded():
            self._schemes = schemes(model)
        self._refusal = self.problem
        self._question: dict[str, Any] = {"scheme": scheme, "width": width}
        self.ask({})

    def answer(self, question: dict[str, Any]) -> None:
        """Another scheme, or another width."""
        if self._refusal:
            raise ValueError(self._refusal)
        question = {**self._question, **question}
        name, width = str(question["scheme"]), question["width"]
        if name not in self._schemes:
            raise ValueError(f"scheme {name!r}: choose one of {', '.join(self._schemes)}")
        if width not in WIDTHS:
            raise ValueError(f"width {width}: choose one of {', '.join(map(str, WIDTHS))}")
        shown = self._schemes[name](width)
        self._question, self._shown = question, shown
        data, places = pack(
            {
                "table": shown.table.float().numpy(),
                "products": shown.products.float().numpy(),
                "singular": singular_values(shown.table).numpy(),
                "errors": shift_errors(shown.table).numpy(),
            }
        )
        self.show_state(
            {
                "arrays": places,
                "scheme": name,
                "schemes": list(self._schemes),
                "width": width,
                "widths": WIDTHS,
                "title": shown.title,
                "columns": shown.columns,
                "says": shown.says,
            },
            data,
        )

    def picture(self) -> Figure | None:
        """The table, the products of positions, the singular values."""
        if self._shown is None:
            return None
        shown = self._shown
        figure, (left, middle, right) = plots.figure(1, 3, size=(8.4, 2.7))
        plots.heatmap(left, shown.table, diverging=True, title=shown.title, colorbar=False)
        left.set(xlabel=shown.columns, ylabel="position")
        plots.heatmap(middle, shown.products, diverging=True, title="products", colorbar=False)
        middle.set(xlabel="position of the key", ylabel="position of the query")
        for ax in (left, middle):  # cells as they are: blended ones make the file twice as large
            ax.images[0].set_interpolation("nearest")
        values = singular_values(shown.table).clamp(min=1e-8)
        right.semilogy(range(1, len(values) + 1), values, "o-")
        right.set(xlabel="number", title="singular values")
        return figure

    def describe(self) -> str:
        if self._shown is None:
            return "A position viewer that has no scheme to show."
        return (
            f"Positions by the scheme {self._question['scheme']}: its table, the products of all "
            "pairs of positions, and the table's singular values."
        )
