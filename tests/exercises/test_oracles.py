"""References of sets 08 and 09 against the field's own packages, on random inputs."""

import random

import pytest
import torch

from tools.exercises import sets

SEEDS = range(40)


def reference(task_id):
    """The functions of a reference, by name."""
    number = task_id.split(".")[0]
    name = next(name for name in sets.find_sets() if name.startswith(number))
    return sets.reference(sets.load_set(name).exercises[task_id])


def words(draw, n, among="abcd"):
    return [draw.choice(among) for _ in range(n)]


@pytest.mark.parametrize("seed", SEEDS)
def test_clipped_precision_and_brevity_against_sacrebleu(seed):
    BLEU = pytest.importorskip("sacrebleu.metrics").BLEU
    draw = random.Random(seed)
    count = draw.randint(1, 3)
    pairs = [
        (words(draw, draw.randint(4, 9)), [words(draw, draw.randint(1, 12)) for _ in range(count)])
        for _ in range(draw.randint(1, 5))
    ]
    said = [" ".join(candidate) for candidate, _ in pairs]
    true = [[" ".join(references[n]) for _, references in pairs] for n in range(count)]
    bleu = BLEU(tokenize="none", smooth_method="none", max_ngram_order=3)
    theirs = bleu.corpus_score(said, true)
    ours = reference("09.2")
    for n, percent in enumerate(theirs.precisions, start=1):
        assert ours["clipped_precision"](pairs, n) == pytest.approx(percent / 100)
    assert ours["brevity_penalty"](pairs) == pytest.approx(theirs.bp)


@pytest.mark.parametrize("seed", SEEDS)
def test_rouge_l_against_rouge_score(seed):
    scorer = pytest.importorskip("rouge_score.rouge_scorer")

    class Letters:
        def tokenize(self, text):
            return text.split()

    draw = random.Random(seed)
    summary, true = words(draw, draw.randint(0, 9)), words(draw, draw.randint(0, 9))
    both = scorer.RougeScorer(["rougeL"], tokenizer=Letters())
    theirs = both.score(" ".join(true), " ".join(summary))["rougeL"]
    ours = reference("09.3")["rouge_l"](summary, true)
    assert ours == pytest.approx((theirs.precision, theirs.recall, theirs.fmeasure))


@pytest.mark.filterwarnings("ignore")  # of seqeval, where there is no span
@pytest.mark.parametrize("seed", SEEDS)
def test_spans_against_seqeval(seed):
    metrics = pytest.importorskip("seqeval.metrics")
    from seqeval.metrics.sequence_labeling import get_entities

    draw = random.Random(seed)
    tags = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    lengths = [draw.randint(1, 9) for _ in range(draw.randint(1, 5))]
    truths, guesses = ([words(draw, n, tags) for n in lengths] for _ in range(2))
    ours = reference("09.4")
    for sentence in truths + guesses:
        theirs = [(kind, start, end + 1) for kind, start, end in get_entities(sentence)]
        assert ours["spans"](sentence) == theirs
    theirs = metrics.f1_score(truths, guesses, zero_division=0)
    assert ours["span_f1"](truths, guesses) == pytest.approx(theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_mean_reciprocal_rank_against_scikit_learn(seed):
    """With one relevant document a query, its ranking precision is the reciprocal rank."""
    metrics = pytest.importorskip("sklearn.metrics")
    g = torch.Generator().manual_seed(seed)
    Q, N, k = 5, 7, 3
    scores = torch.rand(Q, N, generator=g, dtype=torch.float64)
    relevant = torch.zeros(Q, N, dtype=torch.bool)
    place = torch.randint(N, (Q,), generator=g)
    relevant[torch.arange(Q), place] = True
    mrr, recall = reference("09.5")["rank_scores"](scores, relevant, k)
    theirs = metrics.label_ranking_average_precision_score(relevant.numpy(), scores.numpy())
    assert mrr == pytest.approx(theirs)
    # Of one relevant document, recall says whether it is among the k best.
    top = metrics.top_k_accuracy_score(place, scores.numpy(), k=k, labels=range(N))
    assert recall == pytest.approx(top)


@pytest.mark.parametrize("bias", [True, False])
def test_lora_and_merging_against_peft(bias):
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    base = torch.nn.Sequential()
    base.lm = torch.nn.Linear(6, 4, bias=bias).double()
    base.forward = lambda x: base.lm(x)
    state = {f"lm.{name}": value.detach().clone() for name, value in base.lm.named_parameters()}
    config = peft.LoraConfig(r=3, lora_alpha=8, target_modules=["lm"], init_lora_weights=False)
    tuned = peft.get_peft_model(base, config).double()
    layer = tuned.base_model.model.lm
    a, b = layer.lora_A["default"].weight.detach(), layer.lora_B["default"].weight.detach()
    x = torch.randn(2, 5, 6, dtype=torch.float64)
    ours = reference("08.4")["lora_linear"]
    with torch.no_grad():
        theirs = layer(x)
    torch.testing.assert_close(ours(x, state["lm.weight"], state.get("lm.bias"), a, b, 8), theirs)
    merged = reference("08.5")["merge"](state, {"lm.a": a, "lm.b": b}, 8)
    layer.merge()
    torch.testing.assert_close(merged["lm.weight"], layer.base_layer.weight.detach())


@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_pooling_against_transformers(padding_side):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=11, n_positions=8, n_embd=6, n_layer=1, n_head=2, num_labels=3, pad_token_id=0
    )
    model = transformers.GPT2ForSequenceClassification(config).eval()
    idx = torch.tensor([[5, 0, 7, 3, 2], [4, 1, 0, 0, 0], [9, 8, 0, 6, 0]])
    if padding_side == "left":
        idx = idx.flip(1)
    with torch.no_grad():
        theirs = model(idx).logits
        x = model.transformer(idx).last_hidden_state
        ours = model.score(reference("08.1")["pool_last"](x, idx, 0))
    torch.testing.assert_close(ours, theirs)
