"""Every task's examples are true of the story, and no split shows what another one tests."""

import doctest
import importlib
import itertools
import json
import re

import pytest

from gptlib import storyworld
from gptlib.storyworld import tasks
from gptlib.storyworld.__main__ import main
from gptlib.storyworld.splits import split_of
from gptlib.storyworld.tasks import heldout
from gptlib.storyworld.tasks.labels import SENTIMENTS, theme_labels
from gptlib.storyworld.tasks.search import COLLECTION

N = 150


def story_of(example, split=None, level="full"):
    return storyworld.story(example.story, level, split)


@pytest.mark.parametrize("task", tasks.TASKS)
def test_examples_are_the_same_each_time_and_in_the_order_of_their_stories(task):
    first = list(tasks.examples(task, "train", 5, 15))
    assert first == list(tasks.examples(task, "train", 5, 15))
    assert [e.story for e in first] == sorted(e.story for e in first)
    assert {e.story for e in first} <= set(range(5, 15))
    endless = tasks.examples(task, "train", 5)
    assert list(itertools.islice(endless, len(first))) == first


@pytest.mark.parametrize("task", tasks.TASKS)
@pytest.mark.parametrize("level", storyworld.LEVELS)
def test_every_task_has_examples_at_every_level_and_they_survive_json(task, level):
    for example in tasks.examples(task, None, 0, 5, level):
        row = example.as_dict()
        assert row["story"] == example.story
        assert json.loads(json.dumps(row))["story"] == example.story


def test_no_story_and_no_key_occurs_in_two_splits():
    keys, texts = {}, {}
    for split in storyworld.SPLITS:
        found = list(storyworld.stories(400, split=split))
        keys[split] = {story.key for story in found}
        texts[split] = {story.text for story in found}
        assert {split_of(key) for key in keys[split]} == {split}
    for a, b in itertools.combinations(storyworld.SPLITS, 2):
        assert not keys[a] & keys[b]
        assert not texts[a] & texts[b]


@pytest.mark.parametrize("task", tasks.HELD_OUT)
def test_no_sentence_and_no_combination_of_words_occurs_in_two_splits(task):
    """Equal sentences have equal combinations, so the split of a combination settles both."""
    combinations, texts = {}, {}
    for split in storyworld.SPLITS:
        found = list(tasks.examples(task, split, 0, 300 if split == "train" else 800))
        assert found
        texts[split] = {example.text for example in found}
        combinations[split] = {heldout.combination(text) for text in texts[split]}
    for a, b in itertools.combinations(storyworld.SPLITS, 2):
        assert not texts[a] & texts[b]
        assert not combinations[a] & combinations[b]
    assert all(len(words) > 1 for words in combinations["test"])


@pytest.mark.parametrize("task", ["summary", "questions", "theme"])
def test_no_example_on_a_story_occurs_in_two_splits(task):
    seen = {
        split: {json.dumps({**e.as_dict(), "story": 0}) for e in tasks.examples(task, split, 0, N)}
        for split in storyworld.SPLITS
    }
    for a, b in itertools.combinations(storyworld.SPLITS, 2):
        assert not seen[a] & seen[b]


def test_summary_is_one_or_two_sentences_of_what_happened():
    """Its people, places and things are the story's own, and each clause is that of an event."""
    for s in tasks.examples("summary", None, 0, N):
        story = story_of(s)
        assert s.text == story.text
        assert 1 <= len(re.findall(r"\.(?: |$)", s.summary.replace("Mr. ", ""))) <= 2
        assert len(s.summary) < 0.6 * len(s.text)
        names = {
            entry.name
            for kind in story.world.grammar.lexicon.entries.values()
            for entry in kind.values()
            if "proper" in entry.tags and "person" in entry.tags
        }
        for name in names:
            if re.search(rf"\b{re.escape(name)}\b", s.summary):
                assert name in s.text


def test_every_plot_has_a_summary_of_its_own_parts():
    """A problem or its outcome, and not just any two sentences."""
    grammar = storyworld.world().grammar
    for story in storyworld.stories(N):
        parts = {grammar.events[s.event].notes.part for s in story.sentences}
        assert parts & {"problem", "help"}, story.key
        assert parts & {"outcome", "moral"}, story.key


