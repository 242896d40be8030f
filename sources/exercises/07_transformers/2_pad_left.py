"""07.2: prompts of unequal length as one rectangle, with a mask and positions."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def pad_left(rows, pad, longest):
    """Lists of ids as a batch that is padded on the left, with its mask and its positions.

    T is the length of the longest row, but at most `longest`: of longer rows the last `longest` ids
    stay. The mask is 1 for ids of a row and 0 for padding. The first id that stays of each row has
    position 0, and so has all padding. The id `pad` may also stand in a row.
    rows a list of lists, none empty -> ids, mask, position_ids, each (B, T) whole numbers
    """
    rows = [row[-longest:] for row in rows]
    T = max(len(row) for row in rows)
    ids = torch.tensor([[pad] * (T - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (T - len(row)) + [1] * len(row) for row in rows])
    return ids, mask, (mask.cumsum(dim=1) - 1).clamp(min=0)


def some(draw, lengths, pad):
    """Rows of these lengths in which `pad` does not occur."""
    return [[(pad + 1 + draw.integer(0, 30)) for _ in range(n)] for n in draw.shuffled(lengths)]


def unequal(draw):
    pad = draw.integer(1, 9)
    return call(some(draw, [2, 3, 6], pad), pad, 9), call(some(draw, [1, 5, 4, 4], pad), pad, 5)


def one_row(draw):
    return call(some(draw, [draw.integer(2, 5)], 0), 3, 8), call([[7]], 0, 1)


def equal(draw):
    n = draw.integer(2, 5)
    return call(some(draw, [n, n, n], 4), 4, n)


def pad_in_the_text(draw):
    """As with GPT-2: a text begins with its end-of-text token, or holds it between two texts."""
    end = draw.integer(0, 9)
    rows = some(draw, [3, 5, 6], end)
    return call([[end, *row] for row in rows], end, 9), call(
        [[*row, end, *row[:2], end] for row in rows], end, 12
    )


def too_long(draw):
    pad = draw.integer(1, 9)
    return call(some(draw, [2, 6, 8], pad), pad, 5), call(some(draw, [3, 4], pad), pad, 2)


def right_side(rows, pad, longest):
    rows = [row[-longest:] for row in rows]
    T = max(map(len, rows))
    ids = torch.tensor([row + [pad] * (T - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (T - len(row)) for row in rows])
    return ids, mask, torch.arange(T) * mask


def mask_by_id(rows, pad, longest):
    ids, _, _ = pad_left(rows, pad, longest)
    mask = (ids != pad).long()
    return ids, mask, (mask.cumsum(dim=1) - 1).clamp(min=0)


def cut_to_the_shortest(rows, pad, longest):
    return pad_left(rows, pad, min(longest, *map(len, rows), longest))


def always_the_longest(rows, pad, longest):
    ids, mask, positions = pad_left(rows, pad, longest)
    more = (longest - ids.shape[1], 0)
    return tuple(
        torch.nn.functional.pad(x, more, value=value)
        for x, value in ((ids, pad), (mask, 0), (positions, 0))
    )


def as_truth(rows, pad, longest):
    ids, mask, positions = pad_left(rows, pad, longest)
    return ids, mask.bool(), positions


def sorted_by_length(rows, pad, longest):
    return pad_left(sorted(rows, key=len, reverse=True), pad, longest)


def positions_of_what_was_cut(rows, pad, longest):
    ids, mask, positions = pad_left(rows, pad, longest)
    cut = torch.tensor([max(len(row) - longest, 0) for row in rows])
    return ids, mask, (positions + cut[:, None]) * mask


def by_filling(rows, pad, longest):
    B, T = len(rows), min(longest, max(map(len, rows)))
    ids = torch.full((B, T), pad)
    mask, positions = torch.zeros(B, T, dtype=torch.long), torch.zeros(B, T, dtype=torch.long)
    for b, row in enumerate(rows):
        n = min(len(row), T)
        ids[b, T - n :] = torch.tensor(row[len(row) - n :])
        mask[b, T - n :] = 1
        positions[b, T - n :] = torch.arange(n)
    return ids, mask, positions


def by_torch(rows, pad, longest):
    flipped = [torch.tensor(row[-longest:]).flip(0) for row in rows]
    ids = torch.nn.utils.rnn.pad_sequence(flipped, batch_first=True, padding_value=pad).flip(1)
    T = ids.shape[1]
    begins = T - torch.tensor([len(row) for row in flipped])[:, None]
    columns = torch.arange(T)
    return ids, (columns >= begins).long(), (columns - begins).clamp(min=0)


EXERCISE = Exercise(
    title="Padding by hand",
    trains="batches, masks, position ids",
    minutes=20,
    level="easy",
    section="07.4",
    solution=pad_left,
    checks=[
        Check(
            "Rows of unequal length",
            4,
            "All rows end in the last column. Count each row's positions from its own first id.",
            unequal,
        ),
        Check(
            "One row",
            2,
            "A row alone needs no padding, even if it is a single id.",
            one_row,
        ),
        Check(
            "Rows of equal length",
            2,
            "Where nothing is to be filled, the mask is 1 everywhere.",
            equal,
        ),
        Check(
            "The pad id in a text",
            4,
            "GPT-2 pads with its end-of-text token, and a text can hold a real one. So the mask "
            "must come from the lengths.",
            pad_in_the_text,
        ),
        Check(
            "Rows that are too long",
            3,
            "The next token follows the *last* ids, so those must stay. Position 0 belongs to the "
            "first one that stays.",
            too_long,
        ),
    ],
    hints=[
        "Draw the rectangle for rows of 2, 3 and 6 ids. Where do they end? What is the mask of the "
        "shortest, and what are its positions?",
        "Cut the rows, find the longest, put `T - len(row)` pads before each. Build the mask from "
        "the same lengths. Its running sum counts the ids so far.",
        "`[pad] * (T - len(row)) + row` is a row of the batch, "
        "`[0] * (T - len(row)) + [1] * len(row)` one of the mask. For positions: `cumsum(dim=1)`, "
        "less one, and nothing below 0.",
    ],
    wrong=[
        written(right_side, says="You pad on the right. New tokens come behind the last column."),
        written(
            mask_by_id,
            says="You take every pad id for padding. A text may hold it: use the lengths.",
        ),
        edit(
            "(mask.cumsum(dim=1) - 1).clamp(min=0)",
            "torch.arange(T).repeat(len(rows), 1)",
            "Your positions are the numbers of the columns. Each row counts from its first id.",
        ),
        edit(
            "(mask.cumsum(dim=1) - 1).clamp(min=0)",
            "mask.cumsum(dim=1)",
            "Your positions begin with 1.",
        ),
        edit(
            "(mask.cumsum(dim=1) - 1).clamp(min=0)",
            "mask.cumsum(dim=1) - 1",
            "Padding has position -1, which no table has. Nothing below 0.",
        ),
        edit(
            "(mask.cumsum(dim=1) - 1).clamp(min=0)",
            "(mask.cumsum(dim=0) - 1).clamp(min=0)",
            "You count down the columns, over the batch. Count along each row.",
        ),
        edit(
            "[0] * (T - len(row)) + [1] * len(row)",
            "[1] * (T - len(row)) + [0] * len(row)",
            "Your mask is the wrong way round: 1 is for text.",
        ),
        edit(
            "[0] * (T - len(row)) + [1] * len(row)",
            "[1] * T",
            "Your mask takes padding for text.",
        ),
        edit(
            "row[-longest:]",
            "row[:longest]",
            "Of rows that are too long you keep the beginning. What comes next follows the end.",
        ),
        edit(
            "rows = [row[-longest:] for row in rows]",
            "rows = list(rows)",
            "Rows that are too long stay too long.",
        ),
        written(cut_to_the_shortest, says="You cut all rows to the shortest. Fill up, don't cut."),
        written(
            always_the_longest,
            says="You always fill up to `longest`. The longest row of the batch is enough.",
        ),
        written(as_truth, says="Your mask has truth values. Whole numbers are asked for."),
        written(sorted_by_length, says="You sort the rows. They must keep their order."),
        written(
            positions_of_what_was_cut,
            says="You count the ids that were cut away. Position 0 is the first one that stays.",
        ),
    ],
    right=[written(by_filling), written(by_torch)],
)
