"""Pictures that a reader moves: one line each, offline, in every notebook that has ipywidgets.

>>> from gptlib.widgets import AttentionExplorer
>>> AttentionExplorer(model, tokenizer, "The cat sat on the mat")

How a widget is made stands in `README.md` beside this file. Names below are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gptlib.widgets.attention.view import AttentionExplorer as AttentionExplorer
    from gptlib.widgets.devices.view import DeviceSwitch as DeviceSwitch
    from gptlib.widgets.positions.view import PositionViewer as PositionViewer
    from gptlib.widgets.residual.view import ResidualWalk as ResidualWalk
    from gptlib.widgets.sampling.view import SamplingStudio as SamplingStudio
    from gptlib.widgets.stories.view import StoryViewer as StoryViewer
    from gptlib.widgets.tokens.view import TokenizerMicroscope as TokenizerMicroscope
    from gptlib.widgets.training.view import TrainingMonitor as TrainingMonitor

_HOME = {
    "AttentionExplorer": "gptlib.widgets.attention.view",
    "DeviceSwitch": "gptlib.widgets.devices.view",
    "PositionViewer": "gptlib.widgets.positions.view",
    "ResidualWalk": "gptlib.widgets.residual.view",
    "SamplingStudio": "gptlib.widgets.sampling.view",
    "StoryViewer": "gptlib.widgets.stories.view",
    "TokenizerMicroscope": "gptlib.widgets.tokens.view",
    "TrainingMonitor": "gptlib.widgets.training.view",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'gptlib.widgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
