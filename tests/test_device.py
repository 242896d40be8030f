"""Choosing a device, seeding, and the measured speed."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gptlib import device


@pytest.fixture(autouse=True)
def forget_choice(monkeypatch):
    monkeypatch.setattr(device, "_chosen", None)


def pretend(monkeypatch, kind, capability=(9, 0), count=2):
    """A machine with `count` devices of a kind that this one may lack."""
    backend = SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: count,
        get_device_capability=lambda d: capability,
    )
    monkeypatch.setattr(torch, kind, backend)


def without_accelerators(monkeypatch):
    for kind in device.ORDER[:-1]:
        monkeypatch.setattr(torch, kind, SimpleNamespace(is_available=lambda: False))


def test_the_cpu_is_always_there_and_always_last():
    assert device.available()[-1] == torch.device("cpu")


def test_without_accelerators_the_cpu_in_float32_is_chosen(monkeypatch):
    without_accelerators(monkeypatch)
    choice = device.choose()
    assert (choice.device.type, choice.dtype) == ("cpu", torch.float32)
    assert "cpu with float32" in str(choice)


@pytest.mark.parametrize(
    ("kind", "capability", "dtype"),
    [
        ("cuda", (9, 0), torch.bfloat16),
        ("cuda", (8, 0), torch.bfloat16),
        ("cuda", (7, 5), torch.float32),
        ("xpu", None, torch.bfloat16),
        ("mps", None, torch.float32),
    ],
)
def test_the_table_decides_the_dtype(monkeypatch, kind, capability, dtype):
    without_accelerators(monkeypatch)
    pretend(monkeypatch, kind, capability)
    choice = device.choose()
    assert (choice.device.type, choice.dtype) == (kind, dtype)


def test_a_device_can_be_asked_for(monkeypatch):
    without_accelerators(monkeypatch)
    pretend(monkeypatch, "cuda", count=2)
    assert device.choose("cpu").device == torch.device("cpu")
    assert device.choose("cuda:1").device == torch.device("cuda", 1)


@pytest.mark.parametrize("wanted", ["cuda:2", "xpu", "abacus", "mps"])
def test_a_device_that_is_not_here_is_refused_with_what_is(monkeypatch, wanted):
    without_accelerators(monkeypatch)
    pretend(monkeypatch, "cuda", count=2)
    with pytest.raises(ValueError, match="choose one of cuda:0, cuda:1, cpu"):
        device.choose(wanted)


def test_later_cells_follow_the_choice():
    device.use("cpu")
    assert device.current().device == torch.device("cpu")


def test_seeds_reach_every_generator():
    def draw():
        device.seed_everything(7)
        return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    assert draw() == draw()
    first = draw()
    device.seed_everything(8)
    assert random.random() != first[0]


def test_matmul_speed_is_one_that_a_computer_can_have():
    speed = device.matmul_flops(torch.device("cpu"), torch.float32, budget=0.02)
    assert 1e7 < speed < 1e16


def test_report_names_every_device_and_the_default():
    report = device.report()
    for found in device.available():
        assert str(found) in report
    assert "default: " in report


def test_memory_in_use_is_below_what_there_is():
    used, total = device.memory(torch.device("cpu"))
    assert 0 <= used <= total or total == 0
