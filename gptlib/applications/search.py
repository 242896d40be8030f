"""Semantic search: the stories that answer a query, though they share no word with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tqdm.auto import tqdm  # type: ignore[import-untyped]

from gptlib import storyworld
from gptlib.applications.application import Application
from gptlib.applications.asking import log_likelihoods
from gptlib.evaluation import Score, baselines, mrr, ndcg, ranked, recall_at
from gptlib.model import GPT
from gptlib.storyworld import tasks
from gptlib.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Sought(tasks.Example):
    """A query, the stories to search, and how well each answers: a grade from 1 to 3, or none."""

    kind: str
    """`words` in a story's own words, `paraphrase` in others."""
    query: str
    relevant: Mapping[int, int]
    documents: Mapping[int, str]
    """A collection of stories by number, shared by all of its queries."""


class Search(Application[Sought]):
    """A model that was asked for the query of many stories knows how likely a given query is.

    So stories are ranked by log p(query | story and request). Source: Ponte & Croft 1998, "A
    Language Modeling Approach to Information Retrieval"; the language model of each story is here
    a GPT that has read it.
    """

    name = "search"
    task = "search"
    room = 40

    def of_stories(
        self, split: str, level: str, start: int, stop: int | None = None
    ) -> Iterator[Sought]:
        for q in tasks.examples("search", split, start, stop, level):
            documents = _collection(split, level, *q.collection)
            yield Sought(q.story, q.kind, q.query, q.relevant, documents)

    def text(self, example: Sought) -> str:
        """The story that the query was made for."""
        return example.documents[example.story]

    def request(self, example: Sought) -> str:
        return "\nQuery:"

    def answer(self, example: Sought) -> str:
        return f" {example.query}"

    def predict(
        self, model: GPT, tokenizer: Tokenizer, examples: Sequence[Sought], progress: bool = False
    ) -> Sequence[list[int]]:
        """For each query all stories of its collection, the likeliest first."""
        rankings: dict[int, list[int]] = {}
        collections = _by_collection(examples)
        for rows in tqdm(collections, disable=not progress, leave=False):
            some = [examples[row] for row in rows]
            documents = some[0].documents
            prompts = [text + self.request(some[0]) for text in documents.values()]
            answers = [self.answer(example) for example in some]
            table = log_likelihoods(model, tokenizer, prompts, answers)  # (stories, queries)
            for row, column in zip(rows, table.T.tolist(), strict=True):
                rankings[row] = ranked(list(documents), column)
        return [rankings[row] for row in range(len(examples))]

    def baselines(self, examples: Sequence[Sought]) -> Mapping[str, Sequence[list[int]]]:
        rankings: dict[int, list[int]] = {}
        for rows in _by_collection(examples):
            documents = examples[rows[0]].documents
            names = list(documents)
            index = baselines.BM25(list(documents.values()))
            for row in rows:
                rankings[row] = [names[at] for at in index.rank(examples[row].query)]
        return {"BM25": [rankings[row] for row in range(len(examples))]}

    def score(self, predictions: Sequence[list[int]], examples: Sequence[Sought]) -> list[Score]:
        right: list[Mapping[Any, Any]] = [example.relevant for example in examples]
        return [ndcg(predictions, right), mrr(predictions, right), recall_at(predictions, right)]


def _by_collection(examples: Sequence[Sought]) -> list[list[int]]:
    """The rows of the examples that search the same stories."""
    found: dict[int, list[int]] = {}
    for row, example in enumerate(examples):
        found.setdefault(id(example.documents), []).append(row)
    return list(found.values())


@lru_cache(maxsize=8)
def _collection(split: str, level: str, start: int, stop: int) -> dict[int, str]:
    return {n: storyworld.story(n, level, split).text for n in range(start, stop)}
