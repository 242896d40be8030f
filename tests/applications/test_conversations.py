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
from gptlib.applications.writing import Wish
from gptlib.storyworld import story, tasks

SEEDS = range(10_000, 10_200)


@pytest.fixture(scope="module")
def conversations():
    makers = (about_stories, about_sentences, writings)
    return [conversation for make in makers for conversation in make(SEEDS)]


@pytest.fixture(scope="module")
def turns(conversations):
    return [turn for conversation in conversations for turn in conversation]


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


def test_the_first_turn_holds_the_text_and_later_ones_only_the_request():
    for talk in about_stories(SEEDS):
        text = talk[0].prompt.rpartition("\nQ:")[0] or talk[0].prompt.rpartition("\n")[0]
        assert len(text) > 40
        assert all(len(turn.prompt) < 400 for turn in talk[1:])
        assert all(turn.prompt.startswith("\n") for turn in talk[1:])


def asked_of_sentences(turns):
    """Every (sentence, request) that training answers, whatever conversation it stands in."""
    found = set()
    for conversation in turns:
        first = conversation[0].prompt.split("\n")[0]
        for turn in conversation:
            lines = turn.prompt.strip().split("\n")
            if lines[-1] == "Form:":
                found.add((lines[-2].removeprefix("Parse: "), "Form:"))
            else:
                found.add((first, lines[-1]))
    return found


@pytest.mark.parametrize("application", [Translate(), Parse(), Feel(), Tag()])
@pytest.mark.parametrize("split", ["test", "compositional"])
def test_no_sentence_of_a_test_is_answered_in_training(conversations, application, split):
    asked = asked_of_sentences(conversations)
    examples = list(application.examples(split, 400))
    last = application.request(examples[0]).split("\n")[-1]
    assert sum(request == last for _, request in asked) > 100
    assert not any((example.text, last) in asked for example in examples)


@pytest.mark.parametrize("application", [Translate(), Parse(), Feel(), Tag()])
def test_a_test_would_meet_training_if_nothing_were_kept_apart(conversations, application):
    """Without the rule some sentences of new stories were asked about before."""
    asked = asked_of_sentences(conversations)
    examples = list(application.of_stories("train", "full", 0, 300))
    last = application.request(examples[0]).split("\n")[-1]
    assert any((example.text, last) in asked for example in examples)


@pytest.mark.parametrize("application", [Answer(), Summarise(), Classify(), Write(), Search()])
def test_no_story_of_a_test_is_asked_about_in_training(conversations, application):
    """Nor is any question on it: a question belongs to its story."""
    read = {turn.prompt for conversation in conversations for turn in conversation[:1]}
    for split in ("test", "compositional"):
        for example in application.examples(split, 100):
            story = (
                Write().answer(example) if isinstance(example, Wish) else application.text(example)
            )
            assert not any(story in prompt for prompt in read)


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
