"""09.2: what BLEU is made of, clipped n-gram precision and the brevity penalty."""

import math
from collections import Counter

import torch

from tools.exercises import Check, Exercise, call, written


def clipped_precision(pairs, n):
    """The share of the candidates' n-grams that their references have, over all pairs together.

    pairs: (candidate, references), a list of tokens and a list of such lists. An n-gram of a
    candidate counts at most as often as in the one reference that has it most often. 0.0 where
    the candidates have no n-gram.
    """

    def count(tokens):
        return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))

    matched = total = 0
    for candidate, references in pairs:
        most = Counter()
        for tokens in references:
            most |= count(tokens)
        matched += (count(candidate) & most).total()
        total += count(candidate).total()
    return matched / max(total, 1)


def brevity_penalty(pairs):
    """1.0 if the candidates together are as long as their references or longer, else e^(1 - r/c).

    c is the number of all candidates' tokens, r that of the references; of several references the
    one whose length is nearest to its candidate's counts, of two as near the shorter one. 0.0
    where the candidates have no token.
    """
    c = r = 0
    for candidate, references in pairs:
        c += len(candidate)
        r += min((abs(len(tokens) - len(candidate)), len(tokens)) for tokens in references)[1]
    return min(1.0, math.exp(1 - r / c)) if c else 0.0


# The inputs that each check draws.


def text(draw, n, words="abcd"):
    return [draw.choice(words) for _ in range(n)]


def clipped(*cases):
    return [call(pairs, n, to="clipped_precision") for pairs, n in cases]


def brief(*cases):
    return [call(pairs, to="brevity_penalty") for pairs in cases]


def single_words(draw):
    a, b, c = draw.shuffled("xyz")
    return clipped(
        ([(text(draw, 8), [text(draw, 6)])], 1),
        ([([a, b, c, c], [[c, b, a, a, a]])], 1),
        ([([a, a], [[a, b]])], 1),
    )


def parrots(draw):
    """A word said too often, and its n-grams."""
    a, b = draw.shuffled("xy")
    return clipped(
        ([([a] * 7, [[a, b, a]])], 1),
        ([([a] * 6, [[a, a, b, a, a]])], 2),
        ([([a, b] * 4, [[a, b, b, a, b]])], 2),
    )


def longer_grams(draw):
    common = text(draw, 5)
    yield from clipped(
        ([([*text(draw, 2), *common, "x"], [[*common, "y", *text(draw, 3)]])], 2),
        ([(["x", *common], [[*common, "y"], ["z"]])], 3),
        ([(["b", "a", "c", *common], [["a", "b", "c", *common]])], 2),
    )


def several(draw):
    a, b, c = draw.shuffled("xyz")
    return clipped(
        ([([a, a, a, b, c], [[a, b], [a, a, c]])], 1),
        ([([a, b, a, b, c], [[a, b], [b, c, a], [a, b, a, b]])], 2),
        ([([a, b], [[c, c], [b, a]]), ([c, c, c], [[c, a], [c, b], [c]])], 1),
    )


def corpus(draw):
    a, b = draw.shuffled("xy")
    short, long = ([a], [[a]]), ([a, b, a, b, b], [["z", a, "z", "z"]])
    return clipped(
        ([short, long], 1),
        ([short, long, ([b, b], [[b, a]])], 1),
        ([short, ([a, b, a], [[a, b, b]])], 2),
        ([short], 2),
        ([short], 1),
        ([([], [[a]]), ([a, b], [[]])], 1),
    )


def brevity(draw):
    def of(*lengths):
        return [(["w"] * c, [["w"] * r for r in draw.shuffled(rs)]) for c, *rs in lengths]

    n = draw.integer(2, 4)
    return brief(
        of((n, n + 2)),
        of((n, n)),
        of((n + 3, n)),
        of((5, 3, 7)),
        of((4, 9, 5, 1)),
        of((9, 8), (2, 5)),
        of((3, 4, 7), (6, 6), (2, 4, 3)),
        of((0, 4)),
        of((3, 5), (0, 2)),
    )


