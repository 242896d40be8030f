"""04.6: count parameters without building a model."""

import torch
from torch import nn

from gptlib import GPTConfig
from tools.exercises import Check, Exercise, call, edit, written


def count_parameters(vocab_size, n_positions, n_embd, n_layer, n_hidden=None, tied=True):
    """How many parameters a GPT-2 has, as an integer.

    n_hidden: units of each MLP, 4 * n_embd if None. tied: the output matrix is the token table.
    """
    if n_hidden is None:
        n_hidden = 4 * n_embd
    tables = (vocab_size + n_positions) * n_embd
    if not tied:
        tables += vocab_size * n_embd
    attention = (n_embd + 1) * 3 * n_embd + (n_embd + 1) * n_embd
    mlp = (n_embd + 1) * n_hidden + (n_hidden + 1) * n_embd
    norm = 2 * n_embd
    return tables + n_layer * (norm + attention + norm + mlp) + norm


# Counts know no dtype: each case is drawn once.


def tables(draw):
    if draw.dtype != torch.float64:
        return []
    V, T, C = draw.integer(10, 99), draw.integer(3, 9), draw.integer(2, 7)
    return call(V, T, C, 0), call(V + 1, T, C + 1, 0)


def layers(draw):
    if draw.dtype != torch.float64:
        return []
    V, T, C = draw.integer(10, 99), draw.integer(3, 9), draw.integer(2, 7)
    return call(V, T, C, 1), call(V, T, C, 3), call(V, T, 11, 2)


def hidden(draw):
    if draw.dtype != torch.float64:
        return []
    V, T, C = draw.integer(10, 99), draw.integer(3, 9), draw.integer(2, 7)
    F = draw.integer(1, 9)
    return call(V, T, C, 2, F), call(V, T, C, 2, n_hidden=5 * C), call(V, T, C, 1, F)


def untied(draw):
    if draw.dtype != torch.float64:
        return []
    V, T, C = draw.integer(10, 99), draw.integer(3, 9), draw.integer(2, 7)
    return call(V, T, C, 2, tied=False), call(V, T, C, 2, 3, tied=False)


def real(draw):
    if draw.dtype != torch.float64:
        return []
    return [
        call(50257, 1024, 64 * heads, layers)
        for heads, layers in ((12, 12), (16, 24), (20, 36), (25, 48))
    ]


def built(vocab_size, n_positions, n_embd, n_layer, n_hidden=None, tied=True):
    """Built, but on the device that holds no numbers."""
    F = 4 * n_embd if n_hidden is None else n_hidden
    with torch.device("meta"):
        block = [nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)]
        block += [nn.Linear(n_embd, 3 * n_embd), nn.Linear(n_embd, n_embd)]
        block += [nn.Linear(n_embd, F), nn.Linear(F, n_embd)]
        rest = [nn.Embedding(vocab_size, n_embd), nn.Embedding(n_positions, n_embd)]
        rest.append(nn.LayerNorm(n_embd))
        if not tied:
            rest.append(nn.Linear(n_embd, vocab_size, bias=False))
    in_block, elsewhere = (
        sum(weight.numel() for part in parts for weight in part.parameters())
        for parts in (block, rest)
    )
    return n_layer * in_block + elsewhere


def by_the_chapter(vocab_size, n_positions, n_embd, n_layer, n_hidden=None, tied=True):
    V, T, C, L = vocab_size, n_positions, n_embd, n_layer
    total = V * C + T * C + L * (12 * C**2 + 13 * C) + 2 * C
    if n_hidden is not None:
        total += L * (n_hidden - 4 * C) * (2 * C + 1)
    return total if tied else total + V * C


def by_gptlib(vocab_size, n_positions, n_embd, n_layer, n_hidden=None, tied=True):
    one, two = (
        GPTConfig(
            vocab_size=vocab_size, n_positions=n_positions, n_embd=n_embd, n_layer=n,
            n_head=1, n_inner=n_hidden, tie_word_embeddings=tied,
        ).num_parameters
        for n in (1, 2)
    )  # fmt: skip
    return one + (n_layer - 1) * (two - one)


def chapter_alone(vocab_size, n_positions, n_embd, n_layer, n_hidden=None, tied=True):
    V, T, C, L = vocab_size, n_positions, n_embd, n_layer
    return V * C + T * C + L * (12 * C**2 + 13 * C) + 2 * C


def twelve_squares(vocab_size, n_positions, n_embd, n_layer, n_hidden=None, tied=True):
    return 12 * n_layer * n_embd**2


