"""A story sentence by sentence: what is told, what is true after it, what the tasks make of it."""

from dataclasses import dataclass
from typing import Any

from gptlib import storyworld
from gptlib.storyworld import tasks
from gptlib.storyworld.tasks.search import Query


@dataclass(frozen=True)
class Moment:
    """One sentence with its labels, and the world after it."""

    text: str
    event: str
    facts: dict[str, str]
    changed: list[str]  # facts that this sentence made true
    zh: str
    sentiment: str
    logic: str
    tags: list[tuple[str, str, str]]  # word, part of speech, entity ("O" for none)


@dataclass(frozen=True)
class Page:
    """A story and all that is known of it."""

    index: int
    key: str
    log_prob: float
    moments: list[Moment]
    gaps: list[str]  # what stands before each sentence in the text, line breaks included
    summary: str
    theme: str
    questions: list[tuple[str, str, str]]  # kind, question, answer
    searches: list[tuple[str, str]]  # query, and the stories that are all it asks for


def read(index: int, level: str = "full") -> Page:
    """The story of an index with its tasks. Raises `ValueError` for an index below 0."""
    story = storyworld.story(index, level)
    found = tasks.of_story(index, level=level)
    moments: list[Moment] = []
    gaps: list[str] = []
    before: dict[str, str] = {}
    end = 0
    rows = zip(
        *(story.sentences, found["translation"], found["sentiment"], found["logic"], found["tags"]),
        strict=True,
    )
    for sentence, translation, sentiment, logic, tags in rows:
        facts = {name: value for name, value in sentence.state.items() if value}
        moments.append(
            Moment(
                text=sentence.text,
                event=f"{sentence.event}({_arguments(sentence.arguments)})",
                facts=facts,
                changed=[name for name, value in facts.items() if before.get(name) != value],
                zh=translation.zh,
                sentiment=sentiment.label,
                logic=logic.form,
                tags=list(zip(tags.tokens, tags.pos, tags.entities, strict=True)),
            )
        )
        gaps.append(story.text[end : sentence.start])
        before, end = facts, sentence.stop
    return Page(
        index=index,
        key=story.key,
        log_prob=story.log_prob,
        moments=moments,
        gaps=gaps,
        summary=found["summary"][0].summary,
        theme=found["theme"][0].label,
        questions=[(q.kind, q.question, _answer(q)) for q in found["questions"]],
        searches=[(query.query, _hits(query)) for query in found["search"]],
    )


def _arguments(arguments: dict[str, str]) -> str:
    return ", ".join(dict.fromkeys(arguments.values()))


def _hits(query: Query, shown: int = 8) -> str:
    """The stories that are all that is asked for; how many more there are, where there are many."""
    best = [str(story) for story, grade in query.relevant.items() if grade == 3]
    more = f" and {len(best) - shown} more" if len(best) > shown else ""
    return ", ".join(best[:shown]) + more


def _answer(question: Any) -> str:
    return "not told" if question.kind == "unanswerable" else str(question.answer)
