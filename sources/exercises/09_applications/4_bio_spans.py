"""09.4: spans out of tags, and the F1 of spans."""

from collections import Counter
from itertools import groupby

import torch

from tools.exercises import Check, Exercise, call, written


def spans(tags):
    """The spans that BIO tags mark, as a list of (type, start, end), in order; end is exclusive.

    "B-PER" begins a span of type PER, "I-PER" goes on with it, "O" is outside. An "I-" that has
    no span of its type right before it begins one, as in seqeval.
    """
    found, before = [], "O"
    for i, tag in enumerate(tags):
        if tag[:2] == "I-" and before[2:] == tag[2:]:
            found[-1] = (*found[-1][:2], i + 1)
        elif tag != "O":
            found.append((tag[2:], i, i + 1))
        before = tag
    return found


def span_f1(truths, guesses):
    """The F1 of the spans of many sentences together.

    A span is right if one of the same type, start and end is true in the same sentence. F1 is
    2 * right / (guessed + true), and 0.0 if there is no span at all.
    truths and guesses: a list of tags for each sentence
    """
    right = total = 0
    for truth, guess in zip(truths, guesses, strict=True):
        right += len(set(spans(truth)) & set(spans(guess)))
        total += len(spans(truth)) + len(spans(guess))
    return 2 * right / max(total, 1)


# The inputs that each check draws: "PpO" stands for B-PER I-PER O; L and T are two other types.

KINDS = {"P": "PER", "L": "LOC", "T": "THING"}


def tags(signs):
    return ["O" if s == "O" else ("B-" if s.isupper() else "I-") + KINDS[s.upper()] for s in signs]


def to_spans(*signs):
    return [call(tags(each), to="spans") for each in signs]


def to_f1(*pairs):
    return [
        call([tags(t) for t in truths], [tags(g) for g in guesses], to="span_f1")
        for truths, guesses in pairs
    ]


def names(draw, signs):
    """The same with the types renamed, so that no type is special."""
    new = "".join(draw.shuffled("PLT"))
    return signs.translate(str.maketrans("PLTplt", new + new.lower()))


def one_span(draw):
    return to_spans(*(names(draw, s) for s in ("OPOO", "POOT", "OOLlO", "OPppOO")))


def at_the_ends(draw):
    return to_spans(*(names(draw, s) for s in ("Ppp", "OOLl", "P", "PpOT", "OOO", "")))


def side_by_side(draw):
    return to_spans(*(names(draw, s) for s in ("PPp", "PLlT", "OPpPpO", "TTT", "LlPO")))


def without_beginning(draw):
    return to_spans(*(names(draw, s) for s in ("OppO", "p", "PlO", "Pplp", "OtTtOt", "LlOl")))


def sentence_by_sentence(draw):
    return to_f1(
        (["OPpO", "LOO"], ["OPpO", "LOO"]),
        ([names(draw, "OPpOLT")], [names(draw, "OPpOLT")]),
        (["PpO", "OOL"], ["PpO", "OTO"]),
        (["POL", "OPO"], ["OPO", "POL"]),
    )


def borders_and_types(draw):
    a, b, c = (names(draw, s) for s in ("PpOL", "OTttO", "LlOPp"))
    return to_f1(
        ([a], ["P" + a[1:]]),
        (["PpOL"], ["POOL"]),
        (["OTttO", "LOP"], ["OTtOO", "TOP"]),
        (["LlOPp"], ["llOPP"]),
        (["PpOL", "OOO"], ["LlOL", "OOT"]),
        ([b, c], [b, "O" * 5]),
    )


def none(draw):
    n = draw.integer(2, 4)
    return to_f1(
        (["O" * n], ["O" * n]),
        (["O" * n], ["P" * n]),
        (["POO"], ["OOO"]),
        ([""], [""]),
        (["", "PO"], ["", "PO"]),
    )


def both(split, f1=None):
    """Another way to find spans, and the F1 that follows from it."""

    def scored(truths, guesses):
        return (f1 or of_all)(split, truths, guesses)

    return split, scored


