"""The device switch in a browser."""

import pytest
import torch

from gptlib import device as devices
from gptlib.widgets import DeviceSwitch
from gptlib.widgets.devices.switch import Measured, Switch

from .chromium import keep_screenshot
from .plain_page import PlainPage


@pytest.fixture
def shown(page, monkeypatch):
    """A machine with two devices, as far as the widget can tell; nothing is moved there."""
    moves = []

    def move(self, name, dtype=None):
        moves.append((name, dtype))
        devices._chosen = devices.Choice(torch.device("cpu"), torch.float32, "in a test")
        return devices._chosen

    rows = [
        Measured("cuda:0", "float32", 5.1e13, 2.4e6, 3 * 2**30, 80 * 2**30, ""),
        Measured("cuda:0", "bfloat16", 3.9e14, 8.8e6, 3 * 2**30, 80 * 2**30, ""),
        Measured("cpu", "float32", 9.0e10, 1.1e4, 2 * 2**30, 16 * 2**30, ""),
        Measured("cpu", "float16", None, None, 0, 0, "not on this device: no kernel"),
    ]
    monkeypatch.setattr(Switch, "measure", lambda self, budget: rows)
    monkeypatch.setattr(Switch, "names", lambda self: ["cuda:0", "cpu"])
    monkeypatch.setattr(Switch, "move", move)
    monkeypatch.setattr(devices, "_chosen", devices.choose("cpu"))
    shown = PlainPage(page, DeviceSwitch(torch.nn.Linear(2, 2)))
    shown.moves = moves
    return shown


def test_the_table_says_speed_and_what_is_missing(shown):
    table = shown.root.get_by_role("table").inner_text()
    assert "51 TFLOP/s" in table
    assert "8.8 M/s" in table
    assert "3.2 GB of 85.9 GB".replace("85.9", "86") in table
    assert "not on this device: no kernel" in table
    assert shown.root.locator("tr[aria-current=true] th").inner_text() == "cpu, float32"
    keep_screenshot(shown.page, "devices-light", ".gw-root")
    shown.page.emulate_media(color_scheme="dark")
    keep_screenshot(shown.page, "devices-dark", ".gw-root")


def test_choosing_by_mouse_and_keyboard(shown):
    shown.control("device").first.select_option("cuda:0")
    shown.root.get_by_text("The model is there now").wait_for()
    shown.settled()
    shown.control("matrix products in").select_option("bfloat16")
    shown.settled()
    shown.control("device").first.press("ArrowDown")
    shown.settled()
    assert shown.moves[0] == ("cuda:0", None)
    assert shown.moves[1][1] == "bfloat16"
    rev = shown.rev
    shown.root.get_by_role("button", name="Measure again").press("Enter")
    shown.settled(rev)


def test_one_device_leaves_nothing_to_choose(page, monkeypatch):
    monkeypatch.setattr(devices, "available", lambda: [torch.device("cpu")])
    shown = PlainPage(page, DeviceSwitch(seconds=0.001))
    assert shown.control("device").first.is_disabled()
    assert "one device, the CPU" in shown.root.inner_text()
