"""01.1: from UTF-8 bytes back to code points."""

from codecs import getincrementaldecoder

from tools.exercises import Check, Exercise, call, edit, written


def code_points(data):
    """The code points of UTF-8 bytes: a list of ints.

    Raises ValueError for what UTF-8 forbids: a byte that is missing or out of place, a longer form
    than needed, a surrogate (D800 to DFFF), a code point above 10FFFF.
    """
    points, i = [], 0
    while i < len(data):
        ones = 8 - (data[i] ^ 0xFF).bit_length()  # with which the first byte begins
        if ones == 1 or ones > 4:
            raise ValueError("such a byte can't begin a character")
        point, n = data[i] & 0x7F >> ones, max(ones, 1)  # its other bits, and how many bytes
        for byte in data[i + 1 : i + n]:
            if byte & 0xC0 != 0x80:
                raise ValueError("such a byte can't continue a character")
            point = point << 6 | byte & 0x3F
        # Also too small where bytes are missing, as too few bits came in.
        if point < (0, 0, 0x80, 0x800, 0x10000)[ones]:
            raise ValueError("a byte is missing, or there are more than needed")
        if 0xD800 <= point < 0xE000 or point > 0x10FFFF:
            raise ValueError("no character has this number")
        points.append(point)
        i += n
    return points


# The inputs that each check draws.

BOUNDS = (0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF)


def drawn_text(draw, lengths, n):
    """n characters, each of one of these lengths in bytes."""
    ranges = {1: (0x20, 0x7E), 2: (0xA1, 0x7FF), 3: (0x3041, 0x9FFF), 4: (0x10000, 0x10FFFF)}
    return "".join(chr(draw.integer(*ranges[draw.choice(lengths)])) for _ in range(n)).encode()


def one_or_two(draw):
    return (
        call(b""),
        call(drawn_text(draw, [1], 6)),
        call("é".encode() + drawn_text(draw, [1, 2], 6)),
    )


def any_length(draw):
    text = "好🙂".encode() + drawn_text(draw, [1, 2, 3, 4], 8)
    return call(text), call("".join(map(chr, draw.shuffled(BOUNDS))).encode())


def refused(*bad):
    """Each of these bytes is refused, alone and in the middle of good ones."""

    def cases(draw):
        good = drawn_text(draw, [1, 3], 2)
        around = good + draw.choice(bad) + good
        return [call(data, raises="ValueError") for data in (*bad, around)]

    return cases


