"""What an instruction model learns from: all applications, asked in turn about one text.

A story costs some 200 tokens and an answer ten, so a story is asked about as often as fits. The
order is drawn anew for each text, and every request comes first somewhere: at its use it is alone.
"""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from gptlib import storyworld
from gptlib.applications.application import Application
from gptlib.applications.forms import Parse
from gptlib.applications.labels import Classify, Feel
from gptlib.applications.questions import Answer
from gptlib.applications.search import Search
from gptlib.applications.summaries import Summarise
from gptlib.applications.tags import Tag
from gptlib.applications.translation import Translate
from gptlib.applications.writing import Write
from gptlib.finetuning.instructions import Turn

LEVEL, SPLIT = "full", "train"
CUT = 0.3  # of the stories are cut behind a sentence, and asked what their sentences say
ASKED = {"questions": 6, "forms": 6}  # at most, of one story
FEEL, TAG = 0.35, 0.35  # of the sentences are asked for these, beside their translation


def about_stories(seeds: Iterable[int]) -> Iterator[list[Turn]]:
    """A conversation about each story: summary, theme, query, questions, forms."""
    for seed in seeds:
        draw = Random(seed)
        text = storyworld.story(seed, LEVEL, SPLIT).text
        forms = Parse().training(seed)
        if forms and draw.random() < CUT:
            last = draw.randrange(len(forms))
            text = Parse().text(forms[last])
            # The last sentence is asked for most, as at its use, and others that came before it.
            asked = forms[: last + 1][-ASKED["forms"] :]
            requests = [(Parse().request(form), Parse().answer(form)) for form in asked]
        else:
            requests = _asked(Summarise(), seed) + _asked(Classify(), seed)
            requests += draw.sample(_asked(Search(), seed), 1)
            for application in (Answer(), Parse()):
                found = _asked(application, seed)
                requests += draw.sample(found, min(len(found), ASKED[application.name]))
        draw.shuffle(requests)
        yield _conversation(text, requests)


def about_sentences(seeds: Iterable[int]) -> Iterator[list[Turn]]:
    """A conversation about each sentence of the stories: translation, mood, names."""
    for seed in seeds:
        draw = Random(seed)
        requests: dict[str, list[tuple[str, str]]] = {}
        shares: list[tuple[Application[Any], float]]
        shares = [(Translate(), 1.0), (Feel(), FEEL), (Tag(), TAG)]
        for application, share in shares:
            for example in application.training(seed):
                if draw.random() < share:
                    pair = (application.request(example), application.answer(example))
                    requests.setdefault(application.text(example), []).append(pair)
        for text, asked in requests.items():
            draw.shuffle(asked)
            yield _conversation(text, asked)


def writings(seeds: Iterable[int]) -> Iterator[list[Turn]]:
    """A story told on request, for each seed."""
    for seed in seeds:
        yield from ([Write().turn(wish)] for wish in Write().training(seed))


def _asked(application: Application[Any], seed: int) -> list[tuple[str, str]]:
    examples = application.training(seed)
    return [(application.request(example), application.answer(example)) for example in examples]


def _conversation(text: str, requests: list[tuple[str, str]]) -> list[Turn]:
    (request, answer), *others = requests
    return [Turn(text + request, answer), *(Turn(*other) for other in others)]
