"""Stories broken on purpose, in known ways: what the judge is measured on.

    python -m tests.storyworld.breakages        # precision and recall of the judge, as a table

Each way takes a story and a generator and returns the broken text, or None where the story has no
place for it. The first group breaks the English, the second what happens.
"""

import random
import re
import sys
from collections.abc import Callable

from gptlib import storyworld
from gptlib.storyworld import Story
from gptlib.storyworld.judge import Judge

Break = Callable[[Story, random.Random], str | None]
ENGLISH: dict[str, Break] = {}
HAPPENING: dict[str, Break] = {}


def way(group: dict[str, Break]) -> Callable[[Break], Break]:
    def add(function: Break) -> Break:
        group[function.__name__.replace("_", " ")] = function
        return function

    return add


def splice(text: str, start: int, stop: int, new: str) -> str:
    return text[:start] + new + text[stop:]


def substitute(text: str, rng: random.Random, pattern: str, new) -> str | None:
    """Replace one match of a pattern, picked at random."""
    found = list(re.finditer(pattern, text))
    if not found:
        return None
    match = rng.choice(found)
    return splice(text, match.start(), match.end(), new(match) if callable(new) else new)


@way(ENGLISH)
def a_word_left_out(story, rng):
    return substitute(story.text, rng, r" (?:the|to|was|with|of|had|and) (?=[a-z])", " ")


@way(ENGLISH)
def a_word_doubled(story, rng):
    return substitute(story.text, rng, r" [a-z]+(?= [a-z])", lambda m: m[0] + m[0])


@way(ENGLISH)
def two_words_exchanged(story, rng):
    return substitute(story.text, rng, r" (\w+) (\w+)(?=[ .,])", lambda m: f" {m[2]} {m[1]}")


@way(ENGLISH)
def the_wrong_article(story, rng):
    other = {"a": "an", "an": "a"}
    return substitute(story.text, rng, r"(?<= )(a|an)(?= (?!while|hard))", lambda m: other[m[1]])


@way(ENGLISH)
def a_small_letter_at_the_start(story, rng):
    return substitute(story.text, rng, r"(?<=[.!?] )[A-Z]", lambda m: m[0].lower())


@way(ENGLISH)
def a_full_stop_missing(story, rng):
    return substitute(story.text, rng, r"\.(?= [A-Z])", "")


