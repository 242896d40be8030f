"""01.4: learn merges from the words of a text."""

from collections import Counter
from itertools import pairwise

from tools.exercises import Check, Exercise, call, edit, written


def train(words, n_merges):
    """The pairs that byte-pair encoding merges, in order: a list of at most n_merges tuples.

    words: a dict from each different word, a bytes object, to how often it occurs. Ids 0 to 255 are
    the bytes; merge number n, counted from 0, makes id 256 + n. Of equally frequent pairs the
    smaller one goes first, compared as tuples. Training ends early when no pair is left.
    """
    ids = {word: list(word) for word in words}
    merges = []
    while len(merges) < n_merges:
        counts = Counter()
        for word, n in words.items():
            for pair in pairwise(ids[word]):
                counts[pair] += n
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        for word, before in ids.items():
            after = []
            for token in before:
                if after and (after[-1], token) == best:
                    after[-1] = 256 + len(merges)
                else:
                    after.append(token)
            ids[word] = after
        merges.append(best)
    return merges


def three_letters(draw):
    """Three different letters."""
    return draw.shuffled(b"aehlos")[:3]


def one_merge(draw):
    a, b, c = three_letters(draw)
    return (
        call({bytes([c, a, b]): 1, bytes([a, b, a]): 1}, 1),
        call({bytes([a, c]): 1, bytes([b, c, b, c]): 1, bytes([c, c]): 1}, 1),
    )


def as_often(draw):
    a, b, c = three_letters(draw)
    return (
        call({bytes([a, b, c, b]): 1, bytes([b, c]): 2, bytes([c, a]): 5}, 2),
        call({bytes([a, b]): 3, bytes([b, a, c, b, a]): 2, bytes([c, c]): 7}, 3),
    )


def ties(draw):
    low, middle, high = sorted(three_letters(draw))
    return (
        call({bytes([high, low]): 2, bytes([low, high]): 2, bytes([middle, low]): 2}, 3),
        call({bytes([middle, high, middle, low]): 1, bytes([low, low, low]): 1}, 4),
        call({bytes([high, high, low, low]): 4}, 3),
    )


def on_tokens(draw):
    a, b, c = three_letters(draw)
    return (
        call({bytes([a, b, c] * 3): 3, bytes([a, b]): 4, bytes([c, a]): 1}, 4),
        call({bytes([a, b] * 4): 2, bytes([b, c, b]): 1}, 4),
    )


def runs(draw):
    a, b, _ = three_letters(draw)
    return call({bytes([a] * 7): 2, bytes([b, a, a, a]): 1}, 4), call({bytes([a] * 5): 1}, 3)


def nothing_left(draw):
    a, b, c = three_letters(draw)
    return (
        call({bytes([a, b, c]): 1, bytes([c]): 9}, 50),
        call({bytes([a, b]): 2, b"": 1}, 3),
        call({bytes([a, b]): 2}, 0),
    )


def random_words(draw):
    letters = three_letters(draw)
    words = {}
    for length in draw.sizes(6, low=3, high=9):
        word = bytes(draw.choice(letters) for _ in range(length))
        words[word] = draw.integer(1, 4)
    return call(words, draw.integer(6, 9))


# Wrong answers that are no small change of the reference.


def first_counts_only(words, n_merges):
    counts = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[:n_merges]


def across_words(words, n_merges):
    return train({b"".join(word * n for word, n in words.items()): 1}, n_merges)


def fails_at_the_end(words, n_merges):
    merges = train(words, n_merges)
    if len(merges) < n_merges:
        raise ValueError("min() arg is an empty sequence")
    return merges


def not_once_occurring(words, n_merges):
    """Ends where the best pair occurs once."""
    merges = train(words, n_merges)
    ids = {word: list(word) for word in words}
    for new_id, best in enumerate(merges, start=256):
        counts = Counter(p for word, n in words.items() for p in [*pairwise(ids[word])] * n)
        if counts[best] < 2:
            return merges[: new_id - 256]
        ids = {word: joined(before, best, new_id) for word, before in ids.items()}
    return merges


def joined(before, best, new_id):
    after = []
    for token in before:
        if after and (after[-1], token) == best:
            after[-1] = new_id
        else:
            after.append(token)
    return after


def a_vocabulary_size(words, n_merges):
    return train(words, n_merges - 256)


def as_dictionary(words, n_merges):
    return {pair: n for n, pair in enumerate(train(words, n_merges), start=256)}


def as_bytes(words, n_merges):
    spelled = [bytes([byte]) for byte in range(256)]
    merges = train(words, n_merges)
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    return [(spelled[left], spelled[right]) for left, right in merges]


# Another right answer: words as texts, as gptlib has them, and only words that change recounted.


