"""09.3: how much of a summary stands in the true one, in the same order: ROUGE-L."""

from collections import Counter
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise

import torch

from tools.exercises import Check, Exercise, call, written


def rouge_l(summary, reference):
    """Precision, recall and F1 of the longest common subsequence of two lists of tokens.

    A subsequence keeps the order and may leave tokens out. Precision is its length divided by that
    of the summary, recall divided by that of the reference, F1 their harmonic mean. All three are
    0.0 where nothing is common.
    """
    best = [0] * (len(reference) + 1)  # of what was read of summary, and each start of reference
    for word in summary:
        before = best.copy()
        for i, other in enumerate(reference, start=1):
            best[i] = before[i - 1] + 1 if word == other else max(before[i], best[i - 1])
    precision, recall = best[-1] / max(len(summary), 1), best[-1] / max(len(reference), 1)
    return precision, recall, 2 * best[-1] / max(len(summary) + len(reference), 1)


# The inputs that each check draws: letters stand for words.


def letters(draw, n, among="abcde"):
    return [draw.choice(among) for _ in range(n)]


def in_one_piece(draw):
    a, b, c, d = draw.shuffled("pqrs")
    return (
        call([a], [a]),
        call([a, b, c], [a, b, c]),
        call([a, b], [c, a, b, d, d]),
        call([c, c, a, b, c, d], [a, b]),
    )


def with_gaps(draw):
    a, b, c, d = draw.shuffled("pqrs")
    return (
        call([a, "x", b, c], [a, b, "y", "y", c, d]),
        call([a, b, c, d, "x"], [a, "y", c]),
        call(["x", a, b, "x", c], [b, "y", a, "y", b, c]),
    )


def other_order(draw):
    a, b, c, d = draw.shuffled("pqrs")
    return (
        call([a, b, c, d], [d, c, b, a]),
        call([a, b, c], [b, c, a, d]),
        call([c, "x", a, b, d], [a, b, c]),
    )


def said_again(draw):
    a, b, c = draw.shuffled("pqr")
    return (
        call([a] * 5, [a, b, a]),
        call([a, b, a, b], [b, a, c, a, a, c]),
        call([a, b, a, c, a], [c, a, a]),
    )


def no_greed(draw):
    """Who takes the first match each time, from either side, misses the best."""
    a, b, c, d = draw.shuffled("pqrs")
    return (
        call([a, b, c, d], [b, c, d, a]),
        call([b, c, d, a, "x"], [a, b, c, d]),
        call([d, a, b, c], [a, b, c, d, d, "x"]),
    )


def long(draw):
    return call(letters(draw, 12), letters(draw, 9)), call(letters(draw, 7), letters(draw, 14))


def nothing(draw):
    a, b = draw.shuffled("pq")
    return call([a, a], [b]), call([], [a, b]), call([b], []), call([], [])


def subsequence(a, b):
    """The length of the longest common subsequence, from the ends backwards."""

    @cache
    def of(i, j):
        if i == len(a) or j == len(b):
            return 0
        if a[i] == b[j]:
            return 1 + of(i + 1, j + 1)
        return max(of(i + 1, j), of(i, j + 1))

    return of(0, 0)


def scores(common, summary, reference):
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / len(summary), common / len(reference)
    return precision, recall, 2 * precision * recall / (precision + recall)


def by(length):
    """The three scores of another common length."""

    def rouge(summary, reference):
        return scores(length(summary, reference), summary, reference)

    return rouge


def one_piece(a, b):
    return SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size


def any_order(a, b):
    return (Counter(a) & Counter(b)).total()


def different_words(a, b):
    return len(set(a) & set(b))


def each_found(a, b):
    return sum(word in b for word in a)


def greedy(a, b):
    """Each word of a takes its next place in b, if there is one."""
    at = matched = 0
    for word in a:
        if word in b[at:]:
            at = b.index(word, at) + 1
            matched += 1
    return matched


def same_places(a, b):
    return sum(x == y for x, y in zip(a, b, strict=False))


def pairs(a, b):
    return any_order(list(pairwise(a)), list(pairwise(b)))


def diagonal_or_more(a, b):
    """Without what came before the row: a word of b may match several of a."""
    best = [0] * (len(b) + 1)
    for word in a:
        for i, other in enumerate(b, start=1):
            best[i] = best[i - 1] + 1 if word == other else max(best[i], best[i - 1])
    return best[-1]


def no_memory(a, b):
    """Where two words differ it begins anew."""
    best = [0] * (len(b) + 1)
    for word in a:
        before = best.copy()
        for i, other in enumerate(b, start=1):
            best[i] = before[i - 1] + 1 if word == other else 0
    return best[-1]


