"""04.5: GPT-2 as one function of ids and weights."""

import torch
import torch.nn.functional as F

from gptlib import GPT, GPTConfig
from tools.exercises import Check, Exercise, call, edit, written


def logits_of(idx, state, n_head):
    """GPT-2's logits for each position: ids (B, T) -> (B, T, V).

    state: weights by name, such as "wte.weight" (V, C), "wpe.weight" (at least T, C),
    "h.0.ln_1.bias" and "h.0.mlp.c_fc.weight" of layer 0, "h.1. ..." of the next, "ln_f.weight".
    """

    def linear(x, name):
        return F.linear(x, state[name + ".weight"], state[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], state[name + ".weight"], state[name + ".bias"])

    x = state["wte.weight"][idx] + state["wpe.weight"][: idx.shape[1]]
    n_layer = sum(name.endswith("ln_1.weight") for name in state)
    for layer in [f"h.{i}" for i in range(n_layer)]:
        parts = linear(norm(x, layer + ".ln_1"), layer + ".attn.c_attn").chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (n_head, -1)).transpose(1, 2) for part in parts)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(heads.transpose(1, 2).flatten(2), layer + ".attn.c_proj")
        hidden = F.gelu(linear(norm(x, layer + ".ln_2"), layer + ".mlp.c_fc"), approximate="tanh")
        x = x + linear(hidden, layer + ".mlp.c_proj")
    return norm(x, "ln_f") @ state["wte.weight"].T


def drawn(draw, n_layer, n_head, n_embd, tokens=None):
    """Ids, weights of a model with more positions than needed, and the number of heads."""
    B, T = draw.sizes(2)
    config = GPTConfig(
        vocab_size=draw.integer(8, 10), n_positions=6, n_layer=max(n_layer, 1), n_head=n_head,
        n_embd=n_embd,
    )  # fmt: skip
    state = draw.state(GPT(config).transformer)
    if not n_layer:
        state = {name: value for name, value in state.items() if not name.startswith("h.")}
    idx = draw.integers(B, tokens or T, below=config.vocab_size)
    return call(idx, dict(draw.shuffled(list(state.items()))), n_head)


def no_layer(draw):
    return drawn(draw, 0, 1, 5)


def one_token(draw):
    # In one dtype: what ships must stay small, and one layer has both.
    return drawn(draw, 1, 1, 5, tokens=1) if draw.dtype == torch.float64 else []


def one_layer(draw):
    return drawn(draw, 1, 1, 5)


def heads(draw):
    return drawn(draw, 2, 3, 6)


def by_gptlib(idx, state, n_head):
    """The library's model, given these weights."""
    C = state["wte.weight"].shape[1]
    n_layer = len({name.split(".")[1] for name in state if name.startswith("h.")})
    config = GPTConfig(
        vocab_size=len(state["wte.weight"]), n_positions=len(state["wpe.weight"]),
        n_embd=C, n_head=n_head, n_layer=max(n_layer, 1),
    )  # fmt: skip
    model = GPT(config).to(state["wte.weight"])
    model.transformer.load_state_dict(state, strict=n_layer > 0)
    if not n_layer:
        model.transformer.h = torch.nn.ModuleList()
    return model(idx)


def step_by_step(idx, state, n_head):
    """Everything by hand."""
    w = state
    x = F.embedding(idx, w["wte.weight"]) + w["wpe.weight"][torch.arange(idx.shape[1])]
    T, C = x.shape[1:]

    def normed(x, name):
        centred = x - x.mean(-1, keepdim=True)
        root = (centred**2).mean(-1, keepdim=True).add(1e-5).sqrt()
        return centred / root * w[name + ".weight"] + w[name + ".bias"]

    i = 0
    while f"h.{i}.ln_1.weight" in w:
        a, m = f"h.{i}.attn.", f"h.{i}.mlp."
        mixed = normed(x, f"h.{i}.ln_1") @ w[a + "c_attn.weight"].T + w[a + "c_attn.bias"]
        outs, D = [], C // n_head
        for head in range(n_head):
            q, k, v = (mixed[..., s * C + head * D : s * C + (head + 1) * D] for s in range(3))
            scores = q @ k.mT / D**0.5
            future = torch.ones(T, T, dtype=torch.bool).triu(1)
            outs.append(scores.masked_fill(future, -torch.inf).softmax(-1) @ v)
        x = x + torch.cat(outs, -1) @ w[a + "c_proj.weight"].T + w[a + "c_proj.bias"]
        u = normed(x, f"h.{i}.ln_2") @ w[m + "c_fc.weight"].T + w[m + "c_fc.bias"]
        u = u / 2 * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (u + 0.044715 * u**3)))
        x = x + u @ w[m + "c_proj.weight"].T + w[m + "c_proj.bias"]
        i += 1
    return normed(x, "ln_f") @ w["wte.weight"].T


LAYERS = '[f"h.{i}" for i in range(n_layer)]'
START = 'state["wte.weight"][idx] + state["wpe.weight"][: idx.shape[1]]'

