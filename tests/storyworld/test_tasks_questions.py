"""Questions: spans by slicing, yes and no by the states, and no answer where there is none."""

import re
from collections import Counter

import pytest

from gptlib import storyworld
from gptlib.storyworld import tasks
from gptlib.storyworld.tasks.questions import KINDS
from gptlib.storyworld.tasks.telling import Telling

STORIES = 300


@pytest.fixture(scope="module")
def asked():
    return list(tasks.examples("questions", None, 0, STORIES))


def test_answers_stand_in_the_text_where_they_say(asked):
    for q in asked:
        assert q.text == storyworld.story(q.story).text
        if q.kind in ("yes/no", "unanswerable"):
            assert (q.start, q.stop) == (-1, -1)
            assert q.answer in (("yes", "no") if q.kind == "yes/no" else ("",))
        else:
            assert q.answer
            assert q.text[q.start : q.stop] == q.answer
            assert re.match(r"\w|\"", q.answer)
            assert q.start == 0 or not q.text[q.start - 1].isalnum()
            assert q.stop == len(q.text) or not q.text[q.stop].isalnum()


def test_every_kind_is_asked_often(asked):
    kinds = Counter(q.kind for q in asked)
    assert set(kinds) == set(KINDS)
    assert all(count > STORIES / 10 for count in kinds.values()), kinds


def test_questions_are_questions(asked):
    words = {"who": "Who", "where": "Where", "when": "When", "why": "Why"}
    for q in asked:
        assert q.question[0].isupper()
        assert q.question.endswith("?")
        assert not re.search(r"[{}/|]|  | \?", q.question), q.question
        assert q.question.startswith(words.get(q.kind, ""))


def test_one_story_is_asked_each_question_once(asked):
    assert max(Counter((q.story, q.question) for q in asked).values()) == 1


def test_yes_and_no_are_about_as_frequent(asked):
    answers = Counter(q.answer for q in asked if q.kind == "yes/no")
    assert 0.7 < answers["yes"] / answers["no"] < 1.5


def statements(story):
    """What happened, as yes/no questions, from the events themselves."""
    telling = Telling(story)
    return {told.clause.question(told.who) for told in telling.told if told.clause}


def test_yes_and_no_agree_with_what_happened(asked):
    """`At the end` asks the last state, found by carrying out the effects; the rest, the events."""
    checked = Counter()
    for q in asked:
        if q.kind != "yes/no":
            continue
        story = storyworld.story(q.story)
        end = re.fullmatch(r"At the end, did (.+) have (.+)\?", q.question)
        if end:
            last = story.sentences[-1].state
            entries = {role: story.sentences[-1].entry(role) for role in last if "." not in role}
            holder = next(r for r, e in entries.items() if e and e.name == end[1])
            thing = next(r for r, e in entries.items() if e and e.name == end[2])
            assert q.answer == ("yes" if last.get(f"{thing}.holder") == holder else "no")
            checked["end"] += 1
        else:
            assert q.answer == ("yes" if q.question in statements(story) else "no")
            checked["event"] += 1
    assert min(checked.values()) > 50


def answers(story, question):
    """Who or what answers a wh-question by the events: fill each slot and compare."""
    found = set()
    for told in Telling(story).told:
        for argument in told.clause.arguments if told.clause else ():
            for word in ("Who", "What", "Where"):
                if told.clause.question(told.who, word, argument.parameter) == question:
                    found.add(told.who[argument.parameter])
        for word in ("When", "Where", "Why") if told.clause else ():
            if told.clause.question(told.who, word) == question:
                found.add(word)
    return found


def test_unanswerable_questions_have_no_answer_by_meaning(asked):
    """No event fits the question, and no quality it asks for is told."""
    attributes = storyworld.world().grammar.asks
    for q in asked:
        if q.kind != "unanswerable":
            continue
        story = storyworld.story(q.story)
        assert not answers(story, q.question), q.question
        colour = re.fullmatch(r"What colour (?:was|were) (.+)\?", q.question)
        if colour:
            for s in story.sentences:
                for m in s.mentions:
                    role, _, attribute = m.role.partition(".")
                    assert attribute != "colour" or s.entry(role).name != colour[1]
        whole = [a for a, notes in attributes.items() if notes.asks == q.question]
        for attribute in whole:
            assert not any(
                m.role.endswith(f".{attribute}") for s in story.sentences for m in s.mentions
            )


def test_who_what_and_where_have_one_answer_by_meaning(asked):
    for q in asked:
        if q.kind == "who":
            found = answers(storyworld.story(q.story), q.question)
            assert len(found) == 1, q.question
            assert next(iter(found)).name.lower() in (
                q.answer.lower(),
                f"the {q.answer}".lower(),
            ) or (q.answer.lower().startswith(("a ", "an ")))


def test_why_is_answered_by_a_clause_of_an_earlier_or_the_same_sentence(asked):
    for q in asked:
        if q.kind == "why":
            story = storyworld.story(q.story)
            (cause,) = [s for s in story.sentences if s.start <= q.start and q.stop <= s.stop]
            assert len(q.answer.split()) >= 2
            assert q.answer[-1] not in ".,"
            told = [t for t in Telling(story).told if t.clause]
            effects = [t for t in told if t.clause.question(t.who, "Why") == q.question]
            assert any(cause.start < t.sentence.start for t in effects)
            assert any(cause.event in [n for _, n in t.event.notes.because] for t in effects)