def swapped(summary, reference):
    precision, recall, f1 = rouge_l(summary, reference)
    return recall, precision, f1


def plain_mean(summary, reference):
    precision, recall, _ = rouge_l(summary, reference)
    return precision, recall, (precision + recall) / 2


def recall_counts_more(summary, reference):
    precision, recall, _ = rouge_l(summary, reference)
    if not precision:
        return 0.0, 0.0, 0.0
    return precision, recall, (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


def f1_alone(summary, reference):
    return rouge_l(summary, reference)[2]


def divided(summary, reference):
    common = subsequence(tuple(summary), tuple(reference))
    f1 = 2 * common / (len(summary) + len(reference))
    return common / len(summary), common / len(reference), f1


def table(a, b):
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a)):
        for j in range(len(b)):
            both = best[i][j] + (a[i] == b[j])
            best[i + 1][j + 1] = max(both, best[i][j + 1], best[i + 1][j])
    return best[len(a)][len(b)]


EXERCISE = Exercise(
    title="ROUGE-L",
    trains="dynamic programming",
    minutes=30,
    level="hard",
    section="09.4",
    solution=rouge_l,
    dtypes=(torch.float32,),
    checks=[
        Check(
            "In one piece",
            2,
            "Here the common words stand side by side. Precision divides by the summary's length, "
            "recall by the reference's.",
            in_one_piece,
        ),
        Check(
            "With gaps",
            2,
            "Words may be left out on both sides, as long as the others keep their order.",
            with_gaps,
        ),
        Check(
            "Another order",
            3,
            "The same words in another order have little in common here.",
            other_order,
        ),
        Check("Words said again", 2, "Each word of either text matches once at most.", said_again),
        Check(
            "No greed",
            2,
            "An early match may cost several later ones. Leaving a word out must be tried, too.",
            no_greed,
        ),
        Check("Longer texts", 2, "All of it together, with few different words.", long),
        Check(
            "Nothing in common",
            2,
            "No common word, or no word at all: three zeros, and no division by 0.",
            nothing,
        ),
    ],
    hints=[
        "Take 'a b c d' and 'b c d a'. What is the longest common subsequence, and what would you "
        "find by matching the first a at once?",
        "Ask for starts of both texts: how much have the first i words of the one and the first j "
        "of the other in common? If the two last words are equal, one more than without both; else "
        "the better of leaving out the one or the other. Fill a table row by row.",
        "`best[i + 1][j + 1]` is `best[i][j] + 1` where the words are equal, else the larger of "
        "`best[i][j + 1]` and `best[i + 1][j]`. Row 0 and column 0 are zeros.",
    ],
    wrong=[
        written(
            by(one_piece),
            says="You look for the longest common *piece*. A subsequence may have gaps.",
        ),
        written(by(any_order), says="You count common words in any order: that is ROUGE-1."),
        written(by(pairs), says="You count common pairs of neighbours: that is ROUGE-2."),
        written(by(different_words), says="You count different common words, in any order."),
        written(
            by(each_found),
            says="You count the summary's words that the reference has somewhere.",
        ),
        written(
            by(greedy),
            says="You match each word as early as possible. That may lead past longer ones.",
        ),
        written(by(same_places), says="You compare place by place. Words may be left out."),
        written(
            by(diagonal_or_more),
            says="One word of the reference matches several of the summary: you write over the row "
            "before while you still need it.",
        ),
        written(
            by(no_memory),
            says="Where two words differ you begin anew. What was common so far remains.",
        ),
        written(
            by(lambda a, b: subsequence(tuple(a), tuple(b[::-1]))),
            says="You read one of the texts from its end.",
        ),
        written(swapped, says="Precision and recall are swapped."),
        written(
            plain_mean,
            says="Your F1 is the plain mean of precision and recall. It is their harmonic mean.",
        ),
        written(
            recall_counts_more,
            says="Your F gives recall more weight, as in the first paper on ROUGE. F1 weighs both "
            "the same.",
        ),
        written(f1_alone, says="Right, but F1 alone. Precision and recall are asked for, too."),
        written(divided, says="You divide by 0 where a text is empty."),
    ],
    right=[
        written(by(lambda a, b: subsequence(tuple(a), tuple(b)))),
        written(by(table)),
    ],
    survivors={
        "max(best[i], best[i - 1])": "best[i] is still that of the row before",
        "len(reference), 2)": "if one of them has a word and the other none nothing is common",
    },
)
