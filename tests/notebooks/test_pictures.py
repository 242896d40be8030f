"""The README's pictures are those of the chapters."""

import re

import pytest

from tools.pictures import PICTURES, ROOT, take


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_the_readme_is_the_chapters_own(name):
    assert (ROOT / name).read_bytes() == take(name), "run python -m tools.pictures"


def test_the_readme_shows_these_pictures_and_no_others():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\((docs/[^)]+\.png)\)", text)) == set(PICTURES)
