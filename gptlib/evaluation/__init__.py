"""Metrics, each with its interval, and the baselines beside which they mean something.

>>> from gptlib import evaluation
>>> print(evaluation.exact_match(["Ben", "a ball"], ["Ben", "a drum"]))
50.0 [0.0, 100.0] (n=2)

Every metric takes predictions and references, one of each an example, and returns a `Score` in
percent. Its interval is a bootstrap over examples, or over `groups` of them: questions on one story
are not independent, so resample stories. Metrics compute with sacrebleu and rouge-score, which are
imported when first used.
"""

from gptlib.evaluation.answers import (
    answer_f1,
    exact_match,
    unanswerable_precision,
    unanswerable_recall,
)
from gptlib.evaluation.bootstrap import Resampling, difference, interval
from gptlib.evaluation.classification import Confusion, accuracy, confusion, macro_f1
from gptlib.evaluation.forms import form_match, valid_forms
from gptlib.evaluation.perplexity import Likelihood, likelihood, token_costs
from gptlib.evaluation.ranking import mrr, ndcg, ranked, recall_at
from gptlib.evaluation.score import Score
from gptlib.evaluation.summaries import rouge
from gptlib.evaluation.table import Table
from gptlib.evaluation.tagging import Span, span_f1, spans, tag_accuracy
from gptlib.evaluation.translation import bleu, chrf

__all__ = [
    "Confusion",
    "Likelihood",
    "Resampling",
    "Score",
    "Span",
    "Table",
    "accuracy",
    "answer_f1",
    "bleu",
    "chrf",
    "confusion",
    "difference",
    "exact_match",
    "form_match",
    "interval",
    "likelihood",
    "macro_f1",
    "mrr",
    "ndcg",
    "ranked",
    "recall_at",
    "rouge",
    "span_f1",
    "spans",
    "tag_accuracy",
    "token_costs",
    "unanswerable_precision",
    "unanswerable_recall",
    "valid_forms",
]