out_of_place = refused(b"\x80", b"\xbf\x80", b"\xc3\xc3", b"\xe5A\x85", b"\xe5\xa5A", b"\xff")
too_short = refused(b"\xc3", b"\xe5\xa5", b"\xf0\x9f\x99", b"\xf0")
too_long = refused(b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xc0\xaf")
no_characters = refused(
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\xbf\x80\x80"
)


# Wrong answers that are no small change of the reference.


def characters(data):
    return list(data.decode())


def all_bytes(data):
    return list(data)


def one_text(data):
    return data.decode()


def replaced(data):
    return [ord(character) for character in data.decode(errors="replace")]


def left_out(data):
    return [ord(character) for character in data.decode(errors="ignore")]


def cut_short(data):
    return [ord(character) for character in getincrementaldecoder("utf-8")().decode(data)]


def unchecked(data):
    points, i = [], 0
    while i < len(data):
        if data[i] < 0x80:
            n, point = 1, data[i]
        elif data[i] < 0xE0:
            n, point = 2, data[i] & 0x1F
        elif data[i] < 0xF0:
            n, point = 3, data[i] & 0x0F
        else:
            n, point = 4, data[i] & 0x07
        for j in range(1, n):
            point = point << 6 | data[i + j] & 0x3F
        points.append(point)
        i += n
    return points


def in_sixteen_bits(data):
    units = data.decode().encode("utf-16-le")
    return [units[i] + 256 * units[i + 1] for i in range(0, len(units), 2)]


# Other right answers.


def pythons_own(data):
    return [ord(character) for character in data.decode("utf-8")]


def by_round_trip(data):
    """Read without care, write again, and compare."""
    points = []
    for byte in data:
        if byte < 0x80:
            points.append(byte)
        elif byte < 0xC0:
            if not points:
                raise ValueError("nothing to go on with")
            points[-1] = points[-1] * 64 + byte - 0x80
        else:
            points.append(byte - (0xC0 if byte < 0xE0 else 0xE0 if byte < 0xF0 else 0xF0))
    try:
        again = "".join(map(chr, points)).encode()
    except OverflowError as error:
        raise ValueError("no code point") from error
    if again != data:
        raise ValueError("not UTF-8")
    return points


EXERCISE = Exercise(
    title="UTF-8, read by hand",
    trains="bits, and refusing what is wrong",
    minutes=25,
    level="medium",
    section="01.3",
    solution=code_points,
    checks=[
        Check(
            "One or two bytes",
            4,
            "A byte below 80 stands for itself. One that begins with bits 110 brings 5 bits, and "
            "the byte after it 6 more. No bytes give an empty list.",
            one_or_two,
        ),
        Check(
            "Any length",
            4,
            "The leading ones of the first byte say how many bytes there are. Check the first and "
            "the last code point of each row of the table in 01.3.",
            any_length,
        ),
        Check(
            "Bytes out of place",
            3,
            "Each byte after the first begins with bits 10, and such a byte never comes first. "
            "Refuse everything else by a ValueError.",
            out_of_place,
        ),
        Check(
            "Bytes missing",
            2,
            "The first byte promises how many follow. Where the data end before, refuse them.",
            too_short,
        ),
        Check(
            "A longer form than needed",
            3,
            "C0 80 would be code point 0, which fits into one byte. From which code point on is "
            "each row of the table needed?",
            too_long,
        ),
        Check(
            "No code points",
            2,
            "The form may be right and the number wrong: the halves of UTF-16's pairs are no "
            "characters, and Unicode ends at 10FFFF.",
            no_characters,
        ),
    ],
    hints=[
        "Which bits of E5 A5 BD, the three bytes of 好, are marks, and which are its code point?",
        "Find n from the first byte, cut off its mark with `&`, then for each of the n - 1 bytes "
        "after it: shift what you have by 6 bits, and add the byte's last 6. Before, check that "
        "they are there and begin with 10; after it, that the number needs n bytes and is allowed.",
        "A byte begins with bits 10 if `byte & 0xC0 == 0x80`. A step is `point = point << 6 | byte "
        "& 0x3F`. The least code points of 2, 3 and 4 bytes are 80, 800 and 10000.",
    ],
    wrong=[
        written(characters, says="You return characters. Return their numbers, as `ord` does."),
        written(one_text, says="You return a text. Return a list of numbers."),
        written(all_bytes, says="You return the bytes. Several of them may make one code point."),
        written(
            unchecked,
            says="You read good bytes well. Now refuse the others: whatever UTF-8 forbids is a "
            "ValueError.",
        ),
        written(
            in_sixteen_bits,
            says="Beyond FFFF you return two numbers, as UTF-16 has them. It is one code point.",
        ),
        written(replaced, says="You put U+FFFD in place of what is wrong. Refuse it."),
        written(left_out, says="You leave out what is wrong. Refuse it, so that nothing is lost."),
        edit(
            "if point < (0, 0, 0x80, 0x800, 0x10000)[ones]",
            "if i + n > len(data)",
            "You accept forms longer than needed, such as C0 80. So one text could be written in "
            "several ways, which has let attackers past filters.",
        ),
        edit(
            "0xD800 <= point < 0xE000 or ",
            "",
            "You accept surrogates, D800 to DFFF. They belong to UTF-16 alone.",
        ),
        edit(" or point > 0x10FFFF", "", "You accept code points above 10FFFF, Unicode's last."),
        edit(
            "if byte & 0xC0 != 0x80",
            "if False",
            "You don't look whether the bytes after the first begin with bits 10.",
        ),
        written(
            cut_short,
            says="You leave out a character whose last bytes are missing. Refuse it.",
        ),
        edit("point << 6", "point << 8", "You shift by 8 bits. A byte after the first brings 6."),
        edit(
            "byte & 0x3F",
            "byte",
            "You don't cut the mark off the bytes after the first: their first two bits are 10.",
        ),
        edit(
            "for byte in data[i + 1 : i + n]:",
            "for byte in reversed(data[i + 1 : i + n]):",
            "You read the bytes of a character in the opposite order. The first is the highest.",
        ),
        edit(
            "ones > 4",
            "ones > 3",
            "You stop at three bytes. Signs such as 🙂 take four.",
        ),
        edit(
            "ones == 1 or ",
            "",
            "You let a byte that begins with bits 10 stand alone. It can only follow another.",
        ),
    ],
    right=[written(pythons_own), written(by_round_trip)],
    survivors={
        "data[i] ^ 254": "only FF has other leading ones then, and it is refused either way",
        "i + ones]": "after a byte that stands alone both slices are empty",
        "(-1, 0, 128": "no number is below 0",
        "(0, 1, 128": "a byte with one leading 1 was refused before",
        "(0, -1, 128": "a byte with one leading 1 was refused before",
        "65536)[n]": "both entries for a byte that stands alone are 0",
    },
)
