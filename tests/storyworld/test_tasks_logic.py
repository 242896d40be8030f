"""Logical forms: one text for one form, malformed ones refused, paraphrases alike."""

import re
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptlib import storyworld
from gptlib.storyworld import tasks
from gptlib.storyworld.clause import ROLES
from gptlib.storyworld.tasks.logic import (
    Form,
    FormError,
    Referent,
    form_of,
    parse,
    signature,
    symbol,
)
from gptlib.storyworld.tasks.telling import Telling

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
PAIRS = st.dictionaries(NAMES, NAMES, max_size=3).map(lambda d: tuple(sorted(d.items())))
REFERENTS = st.builds(Referent, NAMES, PAIRS)


def in_order(arguments):
    """Thematic roles first, in their order; then the others by name."""
    names = [role for role in ROLES if role in arguments] + sorted(set(arguments) - set(ROLES))
    return tuple((name, arguments[name]) for name in names)


ARGUMENTS = st.dictionaries(st.sampled_from(ROLES) | NAMES, REFERENTS, max_size=4)
FORMS = st.builds(Form, NAMES, ARGUMENTS.map(in_order))


def read(text):
    """The form, or None if it is refused, at a position within the text."""
    try:
        return parse(text)
    except FormError as refused:
        position = refused.position
    assert 0 <= position <= len(text)
    return None


@given(FORMS)
def test_a_form_that_is_printed_reads_back_as_itself(form):
    assert parse(str(form)) == form


@given(FORMS, st.data())
def test_an_edited_text_is_refused_or_means_another_form(form, data):
    """There is one text for each form, so no edit can keep the meaning."""
    text = str(form)
    at = data.draw(st.integers(0, len(text)))
    letter = data.draw(st.sampled_from(" ,:()[]-_aZ9\n"))
    edits = [text[:at] + letter + text[at:], text[:at] + text[at + 1 :]]
    edits.append(text[:at] + letter + text[at + 1 :])
    for edited in set(edits) - {text}:
        other = read(edited)
        assert other != form
        assert other is None or str(other) == edited


@given(st.text(alphabet="ab(): ,[]", max_size=30))
def test_any_text_that_is_read_is_printed_as_it_was(text):
    form = read(text)
    assert form is None or str(form) == text


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "a predicate"),
        ("give", 4, "'('"),
        ("give(", 5, "an argument"),
        ("give(agent lily)", 10, "': '"),
        ("give(agent:lily)", 10, "': '"),
        ("give(agent: Lily)", 12, "a referent"),
        ("give(agent: lily,theme: ball)", 16, "', '"),
        ("give(theme: ball, agent: lily)", 18, "canonical order"),
        ("give(agent: lily, agent: tom)", 18, "canonical order"),
        ("give(theme: ball[])", 17, "an attribute"),
        ("give(theme: ball[size: big, colour: red])", 28, "alphabetical order"),
        ("give(agent: lily))", 17, "the end"),
        ("give(agent: lily) ", 17, "the end"),
        ("give(agent: lily", 16, "', '"),
    ],
)
def test_a_malformed_form_is_refused_at_its_position(text, position, expected):
    with pytest.raises(FormError, match=re.escape(expected)) as caught:
        parse(text)
    assert caught.value.position == position


def test_every_form_of_the_stories_reads_back_and_fits_its_signature():
    known = signature(storyworld.world().grammar)
    for example in tasks.examples("logic", None, 0, 200):
        assert str(parse(example.form, known)) == example.form
        assert storyworld.story(example.story).text.startswith(example.context + example.text)


def test_an_unknown_predicate_or_role_is_refused_with_a_signature():
    known = signature(storyworld.world().grammar)
    with pytest.raises(FormError, match="a known predicate"):
        parse("fly(agent: lily)", known)
    with pytest.raises(FormError, match="an argument of 'lose'"):
        parse("lose(agent: lily, theme: ball, recipient: tom)", known)


def test_every_sentence_has_a_form():
    for index in range(100):
        forms = list(tasks.examples("logic", None, index, index + 1))
        assert len(forms) == len(storyworld.story(index).sentences)


def test_paraphrases_of_one_event_have_one_form():
    """Same event, same people and things, same qualities told: same form, however it is said."""
    forms, templates = defaultdict(set), defaultdict(set)
    for story in storyworld.stories(1500, level="meadow"):
        for told in Telling(story).told:
            qualities = [m for m in told.sentence.mentions if "." in m.role]
            roles = {role: p for p, role in told.sentence.arguments.items()}
            said = {
                (roles.get(m.role.partition(".")[0]), m.role.partition(".")[2], m.entry)
                for m in qualities
            }
            who = tuple(sorted((p, symbol(e)) for p, e in told.who.items() if e))
            key = (told.event.name, who, frozenset(said))
            forms[key].add(str(form_of(told)))
            templates[key].add(told.sentence.template)
    assert all(len(same) == 1 for same in forms.values())
    assert sum(len(said) > 1 for said in templates.values()) > 100


def test_entities_have_names_of_their_own():
    """Two people, places or things never share a symbol."""
    grammar = storyworld.world().grammar
    owners = defaultdict(set)
    for kind, group in grammar.lexicon.entries.items():
        if "being" in grammar.lexicon.family(kind):
            for entry in group.values():
                assert re.fullmatch(r"[a-z][a-z0-9_-]*", symbol(entry)), entry.where
                owners[symbol(entry)].add(entry.id)
    assert all(len(ids) == 1 for ids in owners.values())
