"""Translations: BLEU and chrF, through sacrebleu.

Both are figures of a whole test set, no means over sentences: n-grams are counted in all of them
and then divided. So a resample adds up its sentences' counts, and computes the figure from these.
Sources: Papineni et al. 2002 (BLEU); Popović 2015 (chrF); Post 2018, "A Call for Clarity in
Reporting BLEU Scores" (sacrebleu, and why the tokenisation belongs to the score).
"""

from collections.abc import Iterable
from typing import Any, Unpack

import numpy as np

from gptlib.evaluation.bootstrap import Resampling, Rows, score
from gptlib.evaluation.packages import needed
from gptlib.evaluation.pairs import texts
from gptlib.evaluation.score import Score

# BLEU counts words, and Chinese has no spaces between them: sacrebleu's "zh" cuts at every
# Chinese character. "13a" is what WMT cuts English and its like by.
TOKENISERS = {"en": "13a", "zh": "zh"}


def bleu(
    predictions: Iterable[str],
    references: Iterable[str],
    language: str = "en",
    **how: Unpack[Resampling],
) -> Score:
    """Corpus BLEU in percent, of translations into `language`: "en" or "zh".

    Raises ValueError for another language, and where predictions and references do not pair.
    """
    if language not in TOKENISERS:
        raise ValueError(f"language={language!r}: use one of {', '.join(TOKENISERS)}")
    # The text here is no tokenised one, whatever its full stops look like.
    metric = _metrics().BLEU(tokenize=TOKENISERS[language], force=True)
    return _corpus_score("BLEU", metric, predictions, references, how)


def chrf(predictions: Iterable[str], references: Iterable[str], **how: Unpack[Resampling]) -> Score:
    """Corpus chrF in percent: F2 of the n-grams of up to 6 characters, spaces left out."""
    return _corpus_score("chrF", _metrics().CHRF(), predictions, references, how)


def _metrics() -> Any:
    return needed("sacrebleu.metrics", "sacrebleu")


def _corpus_score(
    name: str,
    metric: Any,
    predictions: Iterable[str],
    references: Iterable[str],
    how: Resampling,
) -> Score:
    mine, theirs = texts(predictions, references)
    # sacrebleu's public functions give no counts by sentence. These two are what it resamples
    # with itself; a test holds the result to `corpus_score`.
    counts = np.array(metric._extract_corpus_statistics(mine, [theirs]))

    def of(rows: Rows) -> float:
        found = metric._compute_score_from_stats(counts[rows].sum(axis=0).tolist())
        return float(found.score)

    return score(name, of, len(mine), **how)
