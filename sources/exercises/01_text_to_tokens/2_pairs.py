"""01.2: how often each pair of neighbours occurs."""

from collections import Counter
from itertools import combinations, pairwise

from tools.exercises import Check, Exercise, call, edit, written


def count_pairs(words):
    """How often each pair of neighbours occurs: a dict from (left, right) to a count.

    words: a dict from each different word, a tuple of ids, to how often it occurs.
    """
    counts = {}
    for word, n in words.items():
        for i in range(len(word) - 1):
            pair = (word[i], word[i + 1])
            counts[pair] = counts.get(pair, 0) + n
    return counts


def drawn_word(draw, length):
    """A word of three different ids, which it uses many times."""
    return tuple(draw.choice([101, 32, 300]) for _ in range(length))


def one_word(draw):
    ids = draw.shuffled([7, 32, 101, 256, 300, 4095])
    return call({(*ids, ids[1], ids[0]): 1}), call({tuple(ids): 1})


def repeated(draw):
    a, b = draw.shuffled([97, 98])
    return [call({(a,) * n: 1}) for n in (3, draw.integer(4, 6))], call({(a, b) * 3 + (b, b): 1})


def runs(draw):
    first, second = repeated(draw)
    return [*first, second]


def several_words(draw):
    words = {drawn_word(draw, length): 1 for length in draw.sizes(4, high=7)}
    return call(words), call({(1, 2): 1, (3, 1): 1, (2, 1, 2): 1})


def often(draw):
    words = {drawn_word(draw, n): draw.integer(2, 90) for n in draw.sizes(4, high=7)}
    return call(words), call({(5, 6, 5, 6): 3, (6, 5): 10, (5, 6): 1000})


def short(draw):
    a, b = draw.sizes(2, high=9)
    return call({(): 1, (a,): 1, (a, b): 1}), call({(a,): 1, (b, b): 1})


def once_for_each_word(words):
    return count_pairs(dict.fromkeys(words, 1))


def across_words(words):
    text = [token for word, n in words.items() for token in word * n]
    return Counter(pairwise(text))


def every_second(words):
    counts = Counter()
    for word, n in words.items():
        for pair in zip(word[::2], word[1::2], strict=False):
            counts[pair] += n
    return counts


def without_overlap(words):
    counts = Counter()
    for word, n in words.items():
        for pair in set(pairwise(word)):
            i = 0
            while i < len(word) - 1:
                found = word[i : i + 2] == pair
                counts[pair] += n * found
                i += 2 if found else 1
    return counts


def in_either_order(words):
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[min(pair), max(pair)] += n
    return counts


def once_in_a_word(words):
    counts = Counter()
    for word, n in words.items():
        for pair in set(pairwise(word)):
            counts[pair] += n
    return counts


def round_the_end(words):
    counts = Counter(count_pairs(words))
    for word, n in words.items():
        if word:
            counts[word[-1], word[0]] += n
    return counts


def single_ids(words):
    counts = Counter()
    for word, n in words.items():
        for token in word:
            counts[token] += n
    return counts


def at_any_distance(words):
    counts = Counter()
    for word, n in words.items():
        for pair in combinations(word, 2):
            counts[pair] += n
    return counts


def as_a_list(words):
    return Counter(count_pairs(words)).most_common()


def by_counter(words):
    counts = Counter()
    for word, n in words.items():
        counts.update({pair: n * k for pair, k in Counter(pairwise(word)).items()})
    return counts


def one_by_one(words):
    text = [word for word, n in words.items() for _ in range(n)]
    return dict(Counter(word[i : i + 2] for word in text for i in range(len(word) - 1)))


EXERCISE = Exercise(
    title="Counting pairs",
    trains="dictionaries",
    minutes=10,
    level="easy",
    section="01.5",
    solution=count_pairs,
    checks=[
        Check(
            "One word",
            3,
            "A word of five ids has four pairs of neighbours. Left and right are kept apart, so "
            "(1, 2) and (2, 1) are two pairs.",
            one_word,
        ),
        Check(
            "Repetitions",
            3,
            "A pair may occur several times in one word, and in a run such as 1, 1, 1 pairs "
            "overlap: it holds two.",
            runs,
        ),
        Check(
            "Several words",
            2,
            "Counts add up over words, but no pair reaches from one word into the next.",
            several_words,
        ),
        Check(
            "Words that occur often",
            3,
            "A word that occurs 10 times counts 10 times, though it stands in `words` once.",
            often,
        ),
        Check("Short words", 1, "A word of one id, or none, has no pairs.", short),
    ],
    hints=[
        "Which pairs has the word (7, 8, 8, 8)? And how often does each occur if the word does "
        "5 times?",
        "Two loops: over words and their numbers, and over the neighbours in a word. "
        "`itertools.pairwise(word)` gives these. Each adds the number of the word, not 1.",
        "`counts[pair] = counts.get(pair, 0) + n`, or a `Counter` with `counts[pair] += n`.",
    ],
    wrong=[
        written(
            once_for_each_word,
            says="You count each different word once. It counts as often as it occurs.",
        ),
        written(
            across_words,
            says="Your pairs reach across words: the last id of one and the first of the next.",
        ),
        written(every_second, says="You take every second pair. Neighbours overlap: 1-2, 2-3, ..."),
        written(
            without_overlap,
            says="In a run such as 1, 1, 1 your pairs don't overlap. All neighbours count.",
        ),
        written(in_either_order, says="You mix up (1, 2) and (2, 1). Left and right matter."),
        written(once_in_a_word, says="You count a pair once in a word, however often it is there."),
        written(round_the_end, says="You take the last and the first id of a word for neighbours."),
        written(single_ids, says="You count single ids. Count pairs of neighbours."),
        written(at_any_distance, says="You count all pairs in a word. Only neighbours count."),
        written(as_a_list, says="Right, but as a list of items. Return a dictionary."),
        edit("len(word) - 1", "len(word) - 2", "You miss the last pair of each word."),
        edit(
            "counts.get(pair, 0) + n",
            "n",
            "You overwrite a pair's count when you meet it again. Add to it.",
        ),
        edit("counts.get(pair, 0) + n", "counts.get(pair, 1) + n", "You begin to count at 1."),
        edit(
            "pair = (word[i], word[i + 1])",
            "pair = (word[i + 1], word[i])",
            "Your pairs are (right, left). The one that comes first is the left one.",
        ),
    ],
    right=[written(by_counter), written(one_by_one)],
)