def of_all(split, truths, guesses):
    counted = [(set(split(t)), set(split(g))) for t, g in zip(truths, guesses, strict=True)]
    total = sum(len(t) + len(g) for t, g in counted)
    return 2 * sum(len(t & g) for t, g in counted) / total if total else 0.0


def inclusive(tags):
    return [(kind, start, end - 1) for kind, start, end in spans(tags)]


def unopened_ignored(tags):
    """Strict: an I- without a span before it is outside."""
    clean = list(tags)
    for i, tag in enumerate(clean):
        if tag[:2] == "I-" and (i == 0 or clean[i - 1][2:] != tag[2:]):
            clean[i] = "O"
    return spans(clean)


def any_type_goes_on(tags):
    clean = list(tags)
    for i, tag in enumerate(clean):
        if tag[:2] == "I-" and i and clean[i - 1] != "O":
            clean[i] = "I-" + clean[i - 1][2:]
    return spans(clean)


def b_goes_on(tags):
    return spans([tag.replace("B-", "I-") for tag in tags])


def last_is_lost(tags):
    return [span for span in spans(tags) if span[2] < len(tags)]


def first_words(tags):
    return [(kind, start, start + 1) for kind, start, _ in spans(tags)]


def each_word(tags):
    return [(tag[2:], i, i + 1) for i, tag in enumerate(tags) if tag != "O"]


def with_prefix(tags):
    return [("B-" + kind, start, end) for kind, start, end in spans(tags)]


def outside_too(tags):
    outside = [("O", i, i + 1) for i, tag in enumerate(tags) if tag == "O"]
    return sorted(spans(tags) + outside, key=lambda span: span[1])


def type_last(tags):
    return [(start, end, kind) for kind, start, end in spans(tags)]


def mean_of_sentences(split, truths, guesses):
    scores = [of_all(split, [t], [g]) for t, g in zip(truths, guesses, strict=True)]
    return sum(scores) / len(scores)


def by_tags(split, truths, guesses):
    pairs = [p for t, g in zip(truths, guesses, strict=True) for p in zip(t, g, strict=True)]
    total = sum((t != "O") + (g != "O") for t, g in pairs)
    return 2 * sum(t == g != "O" for t, g in pairs) / total if total else 0.0


def accuracy(split, truths, guesses):
    pairs = [p for t, g in zip(truths, guesses, strict=True) for p in zip(t, g, strict=True)]
    return sum(t == g for t, g in pairs) / len(pairs) if pairs else 0.0


def in_any_sentence(split, truths, guesses):
    true, found = (Counter(s for each in x for s in split(each)) for x in (truths, guesses))
    total = true.total() + found.total()
    return 2 * (true & found).total() / total if total else 0.0


def precision(split, truths, guesses):
    right = sum(len(set(split(t)) & set(split(g))) for t, g in zip(truths, guesses, strict=True))
    total = sum(len(split(g)) for g in guesses)
    return right / total if total else 0.0


def recall(split, truths, guesses):
    return precision(split, guesses, truths)


def without_types(split, truths, guesses):
    def untyped(tags):
        return [(start, end) for _, start, end in split(tags)]

    return of_all(untyped, truths, guesses)


def starts_alone(split, truths, guesses):
    def begun(tags):
        return [(kind, start) for kind, start, _ in split(tags)]

    return of_all(begun, truths, guesses)


def one_for_nothing(split, truths, guesses):
    return of_all(split, truths, guesses) if any(map(split, [*truths, *guesses])) else 1.0


def by_groups(tags):
    """Numbers each span, then groups places by number."""
    numbers, n, before = [], 0, "O"
    for tag in tags:
        n += tag[:2] == "B-" or tag[2:] != before[2:]
        numbers.append(n)
        before = tag
    found, i = [], 0
    for _, group in groupby(numbers):
        size = len(list(group))
        if tags[i] != "O":
            found.append((tags[i][2:], i, i + size))
        i += size
    return found


