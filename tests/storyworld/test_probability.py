"""The recorded log-probability is that of the text: by enumeration, by reading, by counting."""

import math
from collections import Counter

import pytest

from gptlib import storyworld
from gptlib.storyworld import enumeration, score

SMALL = """
version test
attribute mood: draw mood
attribute at: role
type being
type person is being
type child is person: proper person she noun=girl @nursery
  - Lily | 莉莉
  - [2] Mia | 米娅
  - [3] Ann | 安
type place is being @nursery
  - park | 公园
type mood @nursery
  - happy | 高兴
  - [4] sad | 难过
pos DET
  the
pos VERB
  went was saw waved
pos ADP
  to at
pos ADV
  then
phrase then @nursery
  - Then | 然后
  - [2] _ | _
event go(a: person, p: place) @nursery
  makes a.at = p
  - [5] {a} went to {the p}. | {a}去了{p}。
  - {p:to} went {a}. | {a}去了{p}。
event feel(a: person) @nursery
  - <then> {a} was {a.mood}. | <then>{a}很{a.mood}。
event see(a: person, b: person) @nursery
  - {a} saw {b:obj}. | {a}看见了{b}。
event wave(a: person, b: person) @nursery
  needs a.mood = happy
  - {a} waved at {b:obj}. | {a}向{b}挥手。
plot visit @nursery
  key hero: child
  role friend: child
  role place: place
  - go(hero, place); feel(hero); more
step more @nursery
  - see(hero, friend)
  - [2] wave(hero, friend)
  - [0.5] see(hero, friend); more-still
step more-still @nursery
  - feel(friend)
  - [3, hero.mood = sad] paragraph; feel(hero)
"""


def test_probabilities_of_all_nursery_stories_sum_to_one():
    total = math.fsum(math.exp(log) for _, log in storyworld.enumerate_stories("nursery"))
    assert total == pytest.approx(1, abs=1e-9)


def test_every_nursery_text_has_one_derivation():
    counts = Counter(text for text, _ in storyworld.enumerate_stories("nursery"))
    assert set(counts.values()) == {1}


def test_generated_stories_have_their_enumerated_probability():
    every = dict(storyworld.enumerate_stories("nursery"))
    for story in storyworld.stories(2000, level="nursery"):
        assert story.log_prob == pytest.approx(every[story.text], abs=1e-9)


@pytest.mark.parametrize("split", storyworld.SPLITS)
def test_probabilities_of_a_split_sum_to_one(split):
    every = dict(storyworld.enumerate_stories("nursery", split))
    assert math.fsum(map(math.exp, every.values())) == pytest.approx(1, abs=1e-9)
    for story in storyworld.stories(300, level="nursery", split=split):
        assert story.log_prob == pytest.approx(every[story.text], abs=1e-9)


def test_splits_share_no_story():
    texts = [{t for t, _ in storyworld.enumerate_stories("nursery", s)} for s in storyworld.SPLITS]
    assert sum(map(len, texts)) == len(set.union(*texts))


@pytest.mark.parametrize("level", storyworld.LEVELS)
def test_scorer_that_reads_the_text_agrees_on_1000_stories(level):
    for story in storyworld.stories(1000, level=level):
        assert storyworld.log_prob(story.text, level) == pytest.approx(story.log_prob, abs=1e-9)


@pytest.mark.parametrize("split", storyworld.SPLITS)
def test_scorer_agrees_within_a_split_and_refuses_the_others(split):
    for story in storyworld.stories(50, level="full", split=split):
        for other in storyworld.SPLITS:
            read = storyworld.log_prob(story.text, "full", other)
            expected = story.log_prob if other == split else -math.inf
            assert read == pytest.approx(expected, abs=1e-9)


def test_text_that_the_world_never_tells_has_probability_zero():
    text = storyworld.story(3, "meadow").text
    for broken in (text[:-1], text + " The end.", text.replace(" ", "  ", 1), "", text.lower()):
        assert storyworld.log_prob(broken, "meadow") == -math.inf


def test_sampled_frequencies_fit_the_probabilities(make_world):
    """Pearson's chi-square over every text of a small world, with a tail of about 1e-6."""
    world = make_world(SMALL)
    every = dict(enumeration.enumerate_stories(world))
    sampler = storyworld.Sampler(world)
    n = 20_000
    seen = Counter(sampler.sample(seed, None)[0] for seed in range(n))
    assert set(seen) <= set(every)
    common = [text for text, log in every.items() if n * math.exp(log) >= 5]
    chi = sum((seen[t] - n * math.exp(every[t])) ** 2 / (n * math.exp(every[t])) for t in common)
    assert chi < len(common) + 5 * math.sqrt(2 * len(common))


def test_scorer_agrees_with_enumeration_on_every_text_of_a_small_world(make_world):
    world = make_world(SMALL)
    every = dict(enumeration.enumerate_stories(world))
    assert math.fsum(map(math.exp, every.values())) == pytest.approx(1, abs=1e-12)
    for text, log in every.items():
        assert score.log_prob(world, text) == pytest.approx(log, abs=1e-12)


def test_scorer_sums_derivations_that_print_the_same_text(make_world):
    """The known trap: two hidden ways to one text make the recorded probability too small."""
    start = SMALL.index("step more @nursery")
    same = "step more @nursery\n  - see(hero, friend)\n  - set hero.at = none; see(hero, friend)\n"
    world = make_world(SMALL[:start] + same)
    counts = Counter(text for text, _ in enumeration.enumerate_stories(world))
    assert set(counts.values()) == {2}
    text, log_prob, _, _ = storyworld.Sampler(world).sample(0, None)
    assert score.log_prob(world, text) == pytest.approx(log_prob + math.log(2), abs=1e-12)


def test_entropy_is_the_enumerated_one_within_its_standard_error():
    exact = math.fsum(-log * math.exp(log) for _, log in storyworld.enumerate_stories("nursery"))
    found = storyworld.entropy("nursery", n=4000, tokenizer=str.split)
    assert abs(found.nats_per_story - exact) < 5 * found.standard_error
    assert 0 < found.standard_error < 0.05
    words = [len(s.text.split()) + 1 for s in storyworld.stories(4000, level="nursery")]
    assert found.tokens_per_story == pytest.approx(sum(words) / len(words))
    assert found.nats_per_token == pytest.approx(found.nats_per_story / found.tokens_per_story)
