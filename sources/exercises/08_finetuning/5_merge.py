"""08.5: trained adapters become part of the weights, and nothing is slower."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def merge(state, adapters, alpha):
    """The weights of the model that adapters have changed: a new dictionary, same names and order.

    The adapter of "h.0.mlp.c_fc.weight" is "h.0.mlp.c_fc.a" and "h.0.mlp.c_fc.b"; many weights
    have none. A changed weight keeps its dtype; the change is worked out in the adapter's.
    An adapter whose weight is not in `state` raises KeyError.
    state: weights (n_out, n_in), biases and more by name; adapters: a (rank, n_in) and
    b (n_out, rank) by name
    """
    merged = dict(state)
    for name, a in adapters.items():
        if name.endswith(".a"):
            target = name.removesuffix("a") + "weight"
            b = adapters[name.removesuffix("a") + "b"]
            weight = state[target]
            merged[target] = (weight + b @ a * (alpha / len(a))).to(weight.dtype)
    return merged


# The inputs that each check draws.


def adapter(draw, name, weight, rank):
    n_out, n_in = weight.shape
    return {f"{name}.a": draw.normal(rank, n_in), f"{name}.b": draw.normal(n_out, rank)}


def one_weight(draw):
    n_in, n_out = draw.sizes(2, low=3, high=6)
    weight = draw.normal(n_out, n_in)
    return call({"lm.weight": weight}, adapter(draw, "lm", weight, 1), 1)


def scaled(draw):
    for rank, alpha in ((2, 8), (4, draw.choice([1, 2]))):
        n_in, n_out = draw.sizes(2, low=3, high=6)
        weight = draw.normal(n_out, n_in)
        yield call({"lm.weight": weight}, adapter(draw, "lm", weight, rank), alpha)


def square(draw):
    """Here a transposed change has the right shape."""
    n = draw.integer(3, 5)
    weight = draw.normal(n, n)
    return call({"h.0.c_proj.weight": weight}, adapter(draw, "h.0.c_proj", weight, 2), 4)


def many(draw):
    """Some weights without an adapter, biases, adapters in another order and of other ranks."""
    C = draw.integer(3, 4)
    state = {
        "wte.weight": draw.normal(5, C),
        "h.0.c_fc.weight": draw.normal(C + 3, C),
        "h.0.c_fc.bias": draw.normal(C + 3),
        "h.1.c_fc.weight": draw.normal(C + 3, C),
        "h.1.c_attn.a.weight": draw.normal(C, C),
        "ln_f.weight": draw.normal(C),
    }
    adapters = {}
    for name, rank in draw.shuffled([("h.0.c_fc", 1), ("h.1.c_fc", 2), ("h.1.c_attn.a", 3)]):
        adapters |= adapter(draw, name, state[f"{name}.weight"], rank)
    adapters = dict(draw.shuffled(list(adapters.items())))
    return call(state, adapters, 6), call(state, {}, 6)


def other_dtypes(draw):
    """Weights in half precision, adapters not."""
    n_in, n_out = draw.sizes(2, low=3, high=6)
    for dtype in (torch.float16, torch.bfloat16):
        weight = draw.normal(n_out, n_in).to(dtype)
        state = {"lm.weight": weight, "lm.bias": draw.normal(n_out).to(dtype)}
        yield call(state, adapter(draw, "lm", weight, 2), 4)


def unknown(draw):
    weight = draw.normal(3, 4)
    given = adapter(draw, "h.1.c_fc", weight, 2)
    return call({"h.0.c_fc.weight": weight}, given, 2, raises="KeyError")


def by_weight(state, adapters, alpha, change):
    """Merged by going through the weights, with a change of one's own."""
    merged = {}
    for name, weight in state.items():
        base = name.removesuffix("weight")
        if name.endswith(".weight") and f"{base}a" in adapters:
            a, b = adapters[f"{base}a"], adapters[f"{base}b"]
            weight = change(weight, a, b, alpha)
        merged[name] = weight
    if any(f"{name[:-1]}weight" not in state for name in adapters):
        raise KeyError("an adapter without its weight")
    return merged


def changed(change):
    def merge(state, adapters, alpha):
        return by_weight(state, adapters, alpha, change)

    return merge


def ignores_unknown(state, adapters, alpha):
    known = {k: v for k, v in adapters.items() if f"{k[:-1]}weight" in state}
    return merge(state, known, alpha)


def adds_unknown(state, adapters, alpha):
    more = {
        f"{k[:-1]}weight": torch.zeros(len(adapters[f"{k[:-1]}b"]), v.shape[1], dtype=v.dtype)
        for k, v in adapters.items()
        if k.endswith(".a") and f"{k[:-1]}weight" not in state
    }
    return merge(state | more, adapters, alpha)


def adapters_alone(state, adapters, alpha):
    merged = merge(state, adapters, alpha)
    return {k: v for k, v in merged.items() if f"{k.removesuffix('weight')}a" in adapters}


def with_adapters(state, adapters, alpha):
    return merge(state, adapters, alpha) | adapters


