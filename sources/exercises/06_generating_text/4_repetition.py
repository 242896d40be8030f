"""06.4: a penalty for tokens that were said, padding left out."""

import torch
import torch.nn.functional as F

from tools.exercises import Check, Exercise, call, edit, written


def repetition_penalty(logits, idx, mask, penalty):
    """Make tokens less likely that occur in their row: logits above 0 are divided, others times.

    A token counts once, however often it occurs. Columns where the mask is 0 are padding: they do
    not count, but the same token may also occur in the text.
    logits (B, V), idx (B, T) token ids, mask (B, T) of 0 and 1, penalty above 0 -> (B, V)
    """
    times = (F.one_hot(idx, logits.shape[-1]) * mask[:, :, None]).sum(dim=1)  # (B, V)
    penalised = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(times > 0, penalised, logits)


def away_from_zero(draw, *shape):
    """Logits of either sign, none of them 0."""
    sign = draw.booleans(*shape).to(draw.dtype) * 2 - 1
    sign[:, 0], sign[:, 1] = 1, -1
    return sign * (draw.normal(*shape).abs() + 0.25)


def positive(draw):
    B, T, V = draw.sizes(3, low=2, high=6)
    logits, idx = away_from_zero(draw, B, V + 4).abs(), draw.integers(B, T, below=V + 4)
    return call(logits, idx, torch.ones_like(idx), 2.0)


def negative(draw):
    B, T, V = draw.sizes(3, low=3, high=6)
    logits, idx = away_from_zero(draw, B, V + 4), draw.integers(B, T, below=V + 4)
    idx[:, 0] = 1  # whose logit is below 0
    return call(logits, idx, torch.ones_like(idx), 1.5), call(-logits, idx, idx >= 0, 0.5)


def often(draw):
    B, V = draw.sizes(2, low=3, high=6)
    idx = draw.integers(B, 7, below=V)
    idx[:, 1:4] = draw.integers(B, 1, below=V)
    return call(away_from_zero(draw, B, V), idx, torch.ones_like(idx), 1.25)


