"""Leaves files of answers where the grader takes them from, with every kind of wrong content."""

import json
import os

import torch
from safetensors.torch import save_file

folder = os.environ["GPTLIB_GRADING_RECORD"]
names = ("02.1", "02.3", "02.4", "02.5", "02.6", "02.q1", "02.q2", "02.q3")
nested = "[" * 5000 + "]" * 5000
codes = (
    '{"list":[{"dict":[["value",{"tensor":0,"dtype":"load"}]]}]}',
    '{"list":' + nested + "}",
    json.dumps({"list": [{"tensor": 0, "dtype": "float64"}] * 200_000}),
    '{"list":[{"dict":[["failure",{"dict":[["kind",5],["bases",7]]}]]}]}',
    '{"list":[{"dict":[["points",100]]}]}',
    '{"list":[{"dict":[["printed",{"list":[]}]]}]}',
    '{"list":[{"dict":[[{"list":[]},1]]}]}',
    "null",
)
for name, code in zip(names, codes, strict=True):
    save_file({"0": torch.zeros(100)}, f"{folder}/{name}.answers", metadata={"value": code})