EXERCISE = Exercise(
    title="Count without building",
    trains="knowing where the numbers are",
    minutes=15,
    level="medium",
    section="04.8",
    solution=count_parameters,
    checks=[
        Check(
            "Tables and the last LayerNorm",
            3,
            "A model without layers has two tables, and a LayerNorm with a gain and a bias. Tied, "
            "the output matrix costs nothing.",
            tables,
        ),
        Check(
            "Layers",
            4,
            "For 10 tokens, 4 positions, width 2 and one layer the chapter counts 106 on paper. "
            "Count yours the same way: four linear maps, each with its bias, and two LayerNorms.",
            layers,
        ),
        Check(
            "Another hidden width",
            3,
            "With F hidden units the first map is C times F with F biases, the second F times C "
            "with C biases.",
            hidden,
        ),
        Check("Untied", 2, "An output matrix of its own has as many numbers as `wte`.", untied),
        Check(
            "The four GPT-2s",
            1,
            "Smallest to largest: 124, 355, 774 and 1558 million, as 04.8 of the chapter shows to "
            "the last one.",
            real,
        ),
    ],
    hints=[
        "Which parts of a block have weights at all? Does the causal mask, the softmax, GELU or "
        "the number of heads?",
        "A linear map from a to b has ab weights and b biases. A block has four: C to 3C, C to C, "
        "C to F, F to C. Each of its two LayerNorms has 2C numbers, and so has the last one.",
        "`attention = (n_embd + 1) * 3 * n_embd + (n_embd + 1) * n_embd`, and the MLP likewise. "
        "Add two LayerNorms, times `n_layer`, then the tables and the last LayerNorm.",
    ],
    wrong=[
        edit(
            "+ norm + mlp) + norm",
            "+ norm + mlp)",
            "The last LayerNorm is missing.",
        ),
        edit(
            "norm = 2 * n_embd",
            "norm = n_embd",
            "Your LayerNorms have a gain and no bias.",
        ),
        edit("norm = 2 * n_embd", "norm = 0", "LayerNorms have weights, too: a gain and a bias."),
        edit(
            "(norm + attention + norm + mlp)",
            "(norm + attention + mlp)",
            "A block has two LayerNorms. You count one.",
        ),
        edit(
            "(n_embd + 1) * 3 * n_embd + (n_embd + 1) * n_embd",
            "n_embd * 3 * n_embd + n_embd * n_embd",
            "Attention's biases are missing: 3C and C of them.",
        ),
        edit(
            "(n_embd + 1) * n_hidden + (n_hidden + 1) * n_embd",
            "n_embd * n_hidden + n_hidden * n_embd",
            "The MLP's biases are missing: F and C of them.",
        ),
        edit(
            " + (n_embd + 1) * n_embd",
            "",
            "Attention has a fourth matrix, `c_proj`, behind q, k and v.",
        ),
        edit(
            " + (n_hidden + 1) * n_embd",
            "",
            "The MLP has two linear maps. You count the first alone.",
        ),
        edit(
            "if not tied:\n        tables",
            "if tied:\n        tables",
            "Tied and untied are swapped: tied means one matrix for both uses.",
        ),
        edit(
            "    if not tied:\n        tables += vocab_size * n_embd\n",
            "    tables += vocab_size * n_embd\n",
            "You always count an output matrix. Tied, it is the token table once more.",
        ),
        edit(
            "tables += vocab_size * n_embd",
            "tables += vocab_size * n_embd + vocab_size",
            "Your untied output matrix has a bias. GPT-2's would have none.",
        ),
        edit(
            "    if not tied:\n        tables += vocab_size * n_embd\n",
            "",
            "Untied, there is an output matrix of its own, as large as `wte`.",
        ),
        edit(
            "    if n_hidden is None:\n        n_hidden = 4 * n_embd\n",
            "    n_hidden = 4 * n_embd\n",
            "You always take 4C hidden units. Use `n_hidden` where it is given.",
        ),
        edit(
            "(vocab_size + n_positions)",
            "vocab_size",
            "The table of positions is missing: GPT-2's are learned.",
        ),
        edit(
            "+ norm + mlp) + norm",
            "+ norm + mlp + norm)",
            "You count the last LayerNorm in every layer.",
        ),
        written(
            chapter_alone,
            says="This is the chapter's formula. It knows neither `n_hidden` nor `tied`.",
        ),
        written(
            twelve_squares,
            says="12 L C² is the rule of thumb for the large matrices. Tables, biases and "
            "LayerNorms count, too.",
        ),
    ],
    right=[written(built), written(by_the_chapter), written(by_gptlib)],
)