def test_sentiment_is_that_of_the_mood_an_event_brings_about():
    """Where an event makes somebody happy or sad, its tone agrees with the mood."""
    moods = {"happy": "positive", "proud": "positive", "sad": "negative", "angry": "negative"}
    compared = 0
    for event in storyworld.world().grammar.events.values():
        subject = event.notes.clause.subject if event.notes.clause else None
        for _, effect in event.effects:
            made = re.fullmatch(r"(\w+)\.mood = (\w+)", effect)
            agent = getattr(subject, "parameter", None)
            if made and made[1] == agent and made[2] in moods and event.notes.tone != "neutral":
                assert event.notes.tone == moods[made[2]], event.where
                compared += 1
    assert compared >= 3


def test_sentiments_are_known_and_none_is_rare():
    labels = [e.label for e in tasks.examples("sentiment", None, 0, N)]
    for label in SENTIMENTS:
        assert 0.1 < labels.count(label) / len(labels) < 0.8
    assert set(labels) == set(SENTIMENTS)


def test_themes_are_known_and_each_occurs():
    known = theme_labels(storyworld.world().grammar)
    found = list(tasks.examples("theme", None, 0, 300))
    assert {e.label for e in found} == set(known)
    assert all(e.outcome for e in found)


def test_translations_are_the_sentences_of_the_story_in_order():
    for index in range(40):
        story = storyworld.story(index)
        pairs = list(tasks.examples("translation", None, index, index + 1))
        assert "".join(p.zh for p in pairs) == story.zh.replace("\n\n", "")
        for pair in pairs:
            assert story.text.startswith(pair.context + pair.text)


def test_queries_grade_their_own_story_highest_and_stay_in_the_collection():
    for query in tasks.examples("search", "test", 90, 110):
        first, stop = query.collection
        assert (first, stop) == (query.story // COLLECTION * COLLECTION, first + COLLECTION)
        assert query.relevant[query.story] == 3
        assert set(query.relevant) <= set(range(first, stop))
        assert set(query.relevant.values()) <= {1, 2, 3}
        assert len(query.relevant) < COLLECTION


def test_grades_of_queries_in_the_storys_own_words_follow_plot_and_keys():
    for query in tasks.examples("search", None, 0, 20):
        if query.kind != "words":
            continue
        mine = story_of(query).key.split("/")
        for index in range(*query.collection):
            other = storyworld.story(index).key.split("/")
            grade = query.relevant.get(index, 0)
            if other == mine:
                assert grade == 3
            elif other[0] == mine[0]:
                assert grade == (2 if set(other[1:]) & set(mine[1:]) else 1)
            else:
                assert grade == (1 if set(other[1:]) == set(mine[1:]) else 0)


def test_paraphrased_queries_share_fewer_words_with_their_story():
    def shared(query):
        words = set(re.findall(r"[a-z]+", query.query.lower()))
        return len(words & set(re.findall(r"[a-z]+", story_of(query).text.lower()))) / len(words)

    queries = list(tasks.examples("search", None, 0, N))
    means = {
        kind: sum(shared(q) for q in queries if q.kind == kind) / N
        for kind in ("words", "paraphrase")
    }
    assert means["paraphrase"] < 0.5 < means["words"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("translate",), "task 'translate': use one of summary"),
        (("summary", "dev"), "split 'dev'"),
        (("summary", "train", 0, 1, "easy"), "level 'easy'"),
    ],
)
def test_bad_arguments_are_refused_with_the_reason(arguments, message):
    with pytest.raises(ValueError, match=message):
        tasks.examples(*arguments)


def test_command_prints_ten_stories_and_all_their_tasks(capsys):
    assert main(["--seed", "1", "--tasks", "--level", "meadow"]) == 0
    out = capsys.readouterr().out
    for index in range(1, 11):
        assert f"{index}  {storyworld.story(index, 'meadow').key}" in out
    wide = re.compile("[\u3000-\u9fff\uff00-\uffef]")
    for line in out.splitlines():
        assert len(line) + len(wide.findall(line)) <= 100, line
        assert line == line.rstrip()


@pytest.mark.parametrize(
    "name", ["labels", "logic", "questions", "search", "summary", "tags", "translation"]
)
def test_examples_in_docstrings_are_true(name):
    module = importlib.import_module(f"gptlib.storyworld.tasks.{name}")
    failed, tried = doctest.testmod(module, extraglobs={"tasks": tasks})
    assert tried
    assert not failed
