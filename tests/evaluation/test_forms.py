"""Logical forms: right, readable, and known to the world."""

from itertools import islice

import pytest

from gptlib.evaluation import form_match, valid_forms
from gptlib.storyworld import tasks

GIVE = "give(agent: lily, theme: ball[colour: red], recipient: tom)"
KNOWN = {"give": ("agent", "theme", "recipient"), "sleep": ("agent",)}


def test_a_form_is_right_if_its_text_is():
    said = [f" {GIVE}\n", GIVE.replace("red", "blue"), "give(", "sleep(agent: tom)"]
    right = [GIVE, GIVE, GIVE, " sleep(agent: tom)"]
    found = form_match(said, right)
    assert (found.name, found.value, found.n) == ("EM", 50, 4)
    assert found.low < 50 < found.high


@pytest.mark.parametrize(
    ("text", "readable", "known"),
    [
        (f" {GIVE}\n", 100, 100),
        ("sleep()", 100, 100),
        ("fly(agent: tom)", 100, 0),  # no such predicate
        ("sleep(agent: tom, theme: ball)", 100, 0),  # no such role
        ("sleep(theme: ball, agent: tom)", 0, 0),  # not in the order of forms
        ("sleep(agent: tom", 0, 0),
        ("sleep(agent: tom) and", 0, 0),
        ("Tom slept.", 0, 0),
        ("", 0, 0),
    ],
)
def test_a_form_is_valid_if_the_grammar_reads_it(text, readable, known):
    assert valid_forms([text]).value == readable
    assert valid_forms([text], KNOWN).value == known


def test_the_worlds_own_forms_are_right_and_valid():
    forms = [example.form for example in islice(tasks.examples("logic", level="nursery"), 20)]
    assert form_match(forms, forms).value == valid_forms(forms).value == 100


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"reference 1, 'sleep.*position 6"):
        form_match([GIVE, GIVE], [GIVE, "sleep(,)"])
    with pytest.raises(ValueError, match="1 predictions and 2 references"):
        form_match([GIVE], [GIVE, GIVE])
    with pytest.raises(ValueError, match="prediction 0 is None"):
        valid_forms([None])
    with pytest.raises(ValueError, match="nothing to score"):
        valid_forms([])
    with pytest.raises(ValueError, match="is one string"):
        valid_forms(GIVE)
