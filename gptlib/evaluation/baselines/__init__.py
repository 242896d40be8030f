"""Methods without a model: what a model must beat to have learned anything.

Each learns from training examples, if it needs any, and has `predict`. None sees the test set.
"""

from gptlib.evaluation.baselines.answering import CommonAnswer, first_entities
from gptlib.evaluation.baselines.bm25 import BM25
from gptlib.evaluation.baselines.labels import Majority, WordTags, WordVote
from gptlib.evaluation.baselines.nearest import NearestNeighbour
from gptlib.evaluation.baselines.sentences import drawn, lead
from gptlib.evaluation.baselines.word_by_word import WordByWord

__all__ = [
    "BM25",
    "CommonAnswer",
    "Majority",
    "NearestNeighbour",
    "WordByWord",
    "WordTags",
    "WordVote",
    "drawn",
    "first_entities",
    "lead",
]
