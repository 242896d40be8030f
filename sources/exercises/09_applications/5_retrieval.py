"""09.5: how good is a ranking? Mean reciprocal rank and recall@k."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def rank_scores(scores, relevant, k):
    """Mean reciprocal rank, and recall among the k best, of a search engine's scores.

    A query's documents are ranked by falling scores; of equal ones the first comes first. Its
    reciprocal rank is 1 / the rank of its best relevant document, counted from 1. Its recall is
    the share of its relevant documents that are among the k best. Both are averaged over queries;
    one that has no relevant document is left out.
    scores (Q, N), relevant (Q, N) of True and False -> two numbers
    """
    order = scores.sort(descending=True, stable=True).indices
    hits = relevant.gather(1, order)[relevant.any(dim=1)]  # best first, (Q', N)
    ranks = torch.arange(1, hits.shape[1] + 1, device=scores.device)
    reciprocal = (hits / ranks).amax(dim=1)
    recall = hits[:, :k].sum(dim=1) / hits.sum(dim=1)
    return float(reciprocal.mean()), float(recall.mean())


# The inputs that each check draws.


def case(draw, ranking, k):
    """A query for each text: "x" is relevant, "." is not, the best first; documents shuffled."""
    N = len(ranking[0])
    scores, relevant = [], []
    for row in draw.shuffled(ranking):
        values = sorted({round(v, 4) for v in draw.normal(3 * N + 9).tolist()}, reverse=True)
        pairs = draw.shuffled(list(zip(values[:N], row, strict=True)))
        scores.append([value for value, _ in pairs])
        relevant.append([sign == "x" for _, sign in pairs])
    return call(torch.tensor(scores, dtype=draw.dtype), torch.tensor(relevant), k)


def one_query(draw):
    return (
        case(draw, ["..x..."], 2),
        case(draw, [".x...."], 2),
        case(draw, ["x....."], 1),
        case(draw, [".....x"], 5),
    )


def several_relevant(draw):
    return case(draw, [".x.x.x"], 4), case(draw, ["..xxx..x"], 3), case(draw, ["xxx."], 2)


def several_queries(draw):
    return (
        case(draw, ["x....", "...x.", ".x..."], 2),
        case(draw, [".xx.xx", "x.....", "....xx"], 3),
    )


def nothing_to_find(draw):
    return case(draw, ["x...", "....", "..xx"], 2), case(draw, ["....", ".x.x", "...."], 3)


def all_documents(draw):
    return case(draw, ["xxxx", "..x."], 4), case(draw, [".x.", "xx."], 7), case(draw, ["x"], 1)


def ties(draw):
    """Equal scores: the first document comes first."""
    relevant = torch.zeros(3, 6, dtype=torch.bool)
    relevant[0, 4] = relevant[1, 2] = relevant[1, 5] = relevant[2, 0] = True
    scores = draw.integers(3, 6, below=2).to(draw.dtype)
    scores[0] = 0.5
    scores[2, 0], scores[2, 3] = 0, 1
    return call(scores, relevant, 3), call(-scores, relevant, 2)


def ranked(scores, relevant):
    order = scores.sort(dim=1, descending=True, stable=True).indices
    return relevant.gather(1, order)


def variant(order=ranked, rank=None, recall=None, mean=None):
    """Ranked, scored or averaged otherwise."""

    def scored(scores, relevant, k):
        rows = order(scores, relevant).tolist()
        known = [row for row in rows if any(row)]
        first = [(rank or reciprocal)(row) for row in known]
        found = [(recall or share)(row, k) for row in known]
        return (mean or average)(first, len(rows)), (mean or average)(found, len(rows))

    return scored


def reciprocal(row):
    return 1 / (row.index(True) + 1)


def share(row, k):
    return sum(row[:k]) / sum(row)


def average(values, queries):
    return sum(values) / len(values)


def rising(scores, relevant):
    return ranked(-scores, relevant)


def as_they_stand(scores, relevant):
    return relevant


def ties_last(scores, relevant):
    return ranked(scores.flip(1), relevant.flip(1))


def over_queries(scores, relevant):
    return relevant.gather(0, scores.sort(dim=0, descending=True, stable=True).indices)


def all_ranks(row):
    ranks = [1 / n for n, hit in enumerate(row, start=1) if hit]
    return sum(ranks) / len(ranks)


def within_k(scores, relevant, k):
    hits = ranked(scores, relevant)[:, :k]
    hits = torch.cat([hits, torch.zeros_like(relevant)], dim=1)
    ranks = torch.arange(1, hits.shape[1] + 1)
    known = relevant.any(dim=1)
    return (hits / ranks).amax(dim=1)[known].mean().item(), rank_scores(scores, relevant, k)[1]


def one_over_mean_rank(scores, relevant, k):
    rows = [row for row in ranked(scores, relevant).tolist() if any(row)]
    mean = sum(row.index(True) + 1 for row in rows) / len(rows)
    return 1 / mean, rank_scores(scores, relevant, k)[1]


def all_pairs_recall(scores, relevant, k):
    hits = ranked(scores, relevant)
    return rank_scores(scores, relevant, k)[0], (hits[:, :k].sum() / hits.sum()).item()


def swapped(scores, relevant, k):
    return rank_scores(scores, relevant, k)[::-1]


def by_counting(scores, relevant, k):
    """The rank of a document is 1 and how many stand before it."""
    n = torch.arange(scores.shape[1])
    better = scores[:, None, :] > scores[:, :, None]
    tied = (scores[:, None, :] == scores[:, :, None]) & (n[None, :] < n[:, None])
    ranks = 1 + (better | tied).sum(dim=2)  # (Q, N)
    first, found = [], []
    for row, mine in zip(ranks, relevant, strict=True):
        if mine.any():
            first.append(1 / row[mine].min().item())
            found.append((row[mine] <= k).double().mean().item())
    return sum(first) / len(first), sum(found) / len(found)


EXERCISE = Exercise(
    title="MRR and recall@k",
    trains="sorting, `gather`, means",
    minutes=25,
    level="medium",
    section="09.8",
    solution=rank_scores,
    checks=[
        Check(
            "One query",
            3,
            "The best document has rank 1. If the one relevant document is third, its reciprocal "
            "rank is a third.",
            one_query,
        ),
        Check(
            "Several relevant documents",
            3,
            "The reciprocal rank looks at the best of them alone. Recall divides by how many there "
            "are, not by k.",
            several_relevant,
        ),
        Check(
            "Several queries",
            3,
            "Each query counts the same: average over queries last.",
            several_queries,
        ),
        Check(
            "Nothing to find",
            2,
            "A query without a relevant document says nothing about the engine. It is left out of "
            "both means.",
            nothing_to_find,
        ),
        Check(
            "All documents",
            1,
            "With k as large as the collection, or larger, recall is 1.",
            all_documents,
        ),
        Check(
            "Ties",
            2,
            "Of equal scores the document that comes first is ranked first: `sort` must keep "
            "their order.",
            ties,
        ),
    ],
    hints=[
        "Scores 0.1 0.9 0.5, and the first document is relevant. Which rank has it? Which tensor "
        "would you like to have, and in which order?",
        "Sort each row of scores, falling, and bring `relevant` into the same order by `gather`. "
        "Then a hit in column 0 has rank 1. Divide the hits by 1, 2, 3, ...: the largest quotient "
        "is the reciprocal rank. Sum the first k columns for the recall.",
        "`order = scores.sort(descending=True, stable=True).indices`, then "
        "`relevant.gather(1, order)`; keep rows with `relevant.any(dim=1)`. "
        "`hits[:, :k].sum(dim=1)` over `hits.sum(dim=1)` is the recall.",
    ],
    wrong=[
        written(variant(rising), says="You rank the lowest score first."),
        written(variant(as_they_stand), says="You don't rank: sort by the scores first."),
        written(
            variant(ties_last),
            says="Of equal scores your last document comes first. Keep their order.",
        ),
        written(
            variant(rank=lambda row: 1 / (row.index(True) + 2)),
            says="You count ranks from 2. The best document has rank 1.",
        ),
        written(
            variant(rank=lambda row: row.index(True) + 1.0),
            says="Yours is the rank itself. The reciprocal rank is 1 divided by it.",
        ),
        written(
            variant(rank=all_ranks),
            says="You average over all relevant documents. The best one alone counts for MRR.",
        ),
        written(
            within_k,
            says="You look for the first relevant document among k only. MRR looks at all.",
        ),
        written(
            one_over_mean_rank,
            says="You take the reciprocal of the mean rank. It is the mean of reciprocals.",
        ),
        written(
            variant(recall=lambda row, k: sum(row[:k]) / k),
            says="You divide by k: that is precision@k. Recall divides by how many are relevant.",
        ),
        written(
            variant(recall=lambda row, k: float(any(row[:k]))),
            says="You ask whether anything was found. Recall asks for the share.",
        ),
        written(
            variant(recall=lambda row, k: sum(row[: k + 1]) / sum(row)),
            says="You look at k + 1 documents.",
        ),
        written(
            variant(recall=lambda row, k: sum(row[: k - 1]) / sum(row)),
            says="You look at k - 1 documents.",
        ),
        written(
            variant(recall=lambda row, k: sum(row[:k]) / min(sum(row), k)),
            says="You divide by k where more are relevant. Recall divides by all of them.",
        ),
        written(
            all_pairs_recall,
            says="You add up hits over queries. Each query counts the same: average their recalls.",
        ),
        written(
            variant(mean=lambda values, queries: sum(values) / queries),
            says="A query without a relevant document counts as 0. It should be left out.",
        ),
        written(swapped, says="The two are swapped: the mean reciprocal rank comes first."),
    ],
    right=[written(variant()), written(by_counting)],
    # Means may be made in float32, and be read as numbers afterwards.
    tolerance={"float32": 1e-5, "float64": 1e-5},
    survivors={
        "sort(descending=True)": "on a CPU sorting keeps the order of equal ones anyway",
        "scores.shape[1] + 1": "hits have as many columns",
        "relevant.shape[1] + 1": "hits have as many columns",
        "order.shape[1] + 1": "hits have as many columns",
        "stable=False": "on a CPU sorting keeps the order of equal ones anyway",
    },
)