EXERCISE = Exercise(
    title="The whole model, tied",
    trains="all of it, and what each weight is for",
    minutes=40,
    level="hard",
    section="04.6",
    solution=logits_of,
    checks=[
        Check(
            "A model without layers",
            4,
            "What remains: the token's row plus the position's, the last LayerNorm, and a dot "
            "product with every row of `wte`.",
            no_layer,
        ),
        Check(
            "One token",
            3,
            "A token alone can only read itself, so attention hands on its value. Are both parts "
            "added to the stream, each reading through its own LayerNorm?",
            one_token,
        ),
        Check(
            "One layer",
            6,
            "Does each token read only itself and its past? `c_attn` gives q, k and v side by "
            "side, in this order.",
            one_layer,
        ),
        Check(
            "Two layers, three heads",
            7,
            "Head 0 takes the first D entries of q, k and v. The second layer reads what the first "
            "has left, with weights of its own.",
            heads,
        ),
    ],
    hints=[
        "Say aloud what happens to one token, from its id to its logits. Which weight names belong "
        "to each step?",
        "Two small functions inside make it readable: one that applies the linear map of a name, "
        "one the LayerNorm of a name. Then a loop over layers with two additions in it, as in the "
        "block of 04.4, and the way out: `ln_f`, then `wte`.",
        'Inside `linear(x, name)`: `F.linear(x, state[name + ".weight"], state[name + ".bias"])`. '
        'The last line: `return norm(x, "ln_f") @ state["wte.weight"].T`.',
    ],
    wrong=[
        edit(
            START,
            'state["wte.weight"][idx]',
            "The table of positions is not used: your model can't tell first from last.",
        ),
        edit(
            "[: idx.shape[1]]",
            "[1 : idx.shape[1] + 1]",
            "You count positions from 1. The first token stands at position 0.",
        ),
        edit(
            "in " + LAYERS + ":\n",
            "in " + LAYERS + ':\n        x = x + state["wpe.weight"][: idx.shape[1]]\n',
            "You add positions in every layer. GPT-2 adds them once, at the input.",
        ),
        edit(
            START,
            START.replace("[idx]", "[idx] * state['wte.weight'].shape[1] ** 0.5"),
            "You multiply the token's row by the root of C. The first transformer did; GPT-2 "
            "doesn't.",
        ),
        edit('norm(x, "ln_f") @', "x @", "The last LayerNorm, `ln_f`, is missing."),
        edit(
            'norm(x, "ln_f") @ state["wte.weight"].T',
            'norm(x, "ln_f")',
            "You return the last vectors. Logits are their dot products with the rows of `wte`.",
        ),
        edit(
            '@ state["wte.weight"].T',
            '@ F.normalize(state["wte.weight"], dim=-1).T',
            "You normalise the rows of `wte`. Their lengths count: frequent tokens use them.",
        ),
        edit(
            'state["wte.weight"].T',
            'state["wte.weight"].T / x.shape[-1] ** 0.5',
            "You divide the logits by the root of C. GPT-2 doesn't.",
        ),
        edit(
            'norm(x, "ln_f") @ state["wte.weight"].T',
            '(norm(x, "ln_f") @ state["wte.weight"].T).softmax(dim=-1)',
            "You return probabilities. Logits are what is asked for.",
        ),
        edit(
            'norm(x, "ln_f") @',
            'norm(x, "ln_f")[:, -1] @',
            "You return the logits of the last position alone. Training needs those of all.",
        ),
        edit(", is_causal=True", "", "Nothing is hidden: tokens read their future."),
        edit(
            ', approximate="tanh"',
            "",
            "Your GELU is the exact form. GPT-2 was trained with the one with tanh.",
        ),
        edit(
            "(n_head, -1)).transpose(1, 2)",
            "(-1, n_head)).permute(0, 3, 1, 2)",
            "Your head 0 takes every H-th entry. It should take the first D.",
        ),
        edit(
            "heads.transpose(1, 2).flatten(2)",
            "heads.reshape(x.shape)",
            "You merge heads without swapping them and tokens back.",
        ),
        edit("q, k, v = (part", "k, q, v = (part", "Queries and keys are swapped."),
        edit(LAYERS, LAYERS.replace("{i}", "0"), "Every layer has the weights of layer 0."),
        edit("range(n_layer)", "range(n_layer - 1)", "The last layer is left out."),
        edit("range(n_layer)", "reversed(range(n_layer))", "Your layers come in reverse order."),
        edit(
            "x = x + linear(hidden",
            "x = linear(hidden",
            "The MLP replaces the stream. It should add to it.",
        ),
        edit(
            "x = x + linear(heads",
            "x = linear(heads",
            "Attention replaces the stream. It should add to it.",
        ),
        edit(
            'norm(x, layer + ".ln_2")',
            "x",
            "The MLP reads the stream as it is. Where is `ln_2`?",
        ),
        edit(
            'state[name + ".bias"])\n\n    x =',
            'state[name + ".bias"], 1e-12)\n\n    x =',
            "Your LayerNorm has another epsilon than GPT-2's, which is 1e-5.",
        ),
    ],
    right=[written(by_gptlib), written(step_by_step)],
    # Two layers with large weights carry a rounding error far.
    tolerance={"float32": 1e-3, "float64": 1e-9},
)
