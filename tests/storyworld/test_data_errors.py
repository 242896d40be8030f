"""A mistake in a data file is reported with its file, its line and what to do."""

import pytest

from gptlib.storyworld import DataError, Sampler, StoryError

GOOD = """version test
attribute at: role
attribute mood: mood
attribute state: lost found
type being
type child is being: proper she noun=girl @nursery
  - Lily | 莉莉
type mood @nursery
  - sad | 难过
pos VERB
  ran was
event run(a: child) @nursery
  needs a.at = none
  makes a.state = found
  - {a} ran. | {a}跑了。
plot jog @nursery
  key hero: child
  start hero.mood = sad
  - run(hero)
"""

CASES = [
    ("version test\n", "", "no version", 0),
    ("type being\n", "tpye being\n", "unknown block 'tpye'", 5),
    ("attribute mood: mood", "attribute mood: draw mod", "draw without a type", 3),
    ("@nursery\n  - Lily", "@kindergarten\n  - Lily", "unknown level '@kindergarten'", 6),
    ("is being:", "is creature:", "unknown type 'creature'", 6),
    ("Lily | 莉莉", "Lily", "1 parts between bars", 7),
    ("Lily | 莉莉", "Lily | 莉莉 | plural=Lilies", "unknown field 'plural'", 7),
    ("Lily | 莉莉", "Lily | 莉莉 | near=hill", "near=hill: no such entry", 7),
    ("Lily | 莉莉\n", "Lily | 莉莉\n  - Lily | 莉\n", "'Lily' is a child at story.txt:7", 8),
    ("ran was\n", "ran was\npos NOUN\n  ran\n", "'ran' already is VERB", 13),
    ("run(a: child)", "run(a: dog)", "parameter 'a: dog'", 12),
    ("{a} ran.", "{a} runned.", "unknown word 'runned'", 15),
    ("{a} ran. | {a}跑了。", "{a} ran.", "1 parts between bars", 15),
    ("{a} ran.", "{a ran.", "unmatched brace", 15),
    ("{a} ran.", "{a:hers} ran.", "unknown form 'hers'", 15),
    ("{a} ran.", "{b} ran.", "has no role 'b'", 15),
    ("{a} ran.", "<then> {a} ran.", "no phrase <then>", 15),
    ("{a}跑了。", "{a.mood}跑了。", "{a.mood} only in Chinese", 15),
    (
        "  - {a} ran. | {a}跑了。",
        "  - [2] {a} ran. | {a}跑了。\n  - {a} ran. | 跑。",
        "same English",
        16,
    ),
    ("  - {a} ran.", "  - [0] {a} ran.", "a weight of 0", 15),
    ("  - {a} ran.", "  - [2 {a} ran.", "'[' without ']'", 15),
    ("needs a.at = none", "needs a.at > none", "cannot read condition", 13),
    ("needs a.at", "needs a.place", "unknown attribute 'place'", 13),
    ("needs a.at", "need a.at", "unknown 'need'", 13),
    ("makes a.state = found", "makes a.state = hidden", "a.state cannot be 'hidden'", 14),
    ("hero.mood = sad", "hero.mood = glad", "'glad' is no mood", 18),
    ("key hero: child", "key hero: chief", "unknown type 'chief'", 17),
    ("key hero: child", "key hero child", "cannot read role", 17),
    ("- run(hero)", "- walk(hero)", "no event or step 'walk'", 19),
    ("- run(hero)", "- run(hero, hero)", "wrong arguments for run", 19),
    ("- run(hero)", "- run(villain)", "has no role 'villain'", 19),
    ("- run(hero)", "- run[hero]", "cannot read 'run[hero]'", 19),
    ("  - run(hero)", "  - [@full] run(hero)", "jog has no line at level nursery", 19),
    ("plot jog @nursery", "plot jog fast @nursery", "weight 'fast'", 16),
]


def link(world):
    for index in range(len(world.plots)):
        world.linked(index)


def test_the_good_file_is_good(make_world):
    link(make_world(GOOD))


@pytest.mark.parametrize(("old", "new", "message", "line"), CASES)
def test_mistake_is_reported_with_file_and_line(make_world, old, new, message, line):
    assert GOOD.count(old) == 1
    with pytest.raises(DataError) as caught:
        link(make_world(GOOD.replace(old, new)))
    text = str(caught.value)
    assert message in text
    assert "; " in text
    if line:
        assert text.startswith(f"story.txt:{line}: "), text


def test_a_dead_end_is_named_when_a_story_runs_into_it(make_world):
    world = make_world(GOOD.replace("start hero.mood = sad", "start hero.at = hero"))
    with pytest.raises(StoryError, match=r"jog .*no line is possible"):
        Sampler(world).sample(0, None)
