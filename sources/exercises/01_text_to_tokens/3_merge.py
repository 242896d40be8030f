"""01.3: make one new id of each occurrence of a pair."""

from itertools import pairwise

from tools.exercises import Check, Exercise, call, edit, written


def merge(ids, pair, new_id):
    """`ids`, a list, with `new_id` in place of each occurrence of `pair`, a tuple of two ids.

    From left to right: an id that was used up by one occurrence is not used by the next.
    """
    out, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new_id)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def apart(draw):
    a, b, c = draw.shuffled([101, 32, 300])
    new = draw.integer(500, 600)
    return call([c, a, b, c, c, a, b], (a, b), new), call([a, b, c, b, a], (a, b), new)


def not_there(draw):
    a, b, c = draw.shuffled([101, 32, 300])
    return call([b, a, c, a, c, b], (a, b), 400), call([a], (a, b), 400), call([], (a, b), 400)


def runs(draw):
    a, b = draw.shuffled([7, 8])
    lengths = (2, 3, draw.choice([4, 6]), draw.choice([5, 7]))
    cases = [call([a] * n, (a, a), 256) for n in lengths]
    return *cases, call([a, a, b, a, a, a, b], (a, a), 256)


def close(draw):
    a, b = draw.shuffled([20, 30])
    new = draw.integer(256, 300)
    return (
        call([a, a, b, b, a, b, a, b, a], (a, b), new),
        call([new, a, b, new, b, a, new], (a, new), new + 1),
        call([a, b, a, new, b, a, b], (a, b), new),
    )


def look_alikes(draw):
    a, b = draw.sizes(2, low=1, high=9)
    long = 10 * draw.integer(1, 9)
    return call([long + a, b, a, b, a, 10 * b + 1, a, b + 300], (a, b), 256)


def from_the_right(ids, pair, new_id):
    return merge(ids[::-1], pair[::-1], new_id)[::-1]


def first_only(ids, pair, new_id):
    for i, here in enumerate(pairwise(ids)):
        if here == pair:
            return [*ids[:i], new_id, *ids[i + 2 :]]
    return ids


def in_either_order(ids, pair, new_id):
    out, i = [], 0
    while i < len(ids):
        found = i + 1 < len(ids) and sorted(ids[i : i + 2]) == sorted(pair)
        out.append(new_id if found else ids[i])
        i += 2 if found else 1
    return out


def in_its_text(ids, pair, new_id):
    text = " ".join(map(str, ids)).replace(f"{pair[0]} {pair[1]}", str(new_id))
    return [int(number) for number in text.split()]


def loses_the_end(ids, pair, new_id):
    out, i = [], 0
    while i < len(ids) - 1:
        found = tuple(ids[i : i + 2]) == pair
        out.append(new_id if found else ids[i])
        i += 2 if found else 1
    return out


def each_of_the_two(ids, pair, new_id):
    return [new_id if token in pair else token for token in ids]


def as_a_tuple_of_text(ids, pair, new_id):
    return "".join(map(chr, merge(ids, pair, new_id)))


def by_looking_back(ids, pair, new_id):
    out, fresh = [], False
    for token in ids:
        if out and not fresh and (out[-1], token) == pair:
            out[-1], fresh = new_id, True
        else:
            out.append(token)
            fresh = False
    return out


def by_replacing_text(ids, pair, new_id):
    return [*map(ord, "".join(map(chr, ids)).replace("".join(map(chr, pair)), chr(new_id)))]


def in_a_copy(ids, pair, new_id):
    ids, i = list(ids), 0
    while i < len(ids) - 1:
        if (ids[i], ids[i + 1]) == tuple(pair):
            ids[i : i + 2] = [new_id]
        i += 1
    return ids


EXERCISE = Exercise(
    title="Merging a pair",
    trains="edge cases",
    minutes=15,
    level="easy",
    section="01.5",
    solution=merge,
    checks=[
        Check(
            "Here and there",
            4,
            "Every occurrence of the pair becomes the new id, also at the beginning and at the "
            "end. All other ids stay, in their order.",
            apart,
        ),
        Check(
            "Not there",
            3,
            "Where the pair does not occur nothing changes. (2, 1) is not (1, 2), and a list of "
            "one id, or none, has no pair.",
            not_there,
        ),
        Check(
            "Runs",
            4,
            "In 1, 1, 1 the pair (1, 1) stands twice, but the id in the middle can be used once "
            "only. From the left: first the new id, then what is left over.",
            runs,
        ),
        Check(
            "Close together",
            2,
            "After an occurrence go on with the id behind it. The new id does not join a merge of "
            "the same call.",
            close,
        ),
        Check(
            "Look-alikes",
            1,
            "Compare ids as whole numbers: 11, 2 is not 1, 2.",
            look_alikes,
        ),
    ],
    hints=[
        "You stand at place i and the pair is there. Where do you go on? And if it is not there?",
        "A `while` loop over i suits better than `for`, as the step is 2 after an occurrence and 1 "
        "otherwise. Mind the last id: it has no right neighbour.",
        "`tuple(ids[i : i + 2]) == pair` is also safe at the end, where the slice is shorter.",
    ],
    wrong=[
        written(from_the_right, says="You merge from the right: of 1, 1, 1 take the first two."),
        written(first_only, says="You merge the first occurrence only. Go on to the end."),
        written(
            in_either_order, says="You merge the pair in either order. (2, 1) is another pair."
        ),
        written(
            in_its_text,
            says="You replace in the text of the numbers: 11 2 contains 1 2. Compare whole ids.",
        ),
        written(
            loses_the_end, says="You lose the last id: it has no right neighbour, yet it stays."
        ),
        written(each_of_the_two, says="You replace both ids wherever they stand. Only together!"),
        written(
            as_a_tuple_of_text, says="You return a text. Return a list of numbers, as you got one."
        ),
        edit(
            "i += 2",
            "i += 1",
            "After an occurrence you step one place on, so its right id stays or is used twice. "
            "In a `for` loop a change of i is forgotten.",
        ),
        edit("i += 2", "i += 3", "After an occurrence you skip an id that was not part of it."),
        edit(
            "            i += 2",
            "            out.append(ids[i + 1])\n            i += 2",
            "You keep the right id behind the new one. Both are replaced.",
        ),
        edit(
            "out.append(new_id)",
            "pass",
            "The pair goes, but the new id does not take its place.",
        ),
        edit(
            "out.append(new_id)",
            "out.extend([*pair, new_id])",
            "You put the new id behind the pair. It takes the pair's place.",
        ),
        edit(
            "tuple(ids[i : i + 2]) == pair",
            "ids[i : i + 2] == pair",
            "Nothing is ever merged: a list never equals a tuple. Turn one into the other.",
        ),
        edit(
            "out.append(ids[i])",
            "pass",
            "You keep the new ids alone. All other ids stay, too.",
        ),
    ],
    right=[written(by_looking_back), written(by_replacing_text), written(in_a_copy)],
)
