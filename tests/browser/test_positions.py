"""The position viewer in a browser."""

import pytest

from gptlib.widgets import PositionViewer

from .chromium import keep_screenshot
from .plain_page import PlainPage

PICTURES, CHARTS = ".gw-panels canvas:first-child", ".gw-panels canvas:last-child"


@pytest.fixture
def shown(page):
    return PlainPage(page, PositionViewer())


def facts(shown):
    return shown.root.locator(".gw-facts").inner_text()


def test_a_shift_by_keyboard_marks_another_diagonal(shown):
    shown.changes(PICTURES, lambda: shown.control("shift").press("ArrowRight"))
    assert "at distance 5: the same everywhere" in facts(shown)
    assert "misses it by 0.0%" in facts(shown)


def test_each_scheme_and_width(shown):
    for name in ("product formula", "rotary", "ALiBi", "sinusoidal"):
        shown.changes(PICTURES, lambda name=name: shown.control("scheme").select_option(name))
        keep_screenshot(shown.page, f"positions-{name.replace(' ', '-')}-light", ".gw-root")
        if name == "product formula":
            assert "1 of 16 directions count" in facts(shown)
            assert "the same everywhere" not in facts(shown)
    shown.changes(CHARTS, lambda: shown.control("dimensions").select_option("64"))
    shown.changes(CHARTS, lambda: shown.page.emulate_media(color_scheme="dark"))
    keep_screenshot(shown.page, "positions-dark", ".gw-root")


def test_an_unknown_scheme_is_said(page):
    shown = PlainPage(page, PositionViewer("learned"))
    assert "choose one of sinusoidal" in shown.root.get_by_role("alert").inner_text()
