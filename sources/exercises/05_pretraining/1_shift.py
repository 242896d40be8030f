"""05.1: windows of a text and their targets."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def windows(tokens, starts, length):
    """Cut windows of `length` tokens; the target at each place is the token after it.

    tokens (N,), starts (B,) -> idx and targets, both (B, length). Behind the last token idx is 0.
    Where there is no next token, the target is -100.
    """
    places = starts[:, None] + torch.arange(length)  # (B, T)
    last = len(tokens) - 1
    idx = tokens[places.clamp(max=last)].masked_fill(places > last, 0)
    targets = tokens[(places + 1).clamp(max=last)].masked_fill(places >= last, -100)
    return idx, targets


# The inputs that each check draws. Ids are never 0, which is what idx is filled with.


def text(draw, n):
    return 1 + draw.integers(n, below=90)


def inside(draw):
    B, T = draw.sizes(2)
    return call(text(draw, 12), draw.integers(B, below=6), T)


def any_order(draw):
    T = draw.integer(2, 4)
    tokens = text(draw, 11)
    return call(tokens, torch.tensor([5, 0, 3, 3]), T), call(tokens, torch.tensor([4]), 1)


def up_to_the_end(draw):
    B, T = draw.sizes(2, low=3)
    tokens = text(draw, 9)
    return call(tokens, 9 - T + torch.zeros(B).long(), T), call(tokens, torch.tensor([8, 2]), 1)


def beyond(draw):
    T = draw.integer(4, 6)
    return call(text(draw, 7), torch.tensor([5, 1, 6, 3]), T), call(
        text(draw, 2), draw.integers(3, below=2), T
    )


def pad_is_a_target(tokens, starts, length):
    padded = torch.cat([tokens, tokens.new_zeros(length + 1)])
    places = starts[:, None] + torch.arange(length)
    return padded[places], padded[places + 1]


def last_repeats(tokens, starts, length):
    last = len(tokens) - 1
    places = starts[:, None] + torch.arange(length)
    return tokens[places.clamp(max=last)], tokens[(places + 1).clamp(max=last)]


def round_the_end(tokens, starts, length):
    places = starts[:, None] + torch.arange(length)
    return tokens[places % len(tokens)], tokens[(places + 1) % len(tokens)]


def too_short(tokens, starts, length):
    idx, targets = windows(tokens, starts, length)
    return idx[:, :-1], targets[:, :-1]


def no_target_in_the_end(tokens, starts, length):
    idx, targets = windows(tokens, starts, length)
    targets[:, -1] = -100
    return idx, targets


def from_idx(tokens, starts, length):
    idx, _ = windows(tokens, starts, length)
    return idx, idx.roll(-1, dims=1)


def by_slicing(tokens, starts, length):
    rows = []
    for start in starts.tolist():
        cut = tokens[start : start + length + 1].tolist()
        idx = (cut + [0] * length)[:length]
        rows.append((idx, (cut[1:] + [-100] * length)[:length]))
        if len(cut) <= length:
            rows[-1][0][len(cut) :] = [0] * (length - len(cut))
    idx, targets = zip(*rows, strict=True)
    return torch.tensor(idx), torch.tensor(targets)


def by_padding(tokens, starts, length):
    before = torch.cat([tokens, torch.zeros(length, dtype=torch.long)])
    after = torch.cat([tokens[1:], torch.full((length + 1,), -100)])
    return (
        before.unfold(0, length, 1)[starts].clone(),
        after.unfold(0, length, 1)[starts].clone(),
    )


EXERCISE = Exercise(
    title="The shift",
    trains="indexing without a loop",
    minutes=15,
    level="easy",
    section="05.1",
    solution=windows,
    checks=[
        Check(
            "Windows inside the text",
            5,
            "Read one row aloud: after idx[0, 0] comes targets[0, 0]. Is it the next token of the "
            "text? Both have the full length.",
            inside,
        ),
        Check(
            "In any order",
            3,
            "Starts come in any order and may repeat; row b belongs to start b.",
            any_order,
        ),
        Check(
            "Up to the last token",
            3,
            "The text's last token is read as an input, too. Nothing comes after it: its target "
            "does not count.",
            up_to_the_end,
        ),
        Check(
            "Beyond the end",
            3,
            "Where a window sticks out, idx is 0. How far before that do the targets end?",
            beyond,
        ),
    ],
    hints=[
        "A window begins at place 5 and is 3 long. Which places of the text does idx hold, and "
        "which ones do the targets?",
        "Make a table of places, (B, T): each start plus 0, 1, 2, ... A tensor can be indexed by a "
        "table. For the targets, the places are one further on. Keep places inside the text by "
        "`clamp`, then write over what lies beyond.",
        "`places = starts[:, None] + torch.arange(length)`. Then `tokens[places.clamp(max=last)]`, "
        "and `masked_fill(places > last, 0)`; likewise for `places + 1` and -100.",
    ],
    wrong=[
        edit(
            "(places + 1).clamp(max=last)",
            "places.clamp(max=last)",
            "Your targets are the inputs themselves: the shift is missing. A model would only "
            "learn to copy.",
        ),
        edit(
            "(places + 1).clamp(max=last)",
            "(places - 1).clamp(min=0)",
            "Your targets are the tokens *before* the inputs. The past is known; ask for the next.",
        ),
        edit(
            "(places + 1).clamp(max=last)",
            "(places + 2).clamp(max=last)",
            "Your targets are two tokens on. The next one is the task.",
        ),
        edit(
            "return idx, targets",
            "return targets, idx",
            "The two are swapped: idx comes first.",
        ),
        written(
            from_idx,
            says="You shift within each window, so its last target is its own first token. Take it "
            "from the text.",
        ),
        written(
            no_target_in_the_end,
            says="The last target of each window is missing. The text goes on behind the window: "
            "look there.",
        ),
        written(
            too_short,
            says="Your windows are one token short. Cut one token more than `length`.",
        ),
        written(
            last_repeats,
            says="Behind the end you repeat the last token. There idx is 0 and the target -100.",
        ),
        written(
            round_the_end,
            says="Behind the end your windows go on at the text's beginning.",
        ),
        written(
            pad_is_a_target,
            says="Behind the end your targets are 0: a token like any other. What does not count "
            "is -100.",
        ),
        edit(
            "masked_fill(places >= last, -100)",
            "masked_fill(places > last, -100)",
            "The last token has a target, itself. Nothing comes after it: -100.",
        ),
        edit(
            "masked_fill(places > last, 0)",
            "masked_fill(places >= last, 0)",
            "You fill the text's last token with 0. It is an input like any other.",
        ),
        edit(
            "masked_fill(places > last, 0)",
            "masked_fill(places > last, -100)",
            "You fill idx with -100, too. No row of `wte` has this number: idx is filled with 0.",
        ),
        edit(
            "starts[:, None] +",
            "starts[:, None] * length +",
            "You take a start for the number of a window. It is the place of its first token.",
        ),
    ],
    right=[written(by_slicing), written(by_padding)],
)
