"""07.1: weights from GPT-2's file, under the names and in the shapes of one's own model."""

from tools.exercises import Check, Exercise, call, edit, written

TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def translate(theirs):
    """A state dict of GPT-2 for a model built on nn.Linear: names without "transformer.".

    A file may have that prefix or not. The weights of its linear maps are (in, out), and become
    (out, in): those of c_attn, c_fc and both c_proj. lm_head.weight is wte.weight once more, and
    is left out, as are the masks that old files hold for each block, attn.bias and
    attn.masked_bias. All else stays as it is. `theirs` is not changed.
    {name: tensor} -> {name: tensor}
    """
    ours = {}
    for name, weight in theirs.items():
        if name == "lm_head.weight" or name.endswith((".attn.bias", ".attn.masked_bias")):
            continue
        if name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            weight = weight.T
        ours[name.removeprefix("transformer.")] = weight
    return ours


def linear(draw, n_in, n_out):
    return {"weight": draw.normal(n_in, n_out), "bias": draw.normal(n_out)}


def named(prefix, parts):
    return {f"{prefix}.{name}": tensor for name, tensor in parts.items()}


def embeddings(draw):
    V, N, C = draw.sizes(3)
    wte = draw.normal(V, C)
    ends = {"wte.weight": wte, "wpe.weight": draw.normal(N, C), "ln_f.weight": draw.normal(C)}
    return call({**named("transformer", ends), "lm_head.weight": wte})


def oblong(draw):
    C = draw.integer(2, 3)
    return call(
        named("transformer.h.0.attn.c_attn", linear(draw, C, 3 * C))
        | named("transformer.h.0.mlp.c_fc", linear(draw, C, 4 * C))
        | named("transformer.h.0.mlp.c_proj", linear(draw, 4 * C, C))
    )


def square(draw):
    C = draw.integer(2, 4)
    return call(
        named("transformer.h.0.attn.c_proj", linear(draw, C, C))
        | named("transformer.h.11.attn.c_proj", linear(draw, C, C))
    )


def neighbours(draw):
    """Norms, and tables that are square: their shape does not tell that they must stay."""
    C = draw.integer(2, 4)
    return call(
        named("transformer.h.1.ln_1", {"weight": draw.normal(C), "bias": draw.normal(C)})
        | {"transformer.wpe.weight": draw.normal(C, C), "transformer.wte.weight": draw.normal(C, C)}
    )


def old_file(draw):
    C = draw.integer(2, 3)
    mask = draw.normal(1, 1, 3, 3) * 0 + 1
    return call(
        {"h.2.attn.bias": mask.tril(), "h.2.attn.masked_bias": mask[0, 0, 0, 0] * -10_000}
        | {"h.2.attn.c_attn.bias": draw.normal(3 * C), "h.2.attn.c_proj.bias": draw.normal(C)}
        | {"h.2.attn.c_proj.weight": draw.normal(C, C), "wpe.weight": draw.normal(4, C)}
    )


def by_shape(theirs):
    """Turn only what is not square."""
    every = translate(theirs)
    return {
        name: weight.T if weight.dim() == 2 and weight.shape[0] == weight.shape[1]
        and name.endswith(TRANSPOSED) else weight
        for name, weight in every.items()
    }  # fmt: skip


def every_matrix(theirs):
    return {
        name: weight.T if weight.dim() == 2 else weight  # the linear maps for the second time
        for name, weight in translate(theirs).items()
    }


def reshaped(theirs):
    ours = translate(theirs)
    for name in ours:
        if name.endswith(TRANSPOSED):
            ours[name] = ours[name].T.reshape(ours[name].shape)
    return ours


def with_biases_flipped(theirs):
    return {
        name: weight.flip(0) if name.endswith("c_attn.bias") else weight
        for name, weight in translate(theirs).items()
    }


def by_regular_expression(theirs):
    import re

    ours = {}
    for name, weight in theirs.items():
        short = re.sub(r"^transformer\.", "", name)
        if short == "lm_head.weight" or re.search(r"\.attn\.(masked_)?bias$", short):
            continue
        linear_map = re.search(r"\.c_(attn|proj|fc)\.weight$", short)
        ours[short] = weight.transpose(0, 1) if linear_map else weight
    return ours


def by_parts(theirs):
    ours = dict(theirs)
    for name in list(ours):
        weight, parts = ours.pop(name), name.split(".")
        parts = parts[1:] if parts[0] == "transformer" else parts
        if parts[0] == "lm_head" or parts[-2:] in (["attn", "bias"], ["attn", "masked_bias"]):
            continue
        turn = parts[-1] == "weight" and parts[-2].startswith("c_")
        ours[".".join(parts)] = weight.t().contiguous() if turn else weight
    return ours


