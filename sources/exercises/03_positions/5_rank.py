"""03.5: what a table of positions is good for: its rank, and how well one matrix shifts it."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def rank(table):
    """The rank of a table (T, C), an int.

    A singular value counts if it is larger than 1e-5 of the largest: less is rounding.
    """
    singular = torch.linalg.svdvals(table)  # in falling order
    return (singular > 1e-5 * singular[0]).sum().item()


def shift_fit(table, k):
    """How well one matrix M moves all rows of a table (T, C) by k > 0 rows; a float.

    For the M that brings table[:-k] @ M as near to table[k:] as possible: the sum of the squares
    of all entries of table[:-k] @ M, divided by that of table[k:]. 1 is exact, 0 useless.
    """
    before, after = table[:-k], table[k:]
    best = torch.linalg.lstsq(before, after, driver="gelsd").solution  # (C, C)
    return ((before @ best).square().sum() / after.square().sum()).item()


def rank_full(draw):
    T, C = draw.sizes(2, low=3, high=7)
    return call(draw.normal(T, C), to="rank"), call(draw.normal(2, 6), to="rank")


def rank_low(draw):
    rows, columns = draw.normal(6, 3), draw.normal(3, 5)
    rows[:, 0] += 4  # no factor is 0 everywhere
    columns[0] += 4
    tables = [rows[:, :n] @ columns[:n] for n in (1, 2)]
    return [call(table, to="rank") for table in tables]


def rank_scale(draw):
    table = draw.normal(6, 4)
    table[:, 2] = table[:, 0] - table[:, 1]
    tiny, large = table * 2.0**-40, table * 2.0**40
    return call(tiny, to="rank"), call(large, to="rank"), call(torch.zeros(4, 3), to="rank")


def rank_rounding(draw):
    # Singular values that are known; 1e-5 of the largest lies between the last two.
    table = torch.zeros(6, 4, dtype=draw.dtype)
    for column, value in enumerate(draw.shuffled([2.0, 1.0, 2.0**-15, 2.0**-16])):
        table[column, column] = value
    return call(table, to="rank"), call(table[draw.shuffled(range(6))], to="rank")


def fit_alternating(draw):
    # Rounded, so that inputs are the same on every machine: the fit is not quite exact.
    angles = torch.arange(16)[:, None] * torch.tensor([1.0, 0.125], dtype=torch.float64)
    table = torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)
    table = (table * 256).round() / 256
    return [call(table, k, to="shift_fit") for k in (draw.integer(1, 2), draw.integer(3, 6))]


def fit_product(draw):
    rows, columns = draw.normal(12).double(), draw.normal(4).double()
    rows[0], columns[1] = 0, 1
    return [call(rows[:, None] * columns, k, to="shift_fit") for k in (1, draw.integer(2, 5))]


def fit_random(draw):
    tables = draw.normal(14, 3).double(), 4096 * draw.normal(11, 2).double()
    return [call(table, draw.integer(2, 5), to="shift_fit") for table in tables]


# Wrong ranks.


def rows_and_columns(table):
    return min(table.shape)


def any_size(table):
    return (torch.linalg.svdvals(table) > 1e-5).sum().item()


def machine_precision(table):
    return torch.linalg.matrix_rank(table).item()


def of_squares(table):
    singular = torch.linalg.svdvals(table.T @ table)
    return (singular > 1e-5 * singular[0]).sum().item()


def rows_that_count(table):
    return int((table != 0).any(dim=1).sum())


# Wrong fits.


def fit_missing(table, k):
    return 1 - shift_fit(table, k)


def fit_residual(table, k):
    return (1 - shift_fit(table, k)) ** 0.5


def fit_without_squares(table, k):
    return shift_fit(table, k) ** 0.5


def fit_by_one(table, k):
    return shift_fit(table, 1)


def fit_backwards(table, k):
    return shift_fit(table.flip(0), k)


def fit_around(table, k):
    return shift_fit(torch.cat([table, table[:k]]), k)


def fit_with_constant(table, k):
    before = torch.cat([table[:-k], torch.ones_like(table[k:, :1])], dim=1)
    best = torch.linalg.lstsq(before, table[k:], driver="gelsd").solution
    return ((before @ best).square().sum() / table[k:].square().sum()).item()


def fit_by_a_number(table, k):
    before, after = table[:-k], table[k:]
    best = (before * after).sum() / before.square().sum()
    return ((best * before).square().sum() / after.square().sum()).item()


def fit_mixing_rows(table, k):
    before, after = table[:-k].T, table[k:].T
    best = torch.linalg.lstsq(before, after, driver="gelsd").solution
    return ((before @ best).square().sum() / after.square().sum()).item()


# Other right answers.


def by_matrix_rank(table):
    return int(torch.linalg.matrix_rank(table, rtol=1e-5))


def by_pseudoinverse(table, k):
    moved = table[:-k] @ torch.linalg.pinv(table[:-k]) @ table[k:]
    return float(moved.norm() ** 2 / table[k:].norm() ** 2)


def by_division(table):
    singular = torch.linalg.svd(table).S.tolist()
    return sum(value > max(singular) / 100_000 for value in singular)


def by_what_is_missing(table, k):
    best = torch.linalg.pinv(table[:-k]) @ table[k:]
    missing = table[k:] - table[:-k] @ best
    return 1 - float(missing.pow(2).sum()) / float(table[k:].pow(2).sum())


EXERCISE = Exercise(
    title="A formula on the test bench",
    trains="rank, least squares",
    minutes=25,
    level="medium",
    section="03.3",
    solution=(rank, shift_fit),
    checks=[
        Check(
            "Rank of tables that have it all",
            2,
            "A table of random numbers has as many directions as its shorter side.",
            rank_full,
        ),
        Check(
            "Rank of products",
            4,
            "If every entry is a number of its row times a number of its column, all rows point in "
            "one direction. The sum of two such tables has two.",
            rank_low,
        ),
        Check(
            "Rank at any scale",
            2,
            "A table times 1000 has the same rank. So what is a singular value to be compared "
            "with? And what is the rank of a table of zeros?",
            rank_scale,
        ),
        Check(
            "Rank, up to rounding",
            2,
            "A singular value counts if it is larger than 1e-5 of the largest one, no more and no "
            "less strict.",
            rank_rounding,
        ),
        Check(
            "Shift of alternating sines",
            3,
            "One matrix moves all rows of such a table, so nearly everything is explained. Do you "
            "fit rows to those that stand k later?",
            fit_alternating,
        ),
        Check(
            "Shift of products",
            3,
            "Row 0 is zero here. A matrix keeps it zero, so no matrix can be exact. With one "
            "direction only, choose a method that stands a matrix which has no inverse.",
            fit_product,
        ),
        Check(
            "Shift of anything",
            2,
            "What is explained is a share: between 0 and 1, and the same at any scale.",
            fit_random,
        ),
    ],
    hints=[
        "Every row of sin(i/w) cos(j/w) is the same vector times a number. How many singular "
        "values can be left? And which row would M have to turn zero into?",
        "`torch.linalg.svdvals` gives the singular values; compare with the largest. For the fit, "
        "`torch.linalg.lstsq(A, B, driver='gelsd')` finds the M that brings A @ M nearest to B, "
        "also where A has low rank.",
        "A is `table[:-k]`, B is `table[k:]`. With `best` its `.solution`, compare the sum of the "
        "squares of `A @ best` with that of `B`. `.item()` makes a plain number.",
    ],
    wrong=[
        written(
            rows_and_columns,
            shift_fit,
            says="Your rank is the shorter side of the table. It can be less.",
        ),
        written(
            any_size,
            shift_fit,
            says="Your rank compares singular values with a fixed number. Compare with the largest "
            "of them, so that the scale plays no part.",
        ),
        written(
            machine_precision,
            shift_fit,
            says="Your rank counts whatever is larger than rounding in this format. The task asks "
            "for 1e-5 of the largest.",
        ),
        written(
            of_squares,
            shift_fit,
            says="The singular values of the table times itself are squares: small ones get lost.",
        ),
        written(rows_that_count, shift_fit, says="Your rank counts rows that are not zero."),
        edit(
            ".sum().item()\n\n\ndef",
            ".sum()\n\n\ndef",
            "Your rank is a tensor. Make it a plain int.",
        ),
        edit("singular > ", "singular < ", "Your rank counts the small singular values."),
        edit("singular > ", "singular >= ", "A table of zeros has rank 0. Yours has more."),
        written(
            rank,
            fit_missing,
            says="Your fit is the share that is missing. It should be 1 where M is exact.",
        ),
        written(
            rank,
            fit_residual,
            says="Your fit is the residual of 03.3. Its square and the share that is explained sum "
            "to 1.",
        ),
        written(
            rank,
            fit_without_squares,
            says="Your fit divides lengths. Divide sums of squares.",
        ),
        written(rank, fit_by_one, says="Your fit moves rows by one, whatever k is."),
        written(
            rank,
            fit_backwards,
            says="Your fit goes backwards: it makes earlier rows from later ones.",
        ),
        written(
            rank,
            fit_around,
            says="Your fit goes round the end: the last rows are to become the first ones. They "
            "have no row k later.",
        ),
        written(
            rank,
            fit_with_constant,
            says="Your fit adds a constant to what M gives. A matrix alone must do it, and it "
            "keeps zero at zero.",
        ),
        written(
            rank,
            fit_by_a_number,
            says="You look for the best number. The best matrix can also mix dimensions.",
        ),
        written(
            rank,
            fit_mixing_rows,
            says="Your matrix mixes positions. M acts on the dimensions of one row, and is the "
            "same for all rows.",
        ),
    ],
    right=[
        written(by_matrix_rank, by_pseudoinverse),
        written(by_division, by_what_is_missing),
    ],
    survivors={
        "return (before @ best).square().sum() / after.square().sum()": "a tensor of one number is "
        "taken for a number",
    },
    # A matrix that is fitted may be off where directions are nearly parallel; mistakes are larger.
    tolerance={"float32": 1e-5, "float64": 1e-5},
)
