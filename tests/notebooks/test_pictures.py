"""Pictures of the README and of docs/: those of the chapters, and screenshots of the widgets."""

import re

import pytest

from gptlib import widgets
from tools.limits import ALT_CHARACTERS
from tools.markdown import read_markdown
from tools.pictures import PICTURES, ROOT, take

SCREENSHOTS = sorted((ROOT / "docs" / "pictures").glob("*.png"))
GUIDE = ROOT / "docs" / "widgets.md"
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_readme_is_the_chapters_own(name):
    same = (ROOT / name).read_bytes() == take(name)
    # Not one assert: where CI is set, pytest compares the bytes line by line, for many minutes.
    assert same, "run python -m tools.pictures"


def test_the_readme_shows_these_pictures_and_no_others():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\((docs/[^)]+\.png)\)", text)) == set(PICTURES)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_a_picture_says_in_words_what_it_shows(path):
    for target, alt in read_markdown(path.read_text(encoding="utf-8")).images:
        assert len(alt) >= ALT_CHARACTERS, target


def test_each_widget_is_in_the_guide_with_its_call_and_both_themes():
    text = GUIDE.read_text(encoding="utf-8")
    sections = text.split("\n## ")[1:]
    for name in widgets._HOME:
        (section,) = [part for part in sections if re.search(rf"^    .*{name}\(", part, re.M)]
        shown = re.findall(r"pictures/(\w+)-(light|dark)\.png", section)
        assert len({picture for picture, _ in shown}) == 1, name
        assert {theme for _, theme in shown} == {"light", "dark"}, name


def test_every_screenshot_is_shown_and_small():
    links = read_markdown(GUIDE.read_text(encoding="utf-8")).links
    assert {f"pictures/{path.name}" for path in SCREENSHOTS} <= set(links)
    for path in SCREENSHOTS:
        assert path.stat().st_size < 120_000, path.name
