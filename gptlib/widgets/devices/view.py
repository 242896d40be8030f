"""The device switch's view."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from torch import nn

from gptlib import device as devices
from gptlib import plots
from gptlib.widgets.devices.switch import Measured, Switch
from gptlib.widgets.view import View, css, esm


class DeviceSwitch(View):
    """Where to compute: every device of this machine, measured; choosing one moves the model there.

    >>> DeviceSwitch(model)
    >>> DeviceSwitch(model, optimizer)  # in the middle of training, between two cells

    Later cells that ask `gptlib.device.current()` follow. The model's weights stay the same.
    """

    _esm = esm("devices/switch.js")
    _css = css("devices/switch.css")

    def __init__(self, model: nn.Module | None = None, *others: Any, seconds: float = 0.05) -> None:
        super().__init__()
        self._rows: Sequence[Measured] = ()
        self._seconds = seconds  # for each figure of the table
        self._moved = ""
        with self.guarded():
            self._switch = Switch(model, others)
            self._rows = self._switch.measure(seconds)
            self._tell()

    def answer(self, question: dict[str, Any]) -> None:
        """`{"device": ..., "dtype": ...}` moves; `{"measure": True}` measures anew."""
        if "device" in question:
            choice = self._switch.move(str(question["device"]), question.get("dtype"))
            moved = "" if self._switch.model is None else " The model is there now."
            self._moved = f"Later cells compute on {choice}.{moved}"
        if question.get("measure"):
            self._rows = self._switch.measure(self._seconds)
        self._tell()

    def _tell(self) -> None:
        current = devices.current()
        names = self._switch.names()
        only = "This machine has one device, the CPU: nothing to choose, but here is its speed."
        self.show_state(
            {
                "devices": names,
                "dtypes": sorted({row.dtype for row in self._rows}, key=_order),
                "device": str(current.device),
                "dtype": str(current.dtype).removeprefix("torch."),
                "note": self._moved or (only if len(names) == 1 else f"In use: {current}."),
                "rows": [
                    {
                        "device": row.device,
                        "dtype": row.dtype,
                        "flops": row.flops,
                        "tokens": row.tokens,
                        "used": row.used,
                        "memory": row.memory,
                        "note": row.note,
                    }
                    for row in self._rows
                ],
            }
        )

    def picture(self) -> Figure | None:
        """A bar for each device and format: tokens a second."""
        rows = [row for row in self._rows if row.tokens]
        if not rows:
            return None
        figure, ax = plots.figure(size=(6.4, 0.9 + 0.35 * len(rows)))
        names = [f"{row.device}, {row.dtype}" for row in rows]
        ax.barh(names, [row.tokens for row in rows], color=plots.COLORS[0])
        ax.invert_yaxis()
        ax.set(xlabel="tokens per second, forward", xlim=(0, None))
        return figure

    def describe(self) -> str:
        return "Tokens per second through the model, for each device and number format here."


def _order(name: str) -> int:
    return ["float32", "bfloat16", "float16"].index(name)