EXERCISE = Exercise(
    title="BIO spans",
    trains="reading a sequence with a memory",
    minutes=30,
    level="medium",
    section="09.7",
    solution=(spans, span_f1),
    dtypes=(torch.float32,),
    checks=[
        Check(
            "Spans",
            3,
            "A span ends before the first tag that does not go on with it; `end` is the place "
            "behind its last word.",
            one_span,
        ),
        Check(
            "At the ends of a sentence",
            2,
            "The last span may end with the sentence: nothing comes after it that would close it.",
            at_the_ends,
        ),
        Check(
            "Side by side",
            3,
            "Two names may follow each other without an O in between. B- always begins a span.",
            side_by_side,
        ),
        Check(
            "Without a beginning",
            3,
            "Models also write an I- after an O, or after another type. It begins a span, too.",
            without_beginning,
        ),
        Check(
            "F1 of sentences",
            2,
            "Count over all sentences, then divide once. A span is right in its own sentence only.",
            sentence_by_sentence,
        ),
        Check(
            "Borders and types",
            2,
            "Half a span is wrong, and so is a span of another type: that is what makes this score "
            "strict.",
            borders_and_types,
        ),
        Check(
            "No spans",
            2,
            "Where there is nothing to find and nothing was found the score is 0, by convention.",
            none,
        ),
    ],
    hints=[
        "Read B-PER I-PER I-LOC aloud. How many spans, and where does each end?",
        "Go through the tags and remember the one before. B- begins a span. I- makes the last span "
        "longer if the tag before has the same type, whether B- or I-; else it begins one. For F1, "
        "take the set of spans of each sentence.",
        "`tag[2:]` is the type, and empty for O. `before[2:] == tag[2:]` says whether an I- goes "
        "on. `len(set(spans(truth)) & set(spans(guess)))` counts what is right.",
    ],
    wrong=[
        written(*both(inclusive), says="Your end is the last word itself. It is the place behind."),
        written(
            *both(unopened_ignored),
            says="You drop an I- that nothing began. Here it begins a span.",
        ),
        written(
            *both(any_type_goes_on),
            says="An I- of another type goes on with your span. It begins a new one.",
        ),
        written(
            *both(b_goes_on),
            says="You join neighbours of one type. A B- always begins a new span.",
        ),
        written(
            *both(last_is_lost),
            says="A span that ends with the sentence is lost: no tag comes after it.",
        ),
        written(*both(first_words), says="Your spans are one word long. I- makes them longer."),
        written(*both(each_word), says="Each of your words is a span of its own."),
        written(*both(with_prefix), says="Your types begin with 'B-'. The type is what follows."),
        written(*both(outside_too), says="You have spans for O. What is outside is no span."),
        written(*both(type_last), says="Your spans are (start, end, type). The type comes first."),
        written(
            spans,
            both(spans, mean_of_sentences)[1],
            says="You average over sentences. Count over all of them, then divide once.",
        ),
        written(
            spans,
            both(spans, by_tags)[1],
            says="You compare tags, not spans: half a name counts as half right.",
        ),
        written(
            spans,
            both(spans, accuracy)[1],
            says="This is the accuracy of tags, which is high where most of them are O.",
        ),
        written(
            spans,
            both(spans, in_any_sentence)[1],
            says="A span is right for you if any sentence has it. It must be the same sentence.",
        ),
        written(
            spans,
            both(spans, precision)[1],
            says="This is the precision alone: who finds one sure span gets full marks.",
        ),
        written(
            spans,
            both(spans, recall)[1],
            says="This is the recall alone: who marks everything gets full marks.",
        ),
        written(
            spans,
            both(spans, without_types)[1],
            says="You compare borders alone. The type must be right, too.",
        ),
        written(
            spans,
            both(spans, starts_alone)[1],
            says="You compare types and starts alone. The end must be right, too.",
        ),
        written(
            spans,
            both(spans, one_for_nothing)[1],
            says="Where there is no span your score is 1. By convention it is 0.",
        ),
    ],
    right=[written(*both(by_groups)), written(*both(spans))],
    survivors={
        "for guess, truth in": "F1 is the same if truths and guesses are swapped",
        "zip(guesses, truths": "F1 is the same if truths and guesses are swapped",
        "zip(truths, guesses)": "there are as many guesses as truths",
        "zip(truths, guesses, strict=False)": "there are as many guesses as truths",
        "max(total, 2)": "one span alone can't be right",
    },
)