def grams(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def precision(each=None, join=None, gram=grams):
    """Clipped precision with another count of matches, or another mean over pairs."""

    def changed(pairs, n):
        found = []
        for candidate, references in pairs:
            own, theirs = gram(candidate, n), [gram(tokens, n) for tokens in references]
            found.append(((each or best_of)(own, theirs), len(own)))
        return (join or over_all)(found)

    return changed


def best_of(own, theirs):
    most = Counter()
    for each in theirs:
        most |= Counter(each)
    return (Counter(own) & most).total()


def over_all(found):
    total = sum(n for _, n in found)
    return sum(matched for matched, _ in found) / total if total else 0.0


def unclipped(own, theirs):
    return sum(any(gram in each for each in theirs) for gram in own)


def different_ones(own, theirs):
    return len(set(own) & set().union(*theirs))


def added_up(own, theirs):
    return (Counter(own) & Counter(gram for each in theirs for gram in each)).total()


def best_reference(own, theirs):
    return max((Counter(own) & Counter(each)).total() for each in theirs)


def first_reference(own, theirs):
    return best_of(own, theirs[:1])


def mean_of_pairs(found):
    return sum(matched / n if n else 0.0 for matched, n in found) / len(found)


def recall(pairs, n):
    matched = sum(best_of(grams(c, n), [grams(r, n) for r in rs]) for c, rs in pairs)
    total = sum(len(grams(rs[0], n)) for _, rs in pairs)
    return matched / total if total else 0.0


def by_length(pairs, n):
    matched = sum(best_of(grams(c, n), [grams(r, n) for r in rs]) for c, rs in pairs)
    total = sum(len(candidate) for candidate, _ in pairs)
    return matched / total if total else 0.0


def unordered(tokens, n):
    return [tuple(sorted(gram)) for gram in grams(tokens, n)]


def apart(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(0, len(tokens) - n + 1, n)]


def cut_short(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n)]


def up_to_n(pairs, n):
    every = [clipped_precision(pairs, k) for k in range(1, n + 1)]
    return math.prod(every) ** (1 / n)


def penalty(length, form=None):
    """A brevity penalty with another length of the references, or another formula."""

    def changed(pairs):
        c = sum(len(candidate) for candidate, _ in pairs)
        r = sum(length(len(candidate), [len(each) for each in rs]) for candidate, rs in pairs)
        return (form or usual)(r, c)

    return changed


def usual(r, c):
    return min(1.0, math.exp(1 - r / c)) if c else 0.0


def nearest(c, lengths):
    return sorted(lengths, key=lambda r: (abs(r - c), r))[0]


def nearest_or_longer(c, lengths):
    return min(lengths, key=lambda r: (abs(r - c), -r))


def mean_of_penalties(pairs):
    return sum(brevity_penalty([pair]) for pair in pairs) / len(pairs)


def by_hand(pairs, n):
    matched = total = 0
    for candidate, references in pairs:
        left = [grams(tokens, n) for tokens in references]
        for gram in grams(candidate, n):
            matched += any(gram in each for each in left)
            total += 1
            for each in left:
                if gram in each:
                    each.remove(gram)
    return matched / total if total else 0.0


