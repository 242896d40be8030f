"""Tags: aligned with the text, from closed sets, and valid BIO."""

from collections import defaultdict

import pytest

from gptlib import storyworld
from gptlib.storyworld import tasks
from gptlib.storyworld.tasks.tags import UPOS


@pytest.fixture(scope="module")
def tagged():
    return list(tasks.examples("tags", None, 0, 200))


def test_tokens_spell_the_sentence(tagged):
    for t in tagged:
        at = 0
        for token in t.tokens:
            at += len(t.text[at:]) - len(t.text[at:].lstrip())
            assert t.text.startswith(token, at), t
            at += len(token)
        assert at == len(t.text)
        assert len(t.tokens) == len(t.pos) == len(t.entities)


def test_parts_of_speech_are_those_of_universal_dependencies(tagged):
    # https://universaldependencies.org/u/pos/ lists seventeen.
    assert len(UPOS) == len(set(UPOS)) == 17
    assert {tag for t in tagged for tag in t.pos} <= set(UPOS) - {"X", "SYM"}


def test_punctuation_and_only_punctuation_is_punct(tagged):
    for t in tagged:
        for token, pos in zip(t.tokens, t.pos, strict=True):
            assert (pos == "PUNCT") == (not any(c.isalpha() for c in token))


def chunks(entities):
    """Entities as (label, start, stop), read strictly: an I- must continue its own label."""
    found, open_ = [], None
    for at, tag in enumerate([*entities, "O"]):
        prefix, _, label = tag.partition("-")
        assert prefix in ("B", "I", "O")
        if prefix == "I":
            assert open_ is not None, "I- without B-"
            assert open_[0] == label, "I- of another entity"
            continue
        if open_:
            found.append((*open_, at))
        open_ = (label, at) if prefix == "B" else None
    return found


def test_entities_are_valid_bio_of_known_labels(tagged):
    labels = set(storyworld.world().grammar.labels.values())
    found = {label for t in tagged for label, _, _ in chunks(t.entities)}
    assert found == labels >= {"PERSON", "ANIMAL", "PLACE", "OBJECT", "TIME"}


def test_who_and_what_is_named_is_tagged_as_what_it_is():
    """By the derivation: each slot that names somebody covers an entity of their label."""
    grammar = storyworld.world().grammar
    named = missed = 0
    for index in range(100):
        story = storyworld.story(index)
        rows = tasks.examples("tags", None, index, index + 1)
        for sentence, tags in zip(story.sentences, rows, strict=True):
            spoken = defaultdict(list)
            for label, start, stop in chunks(tags.entities):
                spoken[" ".join(tags.tokens[start:stop]).lower()].append(label)
            for mention in sentence.mentions:
                family = grammar.lexicon.family(mention.entry.type)
                label = next((grammar.labels[f] for f in family if f in grammar.labels), "")
                printed = story.text[mention.start : mention.stop].lower()
                if label and mention.entry.id.lower() in printed:
                    named += 1
                    missed += label not in spoken[mention.entry.id.lower()]
    assert named > 1000
    assert missed / named < 0.005
