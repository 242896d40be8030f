"""The grammar of forms as a guard while a model writes."""

import pytest
import torch

import gptlib
from gptlib.applications import Parse
from gptlib.applications.forms import grammar, known
from gptlib.sampling import complete
from gptlib.storyworld.tasks.logic import FormError, begins, parse
from gptlib.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def forms():
    return [example.form for example in Parse().examples("test", 600)]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.load(gptlib.model_path("story-gpt"))


def test_every_start_of_a_form_can_be_gone_on_with(forms):
    for form in forms:
        assert all(begins(form[:end], known()) for end in range(len(form) + 1)), form


@pytest.mark.parametrize(
    "text",
    [
        "lily",  # no predicate begins so
        "givex",
        "give(agent;",
        "give(agent: lily,theme",
        "give(theme: ball, agent: ",  # out of order
        "give(agent: lily, agent: ",
        "give(agent: lily))",
        "give(agent: lily) ",
        "give(agent: ball[size: big, colour: ",
        "Give(",
    ],
)
def test_what_no_form_begins_with(text):
    assert not begins(text, known())


def test_what_is_refused_at_its_end_could_not_have_been_saved(forms):
    """If a text is a beginning, some next letter makes a beginning again, or it is whole."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789_-()[]:, "
    for form in forms[:40]:
        for end in range(len(form)):
            text = form[:end] + "z"
            if begins(text, known()):
                more = any(begins(text + letter, known()) for letter in letters)
                whole = True
                try:
                    parse(text, known())
                except FormError:
                    whole = False
                assert more or whole, text


def test_a_model_that_knows_nothing_writes_nothing_but_forms(tokenizer):
    """Its words are chance, and yet each answer is a form, or the start of a longer one."""
    torch.manual_seed(0)
    config = gptlib.GPTConfig(vocab_size=4096, n_positions=64, n_embd=16, n_layer=1, n_head=2)
    model = gptlib.GPT(config).eval()
    prompts = ["Lily had a ball.", "Tom ran home to Mum."] * 3
    guard = [grammar(tokenizer)]
    said = complete(model, tokenizer, prompts, max_new_tokens=12, seed=1, processors=guard)
    assert all(begins(text[1:], known()) for text in said), said
    free = complete(model, tokenizer, prompts, max_new_tokens=12, seed=1)
    assert not any(begins(text[1:], known()) for text in free)


def test_it_may_end_where_the_form_does_and_only_there(tokenizer):
    guard = grammar(tokenizer)
    prompt = torch.tensor([[1, 2]])
    end = tokenizer.special_tokens["<|endoftext|>"]
    ids = tokenizer.encode(" meet(agent: lily, theme: tom)")
    guard(torch.zeros(1, 4096), prompt)
    for n in range(len(ids) + 1):
        likes_to_end = torch.zeros(1, 4096)
        likes_to_end[0, end] = 9.0
        written = torch.cat([prompt, torch.tensor([ids[:n]], dtype=torch.long)], dim=1)
        kept = guard(likes_to_end, written)[0]
        assert (kept[end] > -torch.inf) == (n == len(ids))
        if n < len(ids):
            likes_to_end[0, ids[n]] = 8.0
            assert guard(likes_to_end, written)[0, ids[n]] == 8.0


def test_whatever_is_written_it_ends_as_a_form(tokenizer):
    """Random walks through all that is allowed never come to a place without a way on."""
    draw = torch.Generator().manual_seed(0)
    end = tokenizer.special_tokens["<|endoftext|>"]
    for _ in range(25):
        guard, written = grammar(tokenizer), []
        for _ in range(400):
            logits = torch.randn(1, tokenizer.vocab_size, generator=draw)
            token = int(guard(logits, torch.tensor([[0, *written]])).argmax())
            if token == end:
                break
            written.append(token)
        text = tokenizer.decode(written)
        assert token == end, f"no end: {text!r}"
        parse(text.removeprefix(" "), known())


def test_a_name_that_repeats_itself_is_ended(tokenizer):
    """A model that would write "ha" for ever writes a name that has it, and goes on."""
    guard = grammar(tokenizer)
    logits = torch.zeros(1, tokenizer.vocab_size)
    logits[0, tokenizer.encode("ha")[0]] = 9.0
    guard(logits, torch.tensor([[0]]))  # what comes now is written
    written = tokenizer.encode(" give(agent: ")
    for _ in range(6):
        written.append(int(guard(logits, torch.tensor([[0, *written]])).argmax()))
    assert "haha" not in tokenizer.decode(written)