EXERCISE = Exercise(
    title="Clipped n-gram precision",
    trains="counting, means over a corpus",
    minutes=30,
    level="medium",
    section="09.2",
    solution=(clipped_precision, brevity_penalty),
    dtypes=(torch.float32,),
    checks=[
        Check(
            "Single words",
            2,
            "Of the candidate's words, how many does the reference have? Divide by the number of "
            "the *candidate's* words.",
            single_words,
        ),
        Check(
            "A parrot",
            3,
            "'the the the the' is no translation, though the reference has 'the'. A match uses a "
            "word of the reference up.",
            parrots,
        ),
        Check(
            "Longer n-grams",
            3,
            "Neighbours, in their order, each starting one token after the one before. A text of "
            "five tokens has four pairs.",
            longer_grams,
        ),
        Check(
            "Several references",
            3,
            "For each n-gram the reference counts that has it most often; another n-gram may find "
            "its match in another reference.",
            several,
        ),
        Check(
            "A corpus",
            2,
            "Add up matches and n-grams over all pairs, then divide once: long texts count for "
            "more. What is too short has no n-grams.",
            corpus,
        ),
        Check(
            "The brevity penalty",
            3,
            "Precision alone would reward saying little. Lengths are added up over the corpus; "
            "each candidate is measured by the reference that is nearest in length.",
            brevity,
        ),
    ],
    hints=[
        "The candidate is 'a a a b', references are 'a b' and 'a a c'. How often may a match, and "
        "how often b?",
        "Count n-grams with a `Counter` of tuples. `|` of two Counters keeps the larger count of "
        "each, `&` the smaller one. For the penalty choose among the references by the difference "
        "of lengths first, then by the length.",
        "`Counter(tuple(tokens[i : i + n]) for i in ...)` where i runs to `len(tokens) - n + 1`; "
        "`(counts & most).total()` are the matches. "
        "`min((abs(len(tokens) - len(candidate)), len(tokens)) for ...)[1]` is the length.",
    ],
    wrong=[
        written(
            precision(unclipped), brevity_penalty,
            says="You don't clip: an n-gram counts however often it is said.",
        ),
        written(
            precision(different_ones), brevity_penalty,
            says="You count different n-grams. One that both texts have twice matches twice.",
        ),
        written(
            precision(added_up), brevity_penalty,
            says="You add up the counts of all references. The largest of them is the limit.",
        ),
        written(
            precision(best_reference), brevity_penalty,
            says="You take the one best reference. Each n-gram may find its match in another.",
        ),
        written(
            precision(first_reference), brevity_penalty,
            says="You look at the first reference alone.",
        ),
        written(
            precision(join=mean_of_pairs), brevity_penalty,
            says="You average over pairs. BLEU adds up over the corpus and divides once.",
        ),
        written(
            recall, brevity_penalty,
            says="You divide by the reference's n-grams: that is recall, as in ROUGE.",
        ),
        written(
            by_length, brevity_penalty,
            says="You divide by the number of tokens. Of n-grams there are fewer.",
        ),
        written(
            precision(gram=unordered), brevity_penalty,
            says="Your n-grams have no order.",
        ),
        written(
            precision(gram=apart), brevity_penalty,
            says="Your n-grams don't overlap. One begins at each token.",
        ),
        written(
            precision(gram=cut_short), brevity_penalty,
            says="You miss the last n-gram of each text.",
        ),
        written(
            up_to_n, brevity_penalty,
            says="You combine all lengths up to n. That comes later in BLEU; here n alone.",
        ),
        written(
            clipped_precision, penalty(lambda c, lengths: min(lengths)),
            says="You take the shortest reference. The nearest in length counts.",
        ),
        written(
            clipped_precision, penalty(nearest_or_longer),
            says="Of two references as near you take the longer one. The shorter one counts.",
        ),
        written(
            clipped_precision, mean_of_penalties,
            says="You average penalties. Lengths are added up over the corpus first.",
        ),
        written(
            clipped_precision, penalty(nearest, lambda r, c: math.exp(1 - r / c) if c else 0.0),
            says="You reward candidates that are too long. The penalty is at most 1.",
        ),
        written(
            clipped_precision, penalty(nearest, lambda r, c: min(1.0, c / r) if r else 1.0),
            says="Your penalty is c / r. It falls faster: e to the power 1 - r / c.",
        ),
    ],
    right=[
        written(by_hand, penalty(nearest)),
        written(precision(), brevity_penalty),
    ],
    survivors={"else -0.0": "zero has no sign that matters"},
)  # fmt: skip
