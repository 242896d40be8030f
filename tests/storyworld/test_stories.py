"""Stories are the same everywhere, consistent with their world, and aligned in both languages."""

import hashlib
import re
import subprocess
import sys

import pytest

from gptlib import storyworld
from gptlib.storyworld.__main__ import main

GOLDEN = {
    ("nursery", None): "1af316c75aca92f6",
    ("nursery", "validation"): "71802f42ec1c67d9",
    ("meadow", None): "58ad0e814ff5838a",
    ("meadow", "train"): "e34825efbf594a76",
    ("full", None): "65e2c08b6b85d529",
    ("full", "test"): "4d9095f5bf3f81db",
}

CALM = """version test
attribute mood: mood
type being
type child is being: proper she person @nursery
  - Lily | 莉莉
type mood @nursery
  - happy | 高兴
  - sad | 难过
pos VERB
  was
event cheer(a: child) @nursery
  makes a.mood = happy
  - {a} was {a.mood}. | {a}很{a.mood}。
plot calm @nursery
  key hero: child
  start hero.mood = sad
  - cheer(hero); cheer(hero)
"""


def fingerprint(level, split):
    lines = [
        f"{s.key}\t{s.log_prob:.6f}\t{s.text}\t{s.zh}"
        for s in storyworld.stories(100, level=level, split=split)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@pytest.mark.parametrize(("level", "split"), list(GOLDEN))
def test_a_seed_gives_the_same_story_on_every_machine(level, split):
    assert fingerprint(level, split) == GOLDEN[level, split], f"data version {storyworld.VERSION}"


@pytest.mark.parametrize("split", storyworld.SPLITS)
def test_key_combinations_of_a_split_stay_in_it(split):
    keys = {s.key for s in storyworld.stories(200, level="meadow", split=split)}
    others = [s for s in storyworld.SPLITS if s != split]
    for other in others:
        assert not keys & {s.key for s in storyworld.stories(200, level="meadow", split=other)}


@pytest.mark.parametrize("level", storyworld.LEVELS)
def test_every_event_is_possible_where_it_is_told(level):
    """Reading a story back tests the needs of each event in the state before it."""
    for story in storyworld.stories(500, level=level):
        assert story.sentences


def test_nobody_gives_what_they_do_not_hold_or_from_elsewhere():
    """Asked of the recorded states themselves, not of the grammar's own needs."""
    told = 0
    for story in storyworld.stories(1000):
        before: dict[str, str] = {}
        for sentence in story.sentences:
            if sentence.event == "give":
                giver, thing, taker = (sentence.arguments[name] for name in "aob")
                assert before[f"{thing}.holder"] == giver
                assert before[f"{giver}.at"] == before[f"{taker}.at"]
                assert sentence.state[f"{thing}.holder"] == taker
                told += 1
            before = sentence.state
    assert told > 50


@pytest.mark.parametrize("level", storyworld.LEVELS)
def test_sentences_cover_the_text_in_order(level):
    for story in storyworld.stories(100, level=level):
        end = 0
        for sentence in story.sentences:
            assert story.text[end : sentence.start] in ("", " ", "\n\n")
            assert story.text[sentence.start : sentence.stop] == sentence.text
            end = sentence.stop
        assert end == len(story.text)
        assert "".join(s.zh for s in story.sentences) == story.zh.replace("\n\n", "")


def test_words_carry_a_part_of_speech_and_spell_the_sentence():
    for story in storyworld.stories(300):
        for sentence in story.sentences:
            spelled = re.findall(r"[A-Za-z]+(?:['’-][A-Za-z]+)*", sentence.text)
            assert [w.text.lower() for w in sentence.words] == [w.lower() for w in spelled]
            assert all(word.pos != "X" for word in sentence.words), sentence


def test_english_has_articles_capitals_and_spaces_right():
    for story in storyworld.stories(1000):
        assert not re.search(
            r"\b[Aa] [aeiouAEIOU]|\b[Aa]n (?!hour|honest)[^aeiou]|  | [.,!?]|[{}<>]", story.text
        )
        for sentence in story.sentences:
            assert sentence.text[0].isupper() or sentence.text[0] == '"'
            assert sentence.text[-1] in '.!?"'


def test_chinese_has_no_latin_letters_and_only_chinese_punctuation():
    for story in storyworld.stories(500):
        assert not re.search(r"[A-Za-z ,.!?{}<>\"]", story.zh), story.zh
        assert all(s.zh[-1] in "。！？”" for s in story.sentences)


def test_both_languages_tell_the_same_qualities():
    """The colour, weather or mood an English sentence tells is the one its Chinese tells."""
    told = 0
    for story in storyworld.stories(1000):
        lexicon = story.world.grammar.lexicon
        for sentence in story.sentences:
            for word in sentence.words:
                _, _, attribute = word.role.partition(".")
                if attribute and (kind := story.world.grammar.attributes[attribute]) != "role":
                    entry = lexicon.find(kind, word.text.lower())
                    if entry is not None:
                        assert entry.zh in sentence.zh, sentence
                        told += 1
    assert told > 500


def test_a_sentence_tells_the_state_before_its_effects_in_both_languages(make_world):
    world = make_world(CALM)
    text, log_prob, _, choices = storyworld.Sampler(world).sample(0, None)
    story = storyworld.Story(text, log_prob, 0, "calm", world, choices)
    assert (story.text, story.zh) == ("Lily was sad. She was happy.", "莉莉很难过。她很高兴。")
    assert [s.state["hero.mood"] for s in story.sentences] == ["happy", "happy"]


def test_a_pronoun_never_fits_two_people_named_lately():
    """After `she`, the sentence and the one before it name at most one girl or woman."""
    for story in storyworld.stories(1000):
        genders = {"she": set(), "he": set()}
        grammar = story.world.grammar
        for entry in grammar.lexicon.candidates("person", story.world.level):
            name = {1: "she", 0: "he"}[entry.pronoun]
            genders[name].add(entry.name)
        previous = ""
        for sentence in story.sentences:
            for pronoun, names in genders.items():
                first = re.match(rf"{pronoun}\b", sentence.text, re.IGNORECASE)
                named = {n for n in names if re.search(rf"\b{n}\b", previous)}
                assert not first or len(named) <= 1, (previous, sentence.text)
            previous = sentence.text


def test_lengths_are_those_of_a_short_story():
    counts = [len(story.text.split()) for story in storyworld.stories(2000)]
    assert min(counts) >= 60
    assert max(counts) <= 250


def test_import_needs_no_torch():
    code = "import sys, gptlib.storyworld as w; w.story(1); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: storyworld.story(-1), "seed -1"),
        (lambda: storyworld.story(1, level="easy"), "level 'easy'"),
        (lambda: storyworld.story(1, split="dev"), "split 'dev'"),
        (lambda: storyworld.entropy("nursery", n=1), "2 or more"),
    ],
)
def test_bad_arguments_are_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_command_prints_stories(capsys):
    assert main(["--seed", "1", "--level", "nursery", "-n", "2", "--zh", "--events"]) == 0
    out = capsys.readouterr().out
    assert storyworld.story(1, "nursery").text in out
    assert storyworld.story(2, "nursery").zh in out