def on_texts(words, n_merges):
    texts = [(word.decode("latin-1"), n) for word, n in words.items()]
    counts, merges = Counter(), []

    def count(text, n):
        for pair in pairwise(text):
            counts[pair] += n

    for text, n in texts:
        count(text, n)
    while len(merges) < n_merges and (left := {pair for pair, n in counts.items() if n > 0}):
        best = sorted(left, key=lambda pair: (counts[pair], -ord(pair[0]), -ord(pair[1])))[-1]
        for i, (text, n) in enumerate(texts):
            new = text.replace("".join(best), chr(256 + len(merges)))
            if new != text:
                count(text, -n)
                count(new, n)
                texts[i] = new, n
        merges.append((ord(best[0]), ord(best[1])))
    return merges


EXERCISE = Exercise(
    title="Training a tokenizer",
    trains="putting parts together",
    minutes=40,
    level="hard",
    section="01.5",
    solution=train,
    checks=[
        Check(
            "The first merge",
            3,
            "Count all pairs of neighbours, in all words. The most frequent one is merged first; "
            "a pair is a tuple of two numbers.",
            one_merge,
        ),
        Check(
            "Words that occur often",
            3,
            "A word that occurs 7 times counts 7 times, and no pair reaches across two words.",
            as_often,
        ),
        Check(
            "Ties",
            3,
            "Of equally frequent pairs the smaller one goes first: (97, 120) before (98, 97), and "
            "(97, 98) before (97, 120).",
            ties,
        ),
        Check(
            "Merges of merges",
            3,
            "After each merge the words are shorter, and all counts new. The ids that were made "
            "can be merged again; the first of them is 256.",
            on_tokens,
        ),
        Check(
            "Runs",
            2,
            "Counting, neighbours in a run overlap: 1, 1, 1 holds two pairs. Merging, they don't: "
            "from the left, the new id and a 1 that is left over.",
            runs,
        ),
        Check(
            "Nothing left",
            3,
            "When each word is one token there is no pair. Then return what you have; also when no "
            "merge is asked for. A pair that occurs once is still a pair.",
            nothing_left,
        ),
        Check(
            "Random words",
            2,
            "Follow a small example on paper, merge by merge. Where does your code go another way?",
            random_words,
        ),
    ],
    hints=[
        "What must be kept from one merge to the next, and what is counted anew?",
        "Keep a list of ids for each word, `list(word)` at first. Then n_merges times: count pairs "
        "(01.2), choose the best, merge it in every word (01.3), note it down. Your own functions "
        "from above may help, if they have full marks.",
        "`min(counts, key=lambda pair: (-counts[pair], pair))` chooses by count, then by the pair "
        "itself. Merge number n makes the id `256 + len(merges)`. `break` when `counts` is empty.",
    ],
    wrong=[
        written(
            first_counts_only,
            says="You count once, and take the most frequent pairs of that. Merge, then count "
            "again: other pairs have gone or come.",
        ),
        written(
            across_words,
            says="Your pairs reach across words. Keep the words apart.",
        ),
        edit(
            "counts[pair] += n",
            "counts[pair] += 1",
            "You count each different word once. It counts as often as it occurs.",
        ),
        edit(
            "(-counts[pair], pair)",
            "-counts[pair]",
            "Of equally frequent pairs you take the one met first. Take the smaller one.",
        ),
        edit(
            "min(counts, key=lambda pair: (-counts[pair], pair))",
            "max(counts, key=lambda pair: (counts[pair], pair))",
            "Of equally frequent pairs you take the larger one. Take the smaller one.",
        ),
        edit(
            "(-counts[pair], pair)",
            "(counts[pair], pair)",
            "You merge the rarest pair. Merge the most frequent.",
        ),
        edit(
            "(-counts[pair], pair)",
            "(-counts[pair], pair[::-1])",
            "Among equally frequent pairs you compare the right ids first. Compare the left ones.",
        ),
        edit(
            "256 + len(merges)",
            "257 + len(merges)",
            "Your first new id is 257. The bytes are 0 to 255, so it is 256.",
        ),
        edit(
            "256 + len(merges)",
            "256",
            "All your new ids are 256. Each merge makes one of its own.",
        ),
        edit(
            "after and (after[-1], token) == best",
            "after and (after[-1], token) == best and 256 + len(merges) not in after",
            "You merge the first occurrence in a word only. Go on to its end.",
        ),
        edit(
            "for token in before:",
            "for token in before[:-1]:",
            "Merging, you lose the last id of each word.",
        ),
        edit(
            "while len(merges) < n_merges:",
            "while len(merges) < n_merges - 1:",
            "You stop one merge too early.",
        ),
        written(
            fails_at_the_end,
            says="Right, until no pair is left: then you look for the best of nothing.",
        ),
        written(
            not_once_occurring,
            says="You stop when the best pair occurs once. Go on until no pair is left.",
        ),
        written(
            a_vocabulary_size,
            says="You take `n_merges` for the size of the vocabulary. The bytes don't count.",
        ),
        written(as_dictionary, says="You return a dictionary. Return the pairs alone, in a list."),
        written(as_bytes, says="You return pairs of bytes. Return pairs of ids."),
    ],
    right=[written(on_texts)],
)