def first_adapter(state, adapters, alpha):
    first = next(iter(adapters), "a")[:-1]
    merge(state, adapters, alpha)
    return merge(state, {k: v for k, v in adapters.items() if k[:-1] == first}, alpha)


def all_in_the_adapters_dtype(state, adapters, alpha):
    return changed(lambda w, a, b, alpha: w + b @ a * alpha / len(a))(state, adapters, alpha)


def by_names(state, adapters, alpha):
    names = {name.rsplit(".", 1)[0] for name in adapters}
    new = {}
    for name in names:
        w, a, b = state[name + ".weight"], adapters[name + ".a"], adapters[name + ".b"]
        new[name + ".weight"] = w.to(a).add(b @ a, alpha=alpha / a.shape[0]).to(w)
    return {name: new.get(name, weight) for name, weight in state.items()}


def by_outer_products(w, a, b, alpha):
    total = w.to(a.dtype)
    for row, column in zip(a, b.T, strict=True):
        total = total + torch.outer(column, row) * alpha / len(a)
    return total.to(w.dtype)


EXERCISE = Exercise(
    title="Merging LoRA",
    trains="dictionaries of weights",
    minutes=25,
    level="medium",
    section="08.3",
    solution=merge,
    checks=[
        Check(
            "One weight",
            4,
            "The layer gives x Wᵀ + x aᵀ bᵀ. Which matrix, added to W, gives the same?",
            one_weight,
        ),
        Check(
            "The scale", 3, "alpha / rank belongs into the weights, as it did to the layer.", scaled
        ),
        Check(
            "A square weight",
            2,
            "Here every order of the factors has a shape that fits. Which one is x aᵀ bᵀ?",
            square,
        ),
        Check(
            "A whole model",
            5,
            "Each adapter belongs to the weight of the same name, and has a rank of its own. All "
            "other entries stay as they are, in their places.",
            many,
        ),
        Check(
            "Half precision",
            2,
            "A model in float16 remains one: only the sum is turned into the weight's dtype.",
            other_dtypes,
        ),
        Check(
            "An adapter too many",
            2,
            "Whose weight is not there is an adapter of another model. Say so by a KeyError.",
            unknown,
        ),
    ],
    hints=[
        "x aᵀ bᵀ is x times one matrix. Which one? And W stands transposed in x Wᵀ.",
        "Copy the dictionary. For each name that ends in `.a` find b, and the weight, whose names "
        "differ in the last part alone. Then weight + b @ a times alpha / rank, in the weight's "
        "dtype.",
        '`name.removesuffix("a") + "weight"` is the weight\'s name. '
        "`b @ a * (alpha / len(a))` is the change.",
    ],
    wrong=[
        written(
            changed(lambda w, a, b, alpha: (w + b @ a).to(w.dtype)),
            says="The change is not scaled: alpha / rank is missing.",
        ),
        written(
            changed(lambda w, a, b, alpha: (w + b @ a * alpha).to(w.dtype)),
            says="You multiply by alpha alone. Divide it by the rank.",
        ),
        written(
            changed(lambda w, a, b, alpha: (w + b @ a * alpha / len(b)).to(w.dtype)),
            says="You divide by the size of the output. The rank is the first size of a.",
        ),
        written(
            changed(lambda w, a, b, alpha: (w - b @ a * alpha / len(a)).to(w.dtype)),
            says="You subtract the change. That is how adapters are taken out again.",
        ),
        written(
            changed(lambda w, a, b, alpha: (b @ a * alpha / len(a)).to(w.dtype)),
            says="Your weight is the change alone. Add it to what is there.",
        ),
        written(
            changed(
                lambda w, a, b, alpha: (w + (b @ a).T.reshape(w.shape) * alpha / len(a)).to(w.dtype)
            ),
            says="Your change is transposed. The weight is (n_out, n_in), as b @ a is.",
        ),
        written(
            changed(lambda w, a, b, alpha: ((w + b @ a) * alpha / len(a)).to(w.dtype)),
            says="You scale the sum. Only the change is scaled.",
        ),
        written(
            all_in_the_adapters_dtype,
            says="A merged weight takes the adapter's dtype. It should keep its own.",
        ),
        written(first_adapter, says="You merge the first adapter alone."),
        written(adapters_alone, says="You return the merged weights alone. A model needs all."),
        written(with_adapters, says="The adapters are still in it. Merged, they are of no use."),
        written(
            ignores_unknown,
            says="You pass over an adapter whose weight is not there. It belongs to another model, "
            "and nobody would notice: raise KeyError.",
        ),
        written(
            adds_unknown,
            says="You make a weight for an adapter that has none. Raise KeyError.",
        ),
    ],
    right=[written(by_names), written(changed(by_outer_products))],
    survivors={
        "weight = merged[target]": "no weight is changed twice",
    },
    # Half precision has few digits.
    tolerance={"float32": 2e-5, "float64": 1e-9, "float16": 4e-3, "bfloat16": 2e-2},
)
