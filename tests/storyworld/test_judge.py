"""The judge: whole stories pass, stories broken in known ways do not, and the reason is named."""

import pytest

from gptlib import storyworld
from tests.storyworld.breakages import ENGLISH, WAYS, measure


@pytest.mark.parametrize("level", storyworld.LEVELS)
def test_1000_stories_pass(level):
    refused = [
        (story.seed, verdict.reason)
        for story in storyworld.stories(1000, level=level)
        if not (verdict := storyworld.check(story.text, level))
    ]
    assert refused == []


@pytest.fixture(scope="module")
def measured():
    return {name: (tried, found) for name, tried, found in measure("full", 300)}


def test_there_are_20_ways_to_break_a_story(measured):
    assert len(WAYS) >= 20
    assert sum(tried > 0 for tried, _ in measured.values()) >= 20


@pytest.mark.parametrize("name", ENGLISH)
def test_broken_english_is_found(measured, name):
    tried, found = measured[name]
    assert found >= 0.97 * tried  # a story broken off behind a full stop is still grammatical


def test_most_impossible_happenings_are_found(measured):
    rows = [measured[name] for name in WAYS if name not in ENGLISH]
    assert sum(found for _, found in rows) >= 0.9 * sum(tried for tried, _ in rows)


LOST = "Once upon a time, there was a little boy named Tom. He had a red hat. "


@pytest.mark.parametrize(
    ("text", "reason", "sentence"),
    [
        (LOST + "He had a blue hat.", "hat: colour is blue, but was red", "He had a blue"),
        (LOST + "Tom found the hat under the bench.", "hat.state is none", "Tom found"),
        (LOST + "One day, he took the hat to the park. She was very sad.", "'She'", "She was"),
        (LOST + 'But then the hat was gone. "Thank you, Ben!" said Tom.', "Ben.at", '"Thank'),
    ],
)
def test_the_first_contradiction_is_named_with_its_place(text, reason, sentence):
    verdict = storyworld.check(text, "nursery")
    assert verdict.grammatical
    assert not verdict.consistent
    assert reason in verdict.reason
    assert text[verdict.position :].startswith(sentence)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("Colourless green ideas sleep furiously.", 0),
        (LOST + "He had a red", len(LOST)),
        (LOST.replace("a little", "an little"), 0),
        (LOST.replace("He had", "He  had"), 52),
    ],
)
def test_the_first_unreadable_sentence_is_named_with_its_place(text, position):
    verdict = storyworld.check(text.strip(), "nursery")
    assert not verdict.grammatical
    assert not verdict.consistent
    assert verdict.position == position


def test_a_text_no_plot_tells_can_be_consistent():
    text = LOST + "Tom was very sad. Tom was very happy."
    assert storyworld.log_prob(text, "nursery") == float("-inf")
    assert storyworld.check(text, "nursery")
