"""What is trained on: every application, and nothing that a test asks."""

import pytest

from gptlib.applications import (
    SPLITS,
    Answer,
    Classify,
    Feel,
    Parse,
    Search,
    Summarise,
    Tag,
    Translate,
    Write,
)
from gptlib.applications.conversations import about_sentences, about_stories, writings
from gptlib.applications.tags import listed, tagged
from gptlib.storyworld import story, tasks

SEEDS = range(10_000, 10_060)


@pytest.fixture(scope="module")
def turns():
    makers = (about_stories, about_sentences, writings)
    return [turn for make in makers for talk in make(SEEDS) for turn in talk]


@pytest.mark.parametrize(
    ("start", "application"),
    [
        ("\nTL;DR:", Summarise()), ("\nTheme:", Classify()), ("\nQuery:", Search()),
        ("\nMood:", Feel()), ("\nNames:", Tag()), ("\nChinese:", Translate()),
        ("\nForm:", Parse()), ("\nA:", Answer()),
    ],
)  # fmt: skip
def test_requests_of_each_kind_are_learned(turns, start, application):
    """Its answers are those of the application, word for word."""
    said = {turn.answer for turn in turns if turn.prompt.endswith(start)}
    examples = application.of_stories("train", "full", SEEDS.start, SEEDS.stop)
    right = {application.answer(example) for example in examples}
    assert len(said) > 2
    assert said <= right


def test_the_first_turn_holds_the_text_and_later_ones_only_the_request(turns):
    for talk in about_stories(SEEDS):
        text = talk[0].prompt.rpartition("\nQ:")[0] or talk[0].prompt.rpartition("\n")[0]
        assert len(text) > 40
        assert all(len(turn.prompt) < 400 for turn in talk[1:])
        assert all(turn.prompt.startswith("\n") for turn in talk[1:])


@pytest.mark.parametrize("application", [Translate(), Parse(), Feel(), Tag()])
def test_no_combination_of_the_compositional_test_is_answered_in_training(turns, application):
    asked = {turn.prompt for turn in turns}
    for example in application.examples("compositional", 300):
        assert not any(
            example.text in prompt and prompt.endswith(application.request(example)[-6:])
            for prompt in asked
            if example.text == prompt.split("\n")[0] or f"Parse: {example.text}\n" in prompt
        )


def test_the_test_has_other_stories_of_known_combinations():
    known = {story(seed, "full", "train").key for seed in range(10_000, 30_000)}
    test = [story(e.story, "full", "train").key for e in Summarise().examples("test", 200)]
    new = [story(e.story, "full", "test").key for e in Summarise().examples("compositional", 200)]
    assert SPLITS["test"][1] + 2_000 <= SEEDS.start
    assert sum(key in known for key in test) > 100  # of the 20,000 first; training has 200,000
    assert not any(key in known for key in new)


def test_names_survive_their_list():
    for example in tasks.examples("tags", "train", 0, 60):
        answer = Tag().answer(example)
        assert tagged(example.tokens, answer) == list(example.entities)


@pytest.mark.parametrize(
    ("answer", "tags"),
    [
        (" none", "O O O O"),
        (" Lily = person, red ball = object", "B-PERSON O B-OBJECT I-OBJECT"),
        (" ball = object, Lily = person", "O O O B-OBJECT"),  # out of order: the second is lost
        (" Tom = person", "O O O O"),
        (" Lily = , = person, Lily", "O O O O"),
    ],
)
def test_an_answer_tags_what_the_sentence_has(answer, tags):
    assert tagged(["Lily", "took", "red", "ball"], answer) == tags.split()


def test_entities_that_touch_are_two():
    tags = ["B-PERSON", "B-PERSON", "I-PERSON", "O"]
    assert [*listed(["Tom", "Aunt", "May", "ran"], tags)] == [
        ("Tom", "person"),
        ("Aunt May", "person"),
    ]


def test_a_wish_is_met_by_its_own_story():
    for wish in Write().examples("compositional", 50):
        assert wish.words
        assert wish.met(wish.text)
        assert not wish.met("Nothing of it.")


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split 'dev': use one of train, test, compositional"):
        next(Translate().examples("dev"))
