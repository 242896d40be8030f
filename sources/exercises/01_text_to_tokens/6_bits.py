"""01.6: a loss that can be compared across vocabularies."""

import math

from tools.exercises import Check, Exercise, call, edit, written


def bits_per_byte(parts):
    """What a model needs to write one byte of a text, in bits; a float.

    parts: for each document (loss, n_tokens, text): the mean loss in nats per token, how many
    tokens that is the mean of, and the text itself.
    """
    nats = sum(loss * n_tokens for loss, n_tokens, _ in parts)
    n_bytes = sum(len(text.encode()) for _, _, text in parts)
    return nats / math.log(2) / n_bytes


def drawn_text(draw, characters):
    """A text of 20 to 40 of these characters."""
    return "".join(draw.choice(characters) for _ in range(draw.integer(20, 40)))


def document(draw, characters):
    """A loss on a grid, fewer tokens than characters, and a text."""
    return draw.integer(20, 60) / 16, draw.integer(5, 15), drawn_text(draw, characters)


def ascii_text(draw):
    return call([document(draw, "abc de.")]), call([document(draw, "Once upon a time\n")])


def other_languages(draw):
    return call([document(draw, "好久不见")]), call([document(draw, "Zoë à 🙂")])


def several(draw):
    kinds = draw.shuffled(["abc de.", "naïve ", "好a "])
    parts = [document(draw, kind) for kind in kinds]
    long = (draw.integer(70, 90) / 16, 100, drawn_text(draw, "the cat") * 10)
    return call([*parts, long]), call([*parts[:2], (0.0, 3, "abc")])


def mean_of_documents(parts):
    each = [loss * n / math.log(2) / len(text.encode()) for loss, n, text in parts]
    return sum(each) / len(each)


def mean_of_losses(parts):
    n_bytes = sum(len(text.encode()) for _, _, text in parts)
    mean = sum(loss for loss, _, _ in parts) / len(parts)
    return mean / math.log(2) * sum(n for _, n, _ in parts) / n_bytes


def turned_round(parts):
    n_bytes = sum(len(text.encode()) for _, _, text in parts)
    n_tokens = sum(n for _, n, _ in parts)
    nats = sum(loss * n for loss, n, _ in parts)
    return nats / n_tokens / math.log(2) * n_bytes / n_tokens


def per_token(parts):
    n_tokens = sum(n for _, n, _ in parts)
    return sum(loss * n for loss, n, _ in parts) / n_tokens / math.log(2)


def without_tokens(parts):
    n_bytes = sum(len(text.encode()) for _, _, text in parts)
    return sum(loss for loss, _, _ in parts) / math.log(2) / n_bytes


def compression_ratio(parts):
    return bits_per_byte(parts) / 8


def perplexity(parts):
    return 2 ** bits_per_byte(parts)


def first_document(parts):
    return bits_per_byte(parts[:1])


def by_the_formula(parts):
    n_tokens = sum(n for _, n, _ in parts)
    n_bytes = len("".join(text for _, _, text in parts).encode("utf-8"))
    loss = math.fsum(loss * n for loss, n, _ in parts) / n_tokens
    return loss * math.log2(math.e) * n_tokens / n_bytes


EXERCISE = Exercise(
    title="Bits per byte",
    trains="units",
    minutes=15,
    level="easy",
    section="01.10",
    solution=bits_per_byte,
    checks=[
        Check(
            "One document",
            4,
            "Loss times tokens is the cost of the whole text in nats. Turn it into bits, then "
            "share it among the bytes.",
            ascii_text,
        ),
        Check(
            "Other languages",
            4,
            "A character is not a byte: how many bytes does UTF-8 need for the text?",
            other_languages,
        ),
        Check(
            "Several documents",
            4,
            "All bits over all bytes, in one division: long documents weigh more than short ones.",
            several,
        ),
    ],
    hints=[
        "A model needs 2 nats for each of 10 tokens. How many nats is that for the text, and how "
        "many bits?",
        "Add up loss times tokens over the documents, and add up the bytes, `text.encode()`. One "
        "division at the end, not one for each document. 1 nat is 1/ln 2 bits.",
        "Bits are `nats / math.log(2)`. The bytes are `sum(len(text.encode()) for _, _, text in "
        "parts)`.",
    ],
    wrong=[
        edit(
            "len(text.encode())",
            "len(text)",
            "You divide by characters. Most characters outside English take several bytes.",
        ),
        edit(" / math.log(2)", "", "These are nats per byte. A bit is ln 2 nats."),
        edit(" / math.log(2)", " * math.log(2)", "1 nat is more than a bit: divide by ln 2."),
        edit("math.log(2)", "math.log10(2)", "You take nats for powers of ten. ln 2 is wanted."),
        written(per_token, says="These are bits per token. Share them among the bytes."),
        written(turned_round, says="You multiply by bytes per token. It is tokens per byte."),
        written(
            without_tokens,
            says="You forget the number of tokens: the loss is the cost of one of them.",
        ),
        written(
            mean_of_documents,
            says="You average over documents. Divide all bits by all bytes: long ones weigh more.",
        ),
        written(
            mean_of_losses,
            says="You average the losses of the documents. Each counts as often as it has tokens.",
        ),
        written(
            compression_ratio, says="You divide by 8: that is bytes per byte. Bits are asked for."
        ),
        written(perplexity, says="You raise 2 to the bits: a perplexity per byte."),
        written(first_document, says="You read the first document only."),
    ],
    right=[written(by_the_formula)],
    survivors={"for n_tokens, loss, _ in parts": "a product is the same in either order"},
)
