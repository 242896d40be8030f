"""09.1: is an answer right? Exact match and F1, as SQuAD has them."""

import re
import string
from collections import Counter

import torch

from tools.exercises import Check, Exercise, call, written


def normalise(text):
    """A text in lower case, without punctuation and articles, one blank between words.

    Punctuation is string.punctuation, and goes without leaving a blank. Articles are a, an, the.
    """
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(word for word in kept.split() if word not in {"a", "an", "the"})


def score(answer, truths):
    """Exact match (1 or 0) and F1 of an answer: of each, the best over all true answers.

    Both are taken of normalised texts. F1 is the harmonic mean of precision and recall of words,
    where a word counts as often as it stands in both texts. If either text has no word left, F1 is
    the exact match. An empty true answer says that the question has none.
    """
    scores = []
    guess = normalise(answer).split()
    for truth in truths:
        words = normalise(truth).split()
        common = (Counter(guess) & Counter(words)).total()
        both = len(guess) + len(words)
        scores.append((int(guess == words), 2 * common / both if both else 1.0))
    return max(exact for exact, _ in scores), max(f1 for _, f1 in scores)


# The inputs that each check draws.

NAMES = ("Tom", "Lily", "Ben", "Mia", "Sam")
THINGS = ("red ball", "old boat", "green kite", "tiny drum", "blue cup")


def to(name, *cases):
    return [call(*case, to=name) for case in cases]


def plain(draw):
    name, thing = draw.choice(NAMES), draw.choice(THINGS)
    return to(
        "normalise",
        (f"The {thing}!",),
        (f"  {name}'s  {thing},\nan anthem",),
        (f"a-b {name} (well-known) THE theatre A.",),
        ("The, a: an?",),
    )


def exact(draw):
    name, other = draw.shuffled(NAMES)[:2]
    thing = draw.choice(THINGS)
    return to(
        "score",
        (f"{name}.", [name.lower()]),
        (f"the {thing}", [f"The {thing.title()}!"]),
        (other, [name]),
        (" ".join(reversed(thing.split())), [thing]),
    )


def partly(draw):
    name, thing = draw.choice(NAMES), draw.choice(THINGS)
    return to(
        "score",
        (f"{name} has the {thing}", [thing]),
        (thing.split()[0], [f"a {thing} of {name}"]),
        (f"{name} and {thing}", [f"{thing} with {name}s"]),
    )


def repeated(draw):
    a, b, c = draw.shuffled(NAMES)[:3]
    return to(
        "score",
        (f"{a} {a} {a}", [f"{a} {b}"]),
        (f"{a} {b} {a} {c}", [f"{a} {a} {b}"]),
        (f"{b} {a}", [f"{a} {a} {b} {b}"]),
    )


def several(draw):
    a, b, c = draw.shuffled(NAMES)[:3]
    thing = draw.choice(THINGS)
    return to(
        "score",
        (f"{a} {b}", [c, f"{a} {b} {c}", f"the {a}, {b}"]),
        (f"{a} in {thing}", [f"{b} in {c}", f"{thing}", f"{c}"]),
        (c, [f"{a}", f"{a} {c} {b}"]),
        (f"{b} {a}", [f"{b} {a}", c, f"{a} {c}"]),
    )


def unanswerable(draw):
    name = draw.choice(NAMES)
    return to("score", ("", [""]), ("the", [""]), (name, [""]), ("", [name, f"{name} b"]))


def variant(normal=normalise, **how):
    """Both functions, with another normalisation or changed in one place."""

    def changed(answer, truths):
        return scored(answer, truths, normal, **how)

    return normalise if how else normal, changed


def overlap_f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def scored(answer, truths, normal, mean=overlap_f1, best=max, sets=False, raw=False, bag=False,
           nothing=None):  # fmt: skip
    guess = normal(answer).split()
    exacts, f1s = [], []
    for truth in truths:
        words = normal(truth).split()
        same = int(answer == truth if raw else guess == words)
        if bag:
            same = int(sorted(guess) == sorted(words))
        a, b = (set(guess), set(words)) if sets else (guess, words)
        common = (Counter(a) & Counter(b)).total()
        exacts.append(same)
        if guess and words:
            f1s.append(mean(common / len(a), common / len(b)))
        else:
            f1s.append(float(guess == words) if nothing is None else nothing)
    return best(exacts), best(f1s)


def average(values):
    return sum(values) / len(values)


def first(values):
    return values[0]