@way(ENGLISH)
def broken_off(story, rng):
    return story.text[: rng.randrange(len(story.text) // 2, len(story.text) - 3)]


@way(ENGLISH)
def a_word_that_is_none(story, rng):
    return substitute(story.text, rng, r" [a-z]{4,}(?=[ .])", " blorking")


@way(ENGLISH)
def the_wrong_tense(story, rng):
    verbs = {"was": "is", "went": "goes", "took": "takes", "gave": "gives", "found": "finds",
             "had": "has", "said": "says", "were": "are", "looked": "looks"}  # fmt: skip
    return substitute(
        story.text, rng, r"(?<= )(" + "|".join(verbs) + r")(?= [a-z])", lambda m: verbs[m[1]]
    )


@way(ENGLISH)
def a_quotation_left_open(story, rng):
    return substitute(story.text, rng, r'(?<=[,.!?])"', "")


@way(ENGLISH)
def the_wrong_gender(story, rng):
    """A pronoun that does not fit a name in its own sentence."""
    for sentence in rng.sample(story.sentences, len(story.sentences)):
        forms = {"his": "its", "himself": "itself", "her": "its", "herself": "itself"}
        named = {m.role for m in sentence.mentions if m.form in ("", "name")}
        for mention in sentence.mentions:
            text = story.text[mention.start : mention.stop]
            alone = mention.role in named and text in forms and mention.form.startswith("h")
            if alone and sentence.mentions[0].role == mention.role:
                return splice(story.text, mention.start, mention.stop, forms[text])
    return None


@way(ENGLISH)
def a_sentence_from_elsewhere(story, rng):
    sentence = rng.choice(story.sentences)
    return splice(story.text, sentence.start, sentence.stop, "The stock market fell by two points.")


def cut(story: Story, index: int) -> str:
    """The story without one of its sentences."""
    sentence = story.sentences[index]
    if index + 1 < len(story.sentences):
        return splice(story.text, sentence.start, story.sentences[index + 1].start, "")
    return story.text[: sentence.start].rstrip()


def told_first(story: Story, later: int, earlier: int) -> str:
    """The story with a later sentence moved before an earlier one."""
    moved = story.sentences[later].text
    return splice(cut(story, later), story.sentences[earlier].start, story.sentences[earlier].start,
                  moved + " ")  # fmt: skip


def event_of(sentence) -> storyworld.Grammar:
    return storyworld.world(LEVEL).grammar.events[sentence.event]


LEVEL = "full"


def makes(sentence, effect: str) -> dict[str, str] | None:
    """The arguments of a sentence whose event has an effect such as `holder = `, by its ends."""
    for _, text in event_of(sentence).effects:
        if re.fullmatch(effect, text):
            return sentence.arguments
    return None


def named(sentence, role: str) -> list:
    """The mentions of a role by its name alone."""
    return [m for m in sentence.mentions if m.role == role and m.form in ("", "obj", "name", "the")]


@way(HAPPENING)
def the_loss_is_not_told(story, rng):
    for index, sentence in enumerate(story.sentences):
        if makes(sentence, r"\w+\.state = lost"):
            return cut(story, index)
    return None


@way(HAPPENING)
def lost_twice(story, rng):
    for index, sentence in enumerate(story.sentences):
        if makes(sentence, r"\w+\.state = lost"):
            place = story.sentences[index].stop
            return splice(story.text, place, place, " " + sentence.text)
    return None


@way(HAPPENING)
def found_before_it_was_lost(story, rng):
    lost = [i for i, s in enumerate(story.sentences) if makes(s, r"\w+\.state = lost")]
    found = [i for i, s in enumerate(story.sentences) if makes(s, r"\w+\.state = found")]
    return told_first(story, found[0], lost[0]) if lost and found else None


@way(HAPPENING)
def the_friend_never_came(story, rng):
    for index, sentence in enumerate(story.sentences):
        if makes(sentence, r"b\.at = a\.at"):
            return cut(story, index)
    return None


@way(HAPPENING)
def the_friend_came_twice(story, rng):
    for sentence in story.sentences:
        if makes(sentence, r"b\.at = a\.at") and named(sentence, sentence.arguments["b"]):
            return splice(story.text, sentence.stop, sentence.stop, " " + sentence.text)
    return None


@way(HAPPENING)
def a_stranger_speaks(story, rng):
    """A name in the later half becomes one that nobody has met."""
    children = storyworld.world(LEVEL).grammar.lexicon.candidates("child", 2)
    met = {m.entry for s in story.sentences for m in s.mentions}
    later = story.sentences[len(story.sentences) // 2 :]
    spots = [m for s in later for m in s.mentions if m.form == "name" and m.entry in children]
    if not spots:
        return None
    mention = rng.choice(spots)
    strangers = [c for c in children if c not in met and c.pronoun == mention.entry.pronoun]
    return splice(story.text, mention.start, mention.stop, rng.choice(strangers).name)


@way(HAPPENING)
def another_colour(story, rng):
    """What was told to be red is called blue later on."""
    colours = storyworld.world(LEVEL).grammar.lexicon.candidates("colour", 0)
    told = [m for s in story.sentences for m in s.mentions if m.role.endswith(".colour")]
    for mention in told[1:]:
        if mention.role == told[0].role:
            other = rng.choice([c for c in colours if c is not mention.entry])
            text = story.text[mention.start : mention.stop]
            new = other.id if text == mention.entry.id else other.a_id
            return splice(story.text, mention.start, mention.stop, new)
    return None


@way(HAPPENING)
def the_wrong_one_gives(story, rng):
    """Giver and receiver change places."""
    for sentence in story.sentences:
        arguments = makes(sentence, r"o\.holder = b")
        if not arguments:
            continue
        a, b = named(sentence, arguments["a"]), named(sentence, arguments["b"])
        if len(a) == len(b) == 1 and a[0].start < b[0].start:
            text = splice(story.text, b[0].start, b[0].stop, a[0].entry.name)
            return splice(text, a[0].start, a[0].stop, b[0].entry.name)
    return None


@way(HAPPENING)
def given_twice(story, rng):
    for sentence in story.sentences:
        arguments = makes(sentence, r"o\.holder = b")
        if arguments and named(sentence, arguments["a"]) and named(sentence, arguments["o"]):
            return splice(story.text, sentence.stop, sentence.stop, " " + sentence.text)
    return None


@way(HAPPENING)
def an_unclear_pronoun(story, rng):
    """A name becomes a pronoun where two could be meant."""
    for before, sentence in zip(story.sentences, story.sentences[1:], strict=False):
        for mention in sentence.mentions:
            people = {
                m.entry
                for m in (*before.mentions, *sentence.mentions)
                if m.start < mention.start and m.entry.pronoun == mention.entry.pronoun
                and "." not in m.role and not m.form.count("/")
            }  # fmt: skip
            if mention.form == "" and len(people) > 1 and mention.start > sentence.opening:
                pronoun = mention.entry.pronouns[0]
                if story.text[mention.start : mention.stop] == mention.entry.name:
                    return splice(story.text, mention.start, mention.stop, pronoun)
    return None


WAYS = {**ENGLISH, **HAPPENING}


def measure(level: str, n: int) -> list[tuple[str, int, int]]:
    """(way, stories broken so, of these found) for each way, on `n` stories."""
    judge = Judge(storyworld.world(level).grammar, level)
    counts = {name: [0, 0] for name in WAYS}
    for story in storyworld.stories(n, level=level):
        for name, broken in WAYS.items():
            text = broken(story, random.Random(story.seed))
            if text is not None and text != story.text:
                counts[name][0] += 1
                verdict = judge.check(text)
                counts[name][1] += not (verdict.grammatical if name in ENGLISH else verdict)
    return [(name, tried, found) for name, (tried, found) in counts.items()]


def main(n: int) -> None:
    judge = Judge(storyworld.world(LEVEL).grammar, LEVEL)
    good = sum(bool(judge.check(s.text)) for s in storyworld.stories(n, level=LEVEL))
    print(f"{n} whole stories at {LEVEL}: {good} pass\n")
    print(f"{'broken by':<28} {'stories':>8} {'found':>7} {'recall':>7}")
    rows = measure(LEVEL, n)
    for name, tried, found in rows:
        print(f"{name:<28} {tried:>8} {found:>7} {found / max(tried, 1):>7.1%}")
    tried, found = sum(r[1] for r in rows), sum(r[2] for r in rows)
    print(f"{'all':<28} {tried:>8} {found:>7} {found / tried:>7.1%}")
    print(
        f"precision (of the texts refused, how many are broken): {found / (found + n - good):.1%}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
