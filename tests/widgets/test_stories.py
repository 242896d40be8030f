"""The story world viewer shows what the story world says."""

import re

import pytest

from gptlib import storyworld
from gptlib.storyworld import tasks
from gptlib.widgets import StoryViewer
from gptlib.widgets.stories.page import read


@pytest.mark.parametrize("index", [0, 1, 7, 23])
def test_gaps_and_sentences_are_the_story(index):
    page = read(index)
    story = storyworld.story(index)
    joined = "".join(gap + m.text for gap, m in zip(page.gaps, page.moments, strict=True))
    assert joined == story.text
    assert page.log_prob == story.log_prob
    made = tasks.of_story(index)
    assert page.summary == made["summary"][0].summary
    assert [m.zh for m in page.moments] == [t.zh for t in made["translation"]]
    assert len(page.questions) == len(made["questions"])
    assert any(
        kind == "unanswerable" and answer == "not told" for kind, _, answer in page.questions
    )


def test_what_changed_is_what_was_not_so_before():
    page = read(1)
    known: dict[str, str] = {}
    for moment in page.moments:
        assert set(moment.changed) == {n for n, v in moment.facts.items() if known.get(n) != v}
        known = moment.facts
    assert page.moments[0].changed
    assert any(not moment.changed or len(moment.changed) < 4 for moment in page.moments[1:])


def test_the_widget():
    viewer = StoryViewer(3, level="nursery")
    assert not viewer.problem
    assert viewer.state["index"] == 3
    before = viewer.state
    for index, says in (("", "Type the number"), (-1, "no story -1"), (10**9, "no story 1000000")):
        viewer.ask({"index": index})
        assert says in viewer.problem
        assert viewer.state == before
    assert "summary, theme and questions" in viewer.describe()
    data, metadata = StoryViewer(2)._repr_mimebundle_()
    assert data["image/png"]
    assert metadata["image/png"]["alt"] == data["text/plain"]


def test_a_search_shows_the_best_hits_and_how_many_more():
    (words, *_) = tasks.examples("search", None, 3, 4, level="nursery")
    best = [story for story, grade in words.relevant.items() if grade == 3]
    assert 3 in best
    said = dict(read(3, "nursery").searches)[words.query]
    shown = [int(number) for number in re.findall(r"\d+", said.split(" and ")[0])]
    assert shown == best[:8]
    assert said.endswith(f" and {len(best) - 8} more") == (len(best) > 8)