def cased(text):
    kept = "".join(c for c in text if c not in string.punctuation)
    return " ".join(word for word in kept.split() if word not in ("a", "an", "the"))


def with_articles(text):
    return " ".join("".join(c for c in text.lower() if c not in string.punctuation).split())


def blanks_for_marks(text):
    kept = "".join(" " if c in string.punctuation else c for c in text.lower())
    return " ".join(word for word in kept.split() if word not in ("a", "an", "the"))


def marks_stay(text):
    return " ".join(word for word in text.lower().split() if word not in ("a", "an", "the"))


def articles_anywhere(text):
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    for article in ("the", "an", "a"):
        kept = kept.replace(article, "")
    return " ".join(kept.split())


def articles_first(text):
    kept = " ".join(word for word in text.lower().split() if word not in ("a", "an", "the"))
    return " ".join("".join(c for c in kept if c not in string.punctuation).split())


def swapped(answer, truths):
    return score(answer, truths)[::-1]


def by_pattern(text):
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


EXERCISE = Exercise(
    title="Exact match and F1",
    trains="counting words, edge cases",
    minutes=25,
    level="medium",
    section="09.3",
    solution=(normalise, score),
    dtypes=(torch.float32,),
    checks=[
        Check(
            "Normalising",
            4,
            "First lower case, then punctuation away, then articles, then blanks. 'well-known' "
            "becomes one word, and 'anthem' is not an article.",
            plain,
        ),
        Check(
            "Exact match",
            3,
            "Two texts match if they are the same after normalising, word by word, in this order.",
            exact,
        ),
        Check(
            "Partly right",
            3,
            "Precision is the share of the answer's words that are right, recall the share of the "
            "true words that were found.",
            partly,
        ),
        Check(
            "Words said again",
            2,
            "A word that is said three times and is true once is right once.",
            repeated,
        ),
        Check(
            "Several true answers",
            2,
            "People answer in different words, and one agreement is enough: the best counts.",
            several,
        ),
        Check(
            "Questions without an answer",
            3,
            "There saying nothing is right, and anything else is wrong. No word is left of 'the'.",
            unanswerable,
        ),
    ],
    hints=[
        "The answer is 'red red ball', the truth 'the red ball'. How many words of the answer are "
        "right? And how many of the truth were found?",
        "Write `normalise` in four steps. In `score`, count the words of both texts with a "
        "`Counter`; `&` of two keeps the smaller count of each. Compute both scores for each true "
        "answer and take the best of each.",
        "`common = (Counter(guess) & Counter(words)).total()`; precision is common / len(guess), "
        "recall common / len(words), F1 2 P R / (P + R). Where one of them has no words: "
        "`int(guess == words)`.",
    ],
    wrong=[
        written(*variant(cased), says="Your normalising keeps capitals."),
        written(*variant(with_articles), says="Your normalising keeps articles."),
        written(
            *variant(blanks_for_marks),
            says="You put a blank for each mark, so that 'well-known' becomes two words.",
        ),
        written(*variant(marks_stay), says="Your normalising keeps punctuation."),
        written(
            *variant(articles_anywhere),
            says="You cut articles out of words: 'anthem' lost its beginning.",
        ),
        written(
            *variant(articles_first),
            says="You look for articles before punctuation is gone, and miss the one in 'A.'",
        ),
        written(
            *variant(sets=True),
            says="You count different words. A word counts as often as it stands in both.",
        ),
        written(
            *variant(mean=lambda precision, recall: precision),
            says="Your F1 is the precision alone: long answers lose, however much they found.",
        ),
        written(
            *variant(mean=lambda precision, recall: recall),
            says="Your F1 is the recall alone: who says everything gets full marks.",
        ),
        written(
            *variant(mean=lambda precision, recall: (precision + recall) / 2),
            says="Your F1 is the plain mean of precision and recall. It is their harmonic mean.",
        ),
        written(
            *variant(best=average),
            says="You average over the true answers. One agreement is enough: take the best.",
        ),
        written(*variant(best=first), says="You look at the first true answer alone."),
        written(*variant(raw=True), says="Your exact match compares the texts as they are."),
        written(
            *variant(bag=True),
            says="Your exact match takes words in any order. F1 does that, exact match doesn't.",
        ),
        written(
            *variant(nothing=0.0),
            says="Where nothing is the right answer, saying nothing has an F1 of 1.",
        ),
        written(normalise, swapped, says="The two are swapped: exact match comes first."),
    ],
    right=[written(*variant()), written(*variant(by_pattern))],
    survivors={"rsplit()": "without a limit both sides give the same"},
)
