"""What a text costs: transformers' own loss by Hugging Face's scheme, and a naive loop."""

import math
from dataclasses import replace

import pytest
import torch
import transformers

from gptlib import GPT, GPTConfig, pretrained
from gptlib.evaluation import likelihood, token_costs
from gptlib.tokenizer import Tokenizer

WINDOW = 12
CONFIG = GPTConfig(vocab_size=61, n_positions=WINDOW + 1, n_embd=24, n_layer=2, n_head=3)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = GPT(CONFIG).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)  # so that costs differ widely, as a trained model's do
    return model


def tokens(n, vocab_size=61):
    return torch.randint(vocab_size, (n,), generator=torch.Generator().manual_seed(n))


def by_hugging_face(model, idx, max_length, stride):
    """(total nats, tokens counted), by "Perplexity of fixed-length models"."""
    total, counted, before = 0.0, 0, 0
    for begin in range(0, len(idx), stride):
        end = min(begin + max_length, len(idx))
        window = idx[None, begin:end]
        targets = window.clone()
        targets[:, : -(end - before)] = -100
        n = int((targets[:, 1:] != -100).sum())  # the model shifts, so the first has no logits
        total += n * model(window, labels=targets).loss.item()
        counted += n
        before = end
        if end == len(idx):
            break
    return total, counted


@pytest.mark.parametrize("n", [5, 13, 14, 31, 40, 61])
@pytest.mark.parametrize("stride", [1, 5, 6, 12])
@torch.no_grad()
def test_costs_are_transformers_loss(model, tmp_path, n, stride):
    pretrained.save(model, tmp_path)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    idx = tokens(n)
    total, counted = by_hugging_face(theirs, idx, WINDOW + 1, stride)
    ours = token_costs(model, idx, window=WINDOW, stride=stride, batch_size=2)
    assert len(ours) == counted == n - 1
    assert ours.sum().item() == pytest.approx(total, rel=1e-5)


@torch.no_grad()
def test_each_token_is_predicted_from_its_window(model):
    n, window, stride = 30, 10, 4
    idx = tokens(n)
    ours = token_costs(model, idx, window=window, stride=stride)
    for target in range(1, n):
        # The first window that ends at or behind the token has it.
        number = max(0, math.ceil((target - window) / stride))
        context = idx[number * stride : target]
        alone = -model(context[None])[0, -1].log_softmax(-1)[idx[target]]
        assert ours[target - 1].item() == pytest.approx(alone.item(), rel=1e-4)


def test_batches_change_nothing(model):
    idx = tokens(100)
    one, many = (token_costs(model, idx, batch_size=n) for n in (1, 50))
    torch.testing.assert_close(one, many)


def test_the_window_is_the_models_and_the_stride_its_half(model):
    idx = tokens(50)
    torch.testing.assert_close(
        token_costs(model, idx), token_costs(model, idx, window=13, stride=6)
    )


def test_a_model_without_a_table_of_positions_reads_wider_windows():
    model = GPT(replace(CONFIG, positions="rotary", n_head=2)).eval()
    assert len(token_costs(model, tokens(60), window=40)) == 59


class Uniform(GPT):
    """Every token is as likely as any other: the output layer is 0."""

    def __init__(self, vocab_size):
        super().__init__(replace(CONFIG, vocab_size=vocab_size))
        torch.nn.init.zeros_(self.transformer.wte.weight)
        self.eval()


TEXTS = ["The boy ran.", "他跑了。", "A girl found a red ball in the park, and ran home with it."]


def test_a_model_that_knows_nothing_has_the_vocabulary_as_its_perplexity():
    tokenizer = Tokenizer([])  # one token a byte
    found = likelihood(Uniform(257), tokenizer, TEXTS)
    assert found.bytes.tolist() == found.tokens.tolist() == [len(t.encode()) for t in TEXTS]
    assert found.perplexity().value == pytest.approx(257)
    assert found.loss().value == pytest.approx(math.log(257))
    assert found.bits_per_byte().value == pytest.approx(math.log2(257))


def test_bits_per_byte_count_the_texts_bytes_whatever_the_tokens():
    tokenizer = Tokenizer.train(TEXTS * 3, vocab_size=300)
    found = likelihood(Uniform(300), tokenizer, TEXTS)
    n_tokens = [len(tokenizer.encode(text)) for text in TEXTS]
    assert found.tokens.tolist() == n_tokens
    assert found.bytes.tolist() == [len(text.encode()) for text in TEXTS]
    wanted = math.log2(300) * sum(n_tokens) / sum(found.bytes)
    assert found.bits_per_byte().value == pytest.approx(wanted)


def test_the_start_makes_the_first_token_count():
    tokenizer = Tokenizer([])
    torch.manual_seed(0)
    model = GPT(replace(CONFIG, vocab_size=257)).eval()
    idx = torch.tensor([256, *tokenizer.encode("The boy")])
    found = likelihood(model, tokenizer, "The boy")
    assert found.nats[0] == pytest.approx(token_costs(model, idx).sum().item())
    found = likelihood(model, tokenizer, "The boy", start=None)
    assert found.nats[0] == pytest.approx(token_costs(model, idx[1:]).sum().item())
    assert found.tokens.tolist() == found.bytes.tolist() == [6]


def test_special_tokens_in_a_text_are_text():
    found = likelihood(Uniform(257), Tokenizer([]), "a<|endoftext|>b")
    assert found.tokens.tolist() == [15]


def test_intervals_are_over_texts():
    torch.manual_seed(0)
    model = GPT(replace(CONFIG, vocab_size=257)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    many = likelihood(model, Tokenizer([]), TEXTS * 4)
    for score in (many.loss(), many.perplexity(), many.bits_per_byte()):
        assert score.low < score.value < score.high
        assert score.n == 12
    assert many.perplexity().low == pytest.approx(math.exp(many.loss().low))
    one = likelihood(model, Tokenizer([]), TEXTS[0]).perplexity()
    assert str(one) == f"{one.value:.2f} (n=1)"


def test_bad_input_is_named(model):
    uniform, tokenizer = Uniform(257), Tokenizer([])
    for arguments, message in [
        ({"window": 14}, "window=14: must lie between 1 and n_positions=13"),
        ({"window": 0}, "window=0"),
        ({"stride": 0}, "stride=0: must lie between 1 and window=13"),
        ({"window": 4, "stride": 5}, "stride=5: must lie between 1 and window=4"),
        ({"batch_size": 0}, "batch_size=0: must be at least 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            token_costs(model, tokens(20), **arguments)
    with pytest.raises(ValueError, match="1 tokens: at least two"):
        token_costs(model, tokens(1))
    with pytest.raises(ValueError, match="there are no texts"):
        likelihood(uniform, tokenizer, [])
    with pytest.raises(ValueError, match="text 1, '', has no token"):
        likelihood(uniform, tokenizer, ["a", ""])
    with pytest.raises(ValueError, match="start='<s>' is no special token"):
        likelihood(uniform, tokenizer, "a", start="<s>")
    dropping = GPT(replace(CONFIG, dropout=0.1))
    with pytest.raises(ValueError, match=r"call model.eval\(\) first"):
        token_costs(dropping, tokens(20))