EXERCISE = Exercise(
    title="Map a state dict",
    trains="names, shapes, and what shapes don't tell",
    minutes=25,
    level="medium",
    section="07.5",
    solution=translate,
    checks=[
        Check(
            "Names and embeddings",
            4,
            "Only the prefix goes, the rest of a name stays. The output layer is tied to `wte`, so "
            "it has no weight of its own.",
            embeddings,
        ),
        Check(
            "Oblong weights",
            4,
            "`nn.Linear` keeps (out, in). A reshape also gives that shape, with other numbers in "
            "other places.",
            oblong,
        ),
        Check(
            "Square weights",
            3,
            "`attn.c_proj` is square: it fits either way, so no error will remind you.",
            square,
        ),
        Check(
            "What is no linear map",
            2,
            "Embedding tables are looked up by row in both models, and norms have no matrix.",
            neighbours,
        ),
        Check(
            "Old files",
            4,
            "Names may come without a prefix. Masks go; but compare `h.0.attn.bias`, a mask, with "
            "`h.0.attn.c_attn.bias`, which you need.",
            old_file,
        ),
    ],
    hints=[
        "Which names of a block end in `weight`, and which of those belong to a linear map? What "
        "distinguishes `.attn.bias` from `c_attn.bias`?",
        "Go through the items. Skip the output layer and the masks, by the *end* of their names, "
        "with the dot before `attn`. Turn the four kinds of linear weights. Take the prefix off "
        "where there is one.",
        '`name.endswith((".attn.bias", ".attn.masked_bias"))` finds the masks, and '
        '`name.removeprefix("transformer.")` changes nothing where there is no prefix. `.T` turns '
        "a matrix.",
    ],
    wrong=[
        edit(
            "            weight = weight.T\n",
            "            pass\n",
            "Nothing is transposed. Square weights load all the same, and are wrong.",
        ),
        written(
            by_shape, says="You leave square weights as they are. They have to be turned, too."
        ),
        written(
            every_matrix, says="You turn the tables and leave the linear maps. It is the other way."
        ),
        written(
            reshaped,
            says="You reshape. The shape is right then, but the numbers stand in other places: "
            "transpose.",
        ),
        edit(
            '("c_attn.weight", "c_proj.weight", "c_fc.weight")',
            '("c_attn.weight", "c_fc.weight")',
            "You forgot the two `c_proj`.",
        ),
        edit(
            '("c_attn.weight", "c_proj.weight", "c_fc.weight")',
            '("c_attn.weight", "attn.c_proj.weight", "c_fc.weight")',
            "You turn `attn.c_proj`, but not `mlp.c_proj`.",
        ),
        edit(
            '("c_attn.weight", "c_proj.weight", "c_fc.weight")',
            '("c_attn.weight", "c_proj.weight")',
            "You forgot `mlp.c_fc`.",
        ),
        edit(
            'endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight"))',
            'endswith(("weight",)) and weight.dim() == 2',
            "You turn every matrix. The tables `wte` and `wpe` are no linear maps.",
        ),
        edit(
            '(".attn.bias", ".attn.masked_bias")',
            '("attn.bias", "attn.masked_bias")',
            "Looking for masks you also drop `c_attn.bias`: it ends in the same letters. Ask for "
            "the dot.",
        ),
        edit(
            ' or name.endswith((".attn.bias", ".attn.masked_bias"))',
            "",
            "You keep the masks of old files. Your model has no place for them.",
        ),
        edit(
            'name == "lm_head.weight" or ',
            "",
            "You keep `lm_head.weight`. Your model ties it to `wte`, so it has no place for it.",
        ),
        edit(
            'name.removeprefix("transformer.")',
            "name",
            "You leave the names as they are, with their prefix.",
        ),
        edit(
            'name.removeprefix("transformer.")',
            'name.split(".", 1)[1]',
            "You cut off what stands before the first dot. Without a prefix that is a part of the "
            "name.",
        ),
        written(
            with_biases_flipped,
            says="You turn `c_attn.bias` round. A bias stands in the order of outputs.",
        ),
    ],
    right=[written(by_regular_expression), written(by_parts)],
    survivors={
        "('.attn.masked_bias', '.attn.bias')": "the order of endings plays no part",
        "('c_proj.weight', 'c_attn.weight', 'c_fc.weight')": "the order of endings plays no part",
        "('c_attn.weight', 'c_fc.weight', 'c_proj.weight')": "the order of endings plays no part",
    },
)
