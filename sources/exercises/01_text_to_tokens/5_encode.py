"""01.5: use merges that were learned: from bytes to ids, and back."""

from itertools import pairwise

from tools.exercises import Check, Exercise, call, edit, written


def encode(word, merges):
    """The ids of a word, a bytes object: a list of ints.

    merges: pairs of ids in the order they were learned. Ids 0 to 255 are the bytes; merge number n,
    counted from 0, makes id 256 + n. Of all pairs in the word the one learned first is merged
    first, wherever it stands.
    """
    ids = list(word)
    for new_id, pair in enumerate(merges, start=256):
        before, ids = ids, []
        for token in before:
            if ids and (ids[-1], token) == pair:
                ids[-1] = new_id
            else:
                ids.append(token)
    return ids


def decode(ids, merges):
    """The bytes that ids stand for: one bytes object."""
    spelled = [bytes([byte]) for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    return b"".join(spelled[token] for token in ids)


def three_letters(draw):
    """Three different letters."""
    return draw.shuffled(b"aehlos")[:3]


def one_merge(draw):
    a, b, c = three_letters(draw)
    word = bytes([a, b, c, a, b, b, a])
    return (
        call(word, [(a, b)], to="encode"),
        call(word, [(a, c)], to="encode"),
        call(bytes([c]) * 5, [(c, c)], to="encode"),
        call(b"", [(a, b)], to="encode"),
        call(word, [], to="encode"),
    )


def built_up(draw):
    a, b, c = three_letters(draw)
    merges = [(a, b), (256, c), (257, 257), (c, 258)]
    words = bytes([a, b, c] * 5), bytes([b, c, a, b, c, a, b, c, a, b]), bytes([a, b, a, c])
    return [call(word, merges, to="encode") for word in words]


def by_rank(draw):
    a, b, c = three_letters(draw)
    right_first = [(b, c), (a, b), (257, c), (c, a)]
    return (
        call(bytes([a, b, c]), right_first, to="encode"),
        call(bytes([a, b, a, b, c, a, b]), right_first, to="encode"),
        call(bytes([a, b, c]), [(a, b), (b, c), (a, 257)], to="encode"),
        call(bytes([a, b, b, c, c, a, b, c]), right_first, to="encode"),
        call(bytes([a, a, b, a, b, c]), [(b, a), (a, a), (a, b), (257, 256)], to="encode"),
    )


def random_words(draw):
    letters = three_letters(draw)
    merges = []
    while len(merges) < 7:
        known = [*letters, *range(256, 256 + len(merges))]
        pair = draw.choice(known), draw.choice(known)
        if pair not in merges:
            merges.append(pair)
    words = [bytes(draw.choice(letters) for _ in range(n)) for n in draw.sizes(3, low=5, high=9)]
    return [call(word, merges, to="encode") for word in words]


def back(draw):
    a, b, c = three_letters(draw)
    merges = [(a, b), (256, c), (257, 256), (c, 258)]
    ids = draw.shuffled([a, 255, 0, 256, 257, 258, 259])
    return call(ids, merges, to="decode"), call([], merges, to="decode"), call([c], [], to="decode")


def cut_characters(draw):
    word = draw.choice(["é", "ß"]).encode() + draw.choice(["好", "久"]).encode()
    merges = [(word[1], word[2]), (word[3], word[4])]
    cut = [[256], [word[0], 256], [257, 256]]
    return [call(ids, merges, to="decode") for ids in cut]


# Wrong answers that are no small change of the reference.


def leftmost_first(word, merges):
    ids = list(word)
    i = 0
    while i < len(ids) - 1:
        pair = (ids[i], ids[i + 1])
        if pair in merges:
            ids[i : i + 2] = [256 + merges.index(pair)]
            i = max(i - 1, 0)
        else:
            i += 1
    return ids


def longest_first(word, merges):
    every = [bytes([byte]) for byte in range(256)]
    for left, right in merges:
        every.append(every[left] + every[right])
    spelled = {token: n for n, token in reversed([*enumerate(every)])}
    ids = []
    while word:
        end = next(n for n in range(len(word), 0, -1) if word[:n] in spelled)
        ids.append(spelled[word[:end]])
        word = word[end:]
    return ids


def last_first(word, merges):
    ids = list(word)
    while known := [pair for pair in pairwise(ids) if pair in merges]:
        n = max(map(merges.index, known))
        ids = merged(ids, merges[n], 256 + n)
    return ids


def merged(before, pair, new_id):
    ids = []
    for token in before:
        if ids and (ids[-1], token) == pair:
            ids[-1] = new_id
        else:
            ids.append(token)
    return ids


def merged_once(word, merges):
    ids = list(word)
    for new_id, pair in enumerate(merges, start=256):
        for i, here in enumerate(pairwise(ids)):
            if here == pair:
                ids[i : i + 2] = [new_id]
                break
    return ids


def from_the_right(word, merges):
    ids = list(word)
    for new_id, (left, right) in enumerate(merges, start=256):
        ids = merged(ids[::-1], (right, left), new_id)[::-1]
    return ids


def bytes_alone(word, merges):
    return encode(word, [pair if max(pair) < 256 else (-1, -1) for pair in merges])


def as_pieces(word, merges):
    return [decode([token], merges) for token in encode(word, merges)]


def ranks(word, merges):
    return [token - 256 if token > 255 else token for token in encode(word, merges)]


def one_level(ids, merges):
    parts = [merges[token - 256] if token > 255 else (token,) for token in ids]
    return bytes(min(byte, 255) for part in parts for byte in part)


def as_text(ids, merges):
    return decode(ids, merges).decode(errors="replace")


def without_cut_characters(ids, merges):
    return decode(ids, merges).decode(errors="ignore").encode()


def with_signs(ids, merges):
    return decode(ids, merges).decode(errors="replace").encode()


def as_a_list(ids, merges):
    return [decode([token], merges) for token in ids]


# Other right answers.


def lowest_rank_again(word, merges):
    rank = {pair: n for n, pair in enumerate(merges)}
    ids = list(word)
    while pairs := [pair for pair in pairwise(ids) if pair in rank]:
        best = min(pairs, key=rank.get)
        ids = merged(ids, best, 256 + rank[best])
    return ids


def one_at_a_time(word, merges):
    ids = list(word)
    while True:
        places = [(merges.index(p), i) for i, p in enumerate(pairwise(ids)) if p in merges]
        if not places:
            return ids
        n, i = min(places)
        ids[i : i + 2] = [256 + n]


def by_unfolding(ids, merges):
    out, left = [], list(ids)
    while left:
        token = left.pop(0)
        if token < 256:
            out.append(token)
        else:
            left = [*merges[token - 256], *left]
    return bytes(out)


def by_recursion(ids, merges):
    return b"".join(
        bytes([token]) if token < 256 else by_recursion(merges[token - 256], merges)
        for token in ids
    )


EXERCISE = Exercise(
    title="Encoding by rank, and decoding",
    trains="equality of algorithms",
    minutes=30,
    level="medium",
    section="01.6",
    solution=(encode, decode),
    checks=[
        Check(
            "A single merge",
            4,
            "Begin with the bytes of the word as numbers. Every occurrence of the pair becomes "
            "256, from left to right; where there is none, nothing changes.",
            one_merge,
        ),
        Check(
            "Merges of merges",
            4,
            "The ids that a merge makes can be part of later pairs. Merge number 1 makes 257.",
            built_up,
        ),
        Check(
            "By rank, not from the left",
            4,
            "With b + c learned before a + b, the word abc has the tokens a and bc. Which pair is "
            "merged first, when several could be?",
            by_rank,
        ),
        Check(
            "Random words",
            2,
            "Merges may come from anywhere. Follow a small example on paper: after each merge, all "
            "pairs of the word are looked at again.",
            random_words,
        ),
        Check(
            "Back again",
            3,
            "A token's bytes are those of its left part, then those of its right part. Parts may "
            "be merges themselves; no ids are no bytes.",
            back,
        ),
        Check(
            "Characters cut apart",
            2,
            "A token may end in the middle of a character. Its bytes are returned as they are.",
            cut_characters,
        ),
    ],
    hints=[
        "Training merged the first pair in all words, then the second, and so on. What would it "
        "have done with this word?",
        "Go through the merges in order, and apply each to the whole word. Or look for the pair "
        "of lowest rank again and again: both give the same. For decoding, spell out each token "
        "once: 256 bytes first, then each merge from two that are spelled already.",
        "`for new_id, pair in enumerate(merges, start=256)` is the loop of encoding. Of decoding: "
        "`spelled.append(spelled[left] + spelled[right])` for each merge.",
    ],
    wrong=[
        written(
            leftmost_first,
            decode,
            says="You merge whatever pair comes first from the left. Take the one learned first.",
        ),
        written(
            longest_first,
            decode,
            says="You take the longest token that fits, from the left. 01.6 shows the difference.",
        ),
        written(
            last_first,
            decode,
            says="Of several pairs you merge the one learned last. Take the one learned first.",
        ),
        written(
            merged_once,
            decode,
            says="You apply each merge at one place only. Merge all its occurrences.",
        ),
        written(
            from_the_right,
            decode,
            says="In runs you merge from the right. Go from left to right.",
        ),
        written(
            bytes_alone,
            decode,
            says="You merge bytes only. The new ids can be merged again.",
        ),
        written(as_pieces, decode, says="Encoding, you return pieces of bytes. Return their ids."),
        written(ranks, decode, says="You return ranks. The id of merge number n is 256 + n."),
        edit(
            "start=256",
            "start=257",
            "Your first new id is 257. The bytes are 0 to 255, so it is 256.",
        ),
        edit(
            "start=256",
            "start=0",
            "You give merge number n the id n, which is a byte's. Its id is 256 + n.",
        ),
        edit("return ids", "return list(word)", "You return the bytes as they were."),
        edit(
            "spelled[left] + spelled[right]",
            "spelled[right] + spelled[left]",
            "Decoding, you put the right part of a pair before the left one.",
        ),
        written(
            encode,
            one_level,
            says="Decoding, you undo one merge only. Its parts may be merges themselves.",
        ),
        written(encode, as_text, says="Decoding, you return a text. Return bytes."),
        written(
            encode,
            without_cut_characters,
            says="Decoding, you leave out bytes that are no whole character. Keep them.",
        ),
        written(
            encode,
            with_signs,
            says="Decoding, you put U+FFFD in place of bytes that are no whole character. Keep "
            "them.",
        ),
        written(encode, as_a_list, says="Decoding, you return a list. Join it to one object."),
    ],
    right=[written(lowest_rank_again, by_unfolding), written(one_at_a_time, by_recursion)],
)
