"""What benchmarks leave for the README's table: `benchmarks/results/NAME.json`, without a date."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tools.doctor import processor

RESULTS = Path(__file__).resolve().parent / "results"


def machine(where: str = "cpu") -> dict[str, Any]:
    """What figures depend on: the processor and its cores, or the GPU, and torch."""
    if where != "cpu":
        return {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    return {"device": processor(), "cores": os.cpu_count(), "torch": torch.__version__}


def save(name: str, figures: Mapping[str, Any], where: str = "cpu", folder: Path = RESULTS) -> Path:
    """Add figures to those of the same machine; another machine's make room.

    So a long benchmark can be run shape by shape. Figures of different machines never stand in
    one file, because ratios differ as much as speeds do.
    """
    path = folder / f"{name}.json"
    here = machine(where)
    old: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    known = old.get("figures", {}) if old.get("machine") == here else {}
    folder.mkdir(exist_ok=True)
    content = {"machine": here, "figures": _merged(known, figures)}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the new one's figures where both have one; rounded, so that lines stay readable."""
    both = dict(old)
    for key, value in new.items():
        if isinstance(value, Mapping):
            inner = both.get(key)
            both[key] = _merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            both[key] = float(f"{value:.4g}")
    return both