def padded(draw):
    """Token 0 pads. It occurs in the text of one row, too, and not in that of another."""
    idx = torch.tensor([[0, 0, 0, 3, 1], [0, 4, 0, 2, 2], [5, 1, 1, 4, 0], [2, 3, 0, 0, 0]])
    mask = torch.tensor([[0, 0, 0, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    return call(away_from_zero(draw, 4, 6), idx, mask, 2.0)


def impossible(draw):
    logits = away_from_zero(draw, 3, 5)
    logits[:, 2] = -torch.inf
    logits[0, 0] = 0.0
    idx = draw.integers(3, 4, below=5)
    idx[0] = torch.tensor([2, 0, 2, 3])
    return call(logits, idx, torch.ones_like(idx), 1.5), call(logits, idx, idx * 0, 3.0)


def said(idx, mask, V):
    return ((F.one_hot(idx, V) * mask[:, :, None]).sum(dim=1)) > 0


def once_more_each_time(logits, idx, mask, penalty):
    logits = logits.clone()
    for row, ids, real in zip(logits, idx.tolist(), mask.tolist(), strict=True):
        for token, one in zip(ids, real, strict=True):
            if one:
                row[token] = row[token] / penalty if row[token] > 0 else row[token] * penalty
    return logits


def padding_counts(logits, idx, mask, penalty):
    return repetition_penalty(logits, idx, torch.ones_like(idx), penalty)


def pad_token_never_counts(logits, idx, mask, penalty):
    pads = idx[mask == 0]
    real = (idx != pads[0]).long() if len(pads) else mask
    return repetition_penalty(logits, idx, real, penalty)


def of_any_row(logits, idx, mask, penalty):
    everywhere = said(idx, mask, logits.shape[-1]).any(dim=0, keepdim=True)
    penalised = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(everywhere, penalised, logits)


def subtracted(logits, idx, mask, penalty):
    return logits - penalty * said(idx, mask, logits.shape[-1]).to(logits.dtype)


def only_the_last(logits, idx, mask, penalty):
    return repetition_penalty(logits, idx[:, -1:], mask[:, -1:], penalty)


def forbidden(logits, idx, mask, penalty):
    return logits.masked_fill(said(idx, mask, logits.shape[-1]), -torch.inf)


def probabilities(logits, idx, mask, penalty):
    return repetition_penalty(logits, idx, mask, penalty).softmax(dim=-1)


def of_probabilities(logits, idx, mask, penalty):
    probs = logits.softmax(dim=-1)
    return torch.where(said(idx, mask, logits.shape[-1]), probs / penalty, probs).log()


def others(logits, idx, mask, penalty):
    penalised = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(said(idx, mask, logits.shape[-1]), logits, penalised)


def mask_as_token(logits, idx, mask, penalty):
    return repetition_penalty(logits, idx * mask, torch.ones_like(mask), penalty)


def by_loops(logits, idx, mask, penalty):
    logits = logits.clone()
    for row, ids, real in zip(logits, idx, mask.bool(), strict=True):
        for token in set(ids[real].tolist()):
            row[token] = row[token] / penalty if row[token] > 0 else row[token] * penalty
    return logits


def by_scatter(logits, idx, mask, penalty):
    V = logits.shape[-1]
    longer = F.pad(logits, (0, 1))  # one column more, to which padding is sent
    to = torch.where(mask.bool(), idx, V)
    seen = longer.gather(-1, to)
    return longer.scatter(-1, to, torch.where(seen < 0, seen * penalty, seen / penalty))[:, :V]


EXERCISE = Exercise(
    title="A penalty for repeating",
    trains="signs, masks, `scatter` or `one_hot`",
    minutes=25,
    level="medium",
    section="06.4",
    solution=repetition_penalty,
    checks=[
        Check(
            "Logits above 0",
            2,
            "The logit of each token that occurs is divided by the penalty, in its own row alone. "
            "All others stay as they are.",
            positive,
        ),
        Check(
            "Logits below 0",
            3,
            "A penalty above 1 must make a token less likely. What does dividing do to -1?",
            negative,
        ),
        Check(
            "Said often",
            2,
            "A token that occurs three times is penalised once, as one that occurs once is.",
            often,
        ),
        Check(
            "Padding",
            3,
            "Nobody said the padding. But its id can also stand in the text, as <|endoftext|> "
            "does: so the mask decides, not the id.",
            padded,
        ),
        Check(
            "Impossible tokens, and nothing said",
            2,
            "-inf remains -inf and 0 remains 0. Where the mask is 0 everywhere nothing changes.",
            impossible,
        ),
    ],
    hints=[
        "For one row: how would you find the *set* of the tokens that it has said? What happens "
        "to 2, to -2 and to 0 when the penalty is 2?",
        "`F.one_hot(idx, V)` has a 1 for each token at each place. Times the mask, and summed over "
        "the places, it counts. Where the count is above 0 take the penalised logits. A loop over "
        "rows, with `set(...)`, is fine as well.",
        "`torch.where(logits > 0, logits / penalty, logits * penalty)` are the penalised logits; "
        "`torch.where(times > 0, ..., logits)` takes them only where needed.",
    ],
    wrong=[
        edit(
            "torch.where(logits > 0, logits / penalty, logits * penalty)",
            "logits / penalty",
            "You divide always. That rewards a token whose logit is below 0.",
        ),
        edit(
            "torch.where(logits > 0, logits / penalty, logits * penalty)",
            "logits * penalty",
            "You multiply always. That rewards a token whose logit is above 0.",
        ),
        edit(
            "logits > 0, logits / penalty, logits * penalty",
            "logits > 0, logits * penalty, logits / penalty",
            "Your penalty rewards: multiplying and dividing are swapped.",
        ),
        written(
            once_more_each_time,
            says="You penalise a token once for each time it occurs. Once is enough.",
        ),
        written(padding_counts, says="You count padding as said. See the mask."),
        written(
            pad_token_never_counts,
            says="You leave out the padding's *id*. It may stand in the text, too: ask the mask.",
        ),
        written(
            mask_as_token,
            says="You multiply ids by the mask: padding then counts as token 0.",
        ),
        written(of_any_row, says="You penalise what *any* row has said. Each has its own text."),
        written(only_the_last, says="You look at the last token alone. All of the text counts."),
        written(subtracted, says="You subtract the penalty. Divide, or multiply below 0."),
        written(forbidden, says="You forbid what was said. It should only become less likely."),
        written(probabilities, says="You return probabilities. It should be logits."),
        written(
            of_probabilities,
            says="You divide the probabilities. The penalty is one for logits.",
        ),
        written(others, says="You penalise all tokens that were *not* said."),
    ],
    right=[written(by_loops), written(by_scatter)],
    survivors={
        "logits >= 0": "0 divided or multiplied is 0",
        "logits.shape[+1]": "of two dimensions number 1 is the last",
    },
)
