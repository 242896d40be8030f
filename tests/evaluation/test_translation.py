"""BLEU and chrF: sacrebleu's own figures, with intervals like its own."""

import random

import numpy as np
import pytest
import sacrebleu

from gptlib.evaluation import bleu, chrf, difference

ENGLISH = ["the boy gave the girl a red ball .", "it rained all day, and nobody came", "he ran"]


def corpus(language, n=40):
    """References, and predictions in which some words or characters are others."""
    draw = random.Random(0)
    units = "小女孩给了男一个红色的球，跑去公园。"
    if language == "en":
        units = ["the", "a", "boy", "girl", "red", "ball", "gave", "to", "ran", "and", "in", "it"]
    joint = " " if language == "en" else ""
    references, predictions = [], []
    for _ in range(n):
        right = draw.choices(units, k=draw.randint(6, 20))
        references.append(joint.join(right))
        predictions.append(
            joint.join(draw.choice(units) if draw.random() < 0.3 else u for u in right)
        )
    return predictions, references


@pytest.mark.parametrize(("language", "tokenizer"), [("en", "13a"), ("zh", "zh")])
def test_bleu_is_sacrebleus(language, tokenizer):
    predictions, references = corpus(language)
    theirs = sacrebleu.corpus_bleu(predictions, [references], tokenize=tokenizer)
    ours = bleu(predictions, references, language)
    assert ours.value == pytest.approx(theirs.score)
    assert 10 < ours.low < ours.value < ours.high < 90


@pytest.mark.parametrize("language", ["en", "zh"])
def test_chrf_is_sacrebleus(language):
    predictions, references = corpus(language)
    assert chrf(predictions, references).value == pytest.approx(
        sacrebleu.corpus_chrf(predictions, [references]).score
    )


def test_chinese_needs_its_own_tokenizer():
    predictions, references = corpus("zh")
    assert bleu(predictions, references, "en").value < bleu(predictions, references, "zh").value / 2


@pytest.mark.parametrize("name", ["BLEU", "CHRF"])
def test_the_interval_is_that_of_sacrebleus_bootstrap(name, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "5")
    predictions, references = corpus("en", 150)
    metric = getattr(sacrebleu, name)()
    theirs = metric.corpus_score(predictions, [references], n_bootstrap=2000)
    ours = (bleu if name == "BLEU" else chrf)(predictions, references, samples=2000)
    # Its half width is half of what lies between the percentiles, as here.
    assert (ours.high - ours.low) / 2 == pytest.approx(theirs._ci, rel=0.1)
    assert np.mean(ours.resampled) == pytest.approx(theirs._mean, abs=0.2)


def test_a_resample_scores_the_sentences_drawn():
    predictions, references = corpus("en", 12)
    rows = np.random.default_rng(7).integers(12, size=12)
    theirs = sacrebleu.corpus_bleu([predictions[i] for i in rows], [[references[i] for i in rows]])
    assert bleu(predictions, references, samples=1, seed=7).resampled[0] == pytest.approx(
        theirs.score
    )


def test_a_perfect_translation_scores_100_and_another_less():
    predictions, references = corpus("zh")
    perfect, other = bleu(references, references, "zh"), bleu(predictions, references, "zh")
    assert perfect.value == pytest.approx(100)
    assert difference(perfect, other).low > 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="language='fr': use one of en, zh"):
        bleu(ENGLISH, ENGLISH, "fr")
    for metric in (bleu, chrf):
        with pytest.raises(ValueError, match="3 predictions and 2 references"):
            metric(ENGLISH, ENGLISH[:2])
        with pytest.raises(ValueError, match="nothing to score"):
            metric([], [])
        with pytest.raises(ValueError, match="prediction 1 is None: it must be a text"):
            metric(["a", None], ["a", "b"])
