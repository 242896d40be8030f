"""A mistake in a line that the tasks read is reported with its file, its line and what to do."""

import pytest

from gptlib.storyworld import DataError

GOOD = """version test
attribute at: role
  locates
attribute holder: role
  ends At the end, did {child} have {toy}?
attribute colour: draw colour
  asks What colour {toy:was/were} {toy}?
type being
type child is being: proper she noun=girl @nursery
  - Lily | 莉莉
type toy is being @nursery
  - ball | 球
type colour: pos=ADJ @nursery
  - red | 红色
entity PERSON
  child
gloss
  toy a plaything
pos VERB
  has
event own(a: child, o: toy) @nursery
  clause {a:agent} had/have {o:theme}
  part problem
  tone positive
  because own
  - {a} has {a o.colour} {o:noun}. | {a}有一个{o.colour:的}{o}。
plot have @nursery
  key hero: child
  role toy: toy
  theme having
  outcome had: toy != none
  query [toy != none] {toy:gloss} of her own
  - own(hero, toy)
"""

CASES = [
    ("{a:agent} had/have", "{a:agent} had", "cannot read clause"),
    ("{a:agent} had/have", "had/have", "cannot read clause"),
    ("{a:agent} had/have", "{a:agent had/have", "cannot read clause"),
    ("{o:theme}\n", "{o:theme}.\n", "cannot read clause"),
    ("{o:theme}", "{x:theme}", "no parameter 'x'"),
    ("{o:theme}", "{o:owner}", "unknown thematic role 'owner'"),
    ("{o:theme}", "{o:agent}", "role 'agent' twice"),
    ("{o:theme}", "{a:theme}", "parameter 'a' twice"),
    ("part problem", "part middle", "unknown part 'middle'"),
    ("tone positive", "tone good", "unknown tone 'good'"),
    ("because own", "because rain", "no event 'rain'"),
    ("outcome had: toy != none", "outcome had: toy > none", "cannot read condition"),
    ("outcome had: toy != none", "outcome had: pet != none", "has no role 'pet'"),
    ("query [toy != none]", "query [toy != none", "'[' without ']'"),
    ("What colour {toy:was/were} {toy}?", "What colour", "cannot read 'What colour'"),
    ("{toy:was/were} {toy}?", "was {car}?", "unknown type 'car'"),
    ("did {child} have {toy}?", "did {child} play?", "cannot read"),
    ("  locates", "  located", "unknown 'located'"),
    ("entity PERSON", "entity person", "entity label 'person'"),
    ("PERSON\n  child", "PERSON\n  adult", "unknown type 'adult'"),
    ("toy a plaything", "car a plaything", "no tag or type 'car'"),
    ("toy a plaything", "toy", "'toy' without words"),
]


def link(world):
    for index in range(len(world.plots)):
        world.linked(index)


def test_the_good_file_is_good(make_world):
    link(make_world(GOOD))


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_mistake_is_reported_with_file_and_line(make_world, old, new, message):
    assert GOOD.count(old) == 1
    with pytest.raises(DataError) as caught:
        link(make_world(GOOD.replace(old, new)))
    line = GOOD[: GOOD.index(old)].count("\n") + 1 + old[: len(old) // 2].count("\n")
    text = str(caught.value)
    assert message in text
    assert "; " in text
    assert text.startswith((f"story.txt:{line}: ", f"story.txt:{line + 1}: ")), text
