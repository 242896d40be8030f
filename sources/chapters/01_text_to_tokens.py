# %% [markdown]
# # 01 Text to tokens
#
# *About 90 minutes to work through, one minute to run.*
#
# **You need:** Python: lists, dictionaries, `Counter`, `bytes`. No PyTorch yet.
#
# **Afterwards you can**
#
# 1. say what the log-probability of a text means: in nats, in bits, and as "one in how many";
# 2. write UTF-8 on paper, and say why neither words nor bytes alone make good tokens;
# 3. train byte-level BPE by hand, in some 25 lines that agree with Hugging Face's `tokenizers`;
# 4. read GPT-2's pre-tokenisation pattern, and predict where it cuts;
# 5. compare the losses of models that have different vocabularies.
#
# A GPT never sees a letter. It reads a list of numbers, *tokens*, and predicts the next one. This
# chapter makes those numbers. But first: what shall it read?

# %%
import json
import math
import random
import re
import textwrap
from collections import Counter
from itertools import pairwise, product

import regex
import tiktoken
import tokenizers

from gptlib import plots, storyworld
from gptlib.data import corpus
from gptlib.storyworld import tasks
from gptlib.tokenizer import (
    BYTE_ORDER,
    PATTERN,
    Tokenizer,
    bits_per_byte,
    from_visible,
    pretokenize,
)
from gptlib.widgets import StoryViewer, TokenizerMicroscope

# %% [markdown]
# ## 01.1 A world that tells stories
#
# The course has two corpora. One is real: Python's documentation, which came with your Python. The
# other is generated, by a small simulated world where things happen. Its smallest level is called
# "nursery". Here is its first story in which somebody helps.

# %%
told = storyworld.stories(1000, level="nursery")
story = next(s for s in told if "meet" in dict(s.events) and " He " in s.text)
print(textwrap.fill(story.text, 95))

# %% [markdown]
# Nobody wrote this, and no language model did. The world has a *state*: who is where, who holds
# what. A sentence tells one event, which needs something of the state and changes it. We draw the
# state after four of the sentences.


# %%
def draw_state(ax, state, places):
    """Places as boxes, people as circles, the toy as a square; a line means "holds"."""
    free, at = {}, {}
    for x, place in enumerate(places):
        ax.fill([x, x + 0.94, x + 0.94, x], [0, 0, 1, 1], color="#eeeeee")
        ax.text(x + 0.47, 0.88, place, ha="center")
        free[place] = (x, 0.68)
    for role in ("hero", "friend"):
        if role in state and f"{role}.at" in state:
            where = state[f"{role}.at"]
            x, y = at[role] = free[state.get(where, where)]
            free[state.get(where, where)] = (x, y - 0.34)
            ax.plot(x + 0.25, y, "o", markersize=16, color=plots.COLORS[4], zorder=3)
            ax.text(x + 0.25, y - 0.17, state[role], ha="center", fontsize=9)
    holder = state.get("toy.holder")
    x, y = at[holder] if holder else (list(places).index(state[state["toy.at"]]), 0.34)
    ax.plot([x + 0.25, x + 0.7], [y, y], color="black", linewidth=2 if holder else 0)
    ax.plot(x + 0.7, y, "s", markersize=14, color=plots.COLORS[1])
    ax.text(x + 0.7, y - 0.17, state["toy"] + ("" if holder else "?"), ha="center", fontsize=9)
    ax.set_axis_off()


# %%
end = story.sentences[-1].state  # everything that is true at the end
places = [story.sentences[0].state["hero.at"], end["place"]]
moments = {s.event: s.state for s in story.sentences if s.event in ("own", "carry", "lose", "find")}
fig, axes = plots.figure(1, 4, size=(11, 2.4))
for ax, (event, state) in zip(axes, moments.items(), strict=True):
    draw_state(ax, state, places)
    ax.set_title(f"after “{event}”", fontsize=10)
plots.show(
    fig,
    alt="Two places as boxes, four times. The hero holds a toy at home; both are in another place; "
    "the toy is there, but in nobody's hands; the hero holds it again, with a friend beside.",
)

# %% [markdown]
# So "{{ end["hero"] }} found the {{ end["toy"] }}" can be told only if the {{ end["toy"] }} was
# lost. As each sentence's meaning is known, so are the answers to tasks that people must label by
# hand for other texts. Later chapters train models on them.

# %%
line = next(i for i, s in enumerate(story.sentences) if s.event == "own")
known = tasks.of_story(story.seed, level="nursery")
tags, answered = known["tags"][line], {q.kind: q for q in known["questions"]}
print("a sentence   ", tags.text)
print("translation  ", known["translation"][line].zh)
print("tags         ", *(f"{word}/{pos}" for word, pos in zip(tags.tokens, tags.pos, strict=True)))
print("logical form ", known["logic"][line].form)
print("the story    ", known["summary"][0].summary)
for kind in ("where", "why", "unanswerable"):
    print(f"{kind:<13}", answered[kind].question, "->", answered[kind].answer or "(not told)")

# %% [markdown]
# The viewer shows any story beside its world. *Predict first:* which facts change with the sentence
# that loses the {{ end["toy"] }}? Step there to see.

# %%
StoryViewer(story.seed, level="nursery")

# %% [markdown]
# The world can also *judge* a text, such as one that a model wrote. *Predict first:* we break our
# story in three ways: "had" becomes "have", the first "He" becomes "She", and one sentence is left
# out. Which of these break the grammar, and which the sense?

# %%
assert storyworld.check(story.text, level="nursery")  # as it was: nothing wrong
lost = next(s.text + " " for s in story.sentences if s.event == "lose")
for old, new in ((" had ", " have "), (" He ", " She "), (lost, "")):
    verdict = storyworld.check(story.text.replace(old, new, 1), level="nursery")
    assert not verdict.consistent
    print(f"{old!r} -> {new!r}: grammatical: {verdict.grammatical}\n    {verdict.reason}")

# %% [markdown]
# "He have" is no English. The other two are good English, sentence by sentence: only somebody who
# keeps track of the world can object.
#
# ## 01.2 How likely is a story?
#
# The world draws at random: a hero, a toy, a colour, what happens, how it is said. So every story
# has a probability, and here we know it exactly. Probabilities of texts are tiny; one works with
# their logarithm. With the natural one the unit is the *nat*, with $\log_2$ it is the *bit*: 1 nat
# is $1/\ln 2 =$ {{ 1 / math.log(2):.3f }} bits.
#
# This level is small enough to list every story that can be told.

# %%
every = dict(storyworld.enumerate_stories("nursery"))
total = math.fsum(math.exp(log_p) for log_p in every.values())
assert abs(total - 1) < 1e-9
assert abs(every[story.text] - story.log_prob) < 1e-9
print(f"{len(every):,} stories; their probabilities sum to {total:.6f}")
nats, one_in = story.log_prob, math.exp(-story.log_prob)
print(f"ours: {nats:.3f} nats = {nats / math.log(2):.3f} bits = one in {one_in:,.0f}")

# %% [markdown]
# Where do the bits go? The chain rule splits a text's probability into one factor for each piece,
# given all that came before it:
#
# $$\log p(x_1 \dots x_n) = \sum_{i=1}^{n} \log p(x_i \mid x_1 \dots x_{i-1}) .$$
#
# Here the pieces $x_i$ are sentences. The stories that begin like ours up to a sentence, and up to
# the one before, give its factor. *Predict first:* which sentences cost nothing at all?


# %%
def mass(beginning):
    """The probability that a story begins like this."""
    return math.fsum(math.exp(log_p) for text, log_p in every.items() if text.startswith(beginning))


masses = [mass(story.text[: s.stop]) for s in story.sentences]
bits = [-math.log2(after / before) for before, after in pairwise([1.0, *masses])]
for cost, sentence in zip(bits, story.sentences, strict=True):
    print(f"{abs(cost):>5.2f} bits  {sentence.text}")
print(f"{sum(bits):>5.2f} bits  in all")
assert abs(sum(bits) * math.log(2) + story.log_prob) < 1e-9

# %% [markdown]
# A sentence that could not have been otherwise costs 0 bits. One of $n$ equally likely ones costs
# $\log_2 n$: {{ bits[0]:.2f }} bits is one in {{ 2 ** bits[0]:.0f }}. *This is what a language
# model learns*: to predict the next piece from those before. Its loss is the mean cost of a piece,
# by its own reckoning. On average no model is cheaper than the true probabilities (Gibbs'
# inequality). Their mean cost is the *entropy*,
#
# $$H = -\sum_x p(x) \log p(x) .$$

# %%
entropy = -math.fsum(math.exp(log_p) * log_p for log_p in every.values())
estimate = storyworld.entropy("nursery", n=2000)
assert abs(estimate.nats_per_story - entropy) < 5 * estimate.standard_error
print(f"exact {entropy:.2f}, estimated {estimate.nats_per_story:.2f} nats per story")

# %% [markdown]
# So this corpus has a *floor*: {{ entropy / math.log(2):.1f }} bits a story. A model far above it
# has something left to learn; one clearly below it has seen the answers. For real text nobody knows
# the floor.
#
# ## 01.3 Characters and bytes
#
# A character has a number, its *code point*: `ord("A")` is {{ ord("A") }}. Why not feed a model
# those? Unicode has room for {{ 0x110000:, }}, and most are too rare to learn. UTF-8 writes a code
# point as one to four *bytes*:
#
# | code point up to | bytes |
# |---|---|
# | `7F` | `0xxxxxxx` |
# | `7FF` | `110xxxxx 10xxxxxx` |
# | `FFFF` | `1110xxxx 10xxxxxx 10xxxxxx` |
# | `10FFFF` | `11110xxx 10xxxxxx 10xxxxxx 10xxxxxx` |
#
# By hand, for 好 ("good"): its code point is hexadecimal 597D, in bits 0101 100101 111101, which
# go into the third row. *Predict first:* which bytes are these? And how many has "naïve 好 🙂"?


# %%
def utf8(code_point):
    if code_point < 0x80:
        return bytes([code_point])
    n = 2 if code_point < 0x800 else 3 if code_point < 0x10000 else 4  # bytes needed
    groups = [0x80 | (code_point >> 6 * i) & 0x3F for i in reversed(range(n - 1))]
    mark = 0xF00 >> n & 0xFF  # n ones, then a zero
    return bytes([mark | code_point >> 6 * (n - 1), *groups])


for n in range(0, 0x110000, 7):
    if not 0xD800 <= n < 0xE000:  # halves of a pair in UTF-16: no characters
        assert utf8(n) == chr(n).encode("utf-8")
for character in "naïve 好 🙂":
    print(f"{character}  {ord(character):>6x}  {utf8(ord(character)).hex(' ')}")

# %% [markdown]
# With 256 bytes every text in every language can be written, and nothing is ever unknown. The price
# is length: our story is {{ len(story.text) }} bytes long and has {{ len(story.text.split()) }}
# words. The work of attention grows with the square of the length (chapter 02), and a model would
# spend its layers on spelling.
#
# **What breaks if a text is cut between bytes?** Characters come apart.

# %%
cut = "好".encode()[:2]
print(cut, "->", cut.decode("utf-8", errors="replace"))

# %% [markdown]
# The sign � (U+FFFD) stands for bytes that are no character.
#
# ## 01.4 Why words fail
#
# Give each word of the training text a number. What about other words? From here on,
# "the stories" are those of "meadow", a larger level. We keep a tenth of each corpus apart.
# *Predict first:* which share of its words was never seen, for the stories, and for Python's
# documentation?

# %% tags=["nbval-ignore-output"]
texts = {"stories": corpus("story:meadow", limit=2000), "python-docs": corpus("python-docs")}
ends = {name: text.index("\n\n", len(text) * 9 // 10) for name, text in texts.items()}
train = {name: text[: ends[name]] for name, text in texts.items()}
heldout = {name: text[ends[name] :] for name, text in texts.items()}
words = {name: Counter(re.findall(r"\w+", text.lower())) for name, text in train.items()}
unknown = {}
for name, text in heldout.items():
    found = re.findall(r"\w+", text.lower())
    new = Counter(word for word in found if word not in words[name])
    unknown[name] = new.total() / len(found)
    print(f"{name}: {len(words[name]):,} words, {unknown[name]:.1%} unknown:", *list(new)[:5])
assert unknown["stories"] < 0.005 < 0.02 < unknown["python-docs"]

# %% [markdown]
# Two thousand stories use nearly all the words of their world. In real text new words never end. A
# word-level model reads each of them as the same `<unk>`, and can't write any of them.
#
# Order words by how often they occur. *Zipf's law* (1949) says that the count is roughly
# proportional to 1/rank: few words make up most of the text, and most words are rare.

# %%
fig, ax = plots.figure(size=(6.4, 3.6))
for name, counts in words.items():
    ranked = sorted(counts.values(), reverse=True)
    ax.loglog(range(1, len(ranked) + 1), [n / sum(ranked) for n in ranked], label=name)
ax.loglog([1, 10_000], [0.1, 0.1 / 10_000], "k--", linewidth=1, label="0.1 / rank")
ax.set(xlabel="rank of the word", ylabel="share of the text")
ax.legend(frameon=False)
plots.show(
    fig,
    alt="Share of the text against rank, on logarithmic axes. The line of Python's documentation "
    "falls roughly like 1/rank over four powers of ten; the stories follow it, then end abruptly.",
)

# %%
counts = words["python-docs"]
once = sum(n == 1 for n in counts.values()) / len(counts)
top = sum(n for _, n in counts.most_common(100)) / counts.total()
assert 0.25 < min(once, top) <= max(once, top) < 0.6

# %% [markdown]
# In Python's documentation the 100 most frequent words are about {{ top:.0% }} of the text, while
# about {{ once:.0% }} of all different words occur just once: too little to learn from.
#
# Between bytes and words lie *subwords*: frequent words whole, rare ones in pieces.
#
# ## 01.5 Byte-pair encoding by hand
#
# Start with bytes. Find the pair of neighbours that occurs most often, make it one new token, and
# begin again. Gage compressed files that way (1994), Sennrich et al. brought it to translation
# (2016), and GPT-2 runs it on bytes.
#
# Take four words, each with the space before it: `she`, ` sells`, ` sea`, ` shells`. *Predict
# first*, on paper: which pair is merged first, and how often does it occur?


# %%
def count_pairs(words):
    return Counter(pair for word in words for pair in pairwise(word))


toy = [[bytes([b]) for b in word.encode()] for word in ["she", " sells", " sea", " shells"]]
for (left, right), n in count_pairs(toy).most_common():
    print(f"{left + right!r}: {n}")

# %% [markdown]
# A space and an s, three times. Pairs never reach across two words; 01.7 says why. Merging is a
# walk from left to right:


# %%
def merge(word, pair):
    out = []
    for token in word:
        if out and (out[-1], token) == pair:
            out[-1] += token  # now longer than `left`, so it can't match again
        else:
            out.append(token)
    return out


toy = [merge(word, (b" ", b"s")) for word in toy]
toy

# %% [markdown]
# Training repeats the two. Two rules must be fixed so that everybody learns the same: the numbers
# of the bytes, and which pair goes first of equally frequent ones. GPT-2 numbers the printable
# bytes first (`BYTE_ORDER`); of equal pairs the one with the smaller numbers goes first.


# %%
def train_bpe(words, n_merges):
    ids = {bytes([b]): n for n, b in enumerate(BYTE_ORDER)}
    words, merges = [[bytes([b]) for b in word.encode()] for word in words], []
    while len(merges) < n_merges and (counts := count_pairs(words)):
        pair = min(counts, key=lambda p: (-counts[p], ids[p[0]], ids[p[1]]))
        words = [merge(word, pair) for word in words]
        ids[pair[0] + pair[1]] = len(ids)
        merges.append(pair)
    return merges


sentence = "she sells sea shells"
toy_merges = train_bpe(pretokenize(sentence), n_merges=6)
for left, right in toy_merges:
    print(f"{left!r} + {right!r} -> {left + right!r}")

# %% [markdown]
# From the second merge on there are ties: " s" + "e", "e" + "l", "l" + "l" and others all occur
# twice. The vocabulary is the 256 bytes and one token per merge.
#
# This trainer is slow: it recounts everything for every merge. The library's counts each different
# word once, and then only repairs the counts beside a merge. It must learn the same.

# %%
some = " ".join(s.text for s in storyworld.stories(20, level="nursery"))
assert train_bpe(pretokenize(some), 100) == Tokenizer.train(some, 256 + 100, []).merges

# %% [markdown]
# ## 01.6 Encoding and decoding
#
# To encode a new word, repeat what training did: of all pairs in the word that were ever merged,
# merge the one learned *first*, until there is none. Its place in the list of merges is its *rank*.
#
# *Predict first:* with the six merges above, which tokens has " seashell"?


# %%
def encode_word(word, merges):
    rank = {pair: n for n, pair in enumerate(merges)}
    tokens = [bytes([b]) for b in word]
    while pairs := [p for p in pairwise(tokens) if p in rank]:
        tokens = merge(tokens, min(pairs, key=rank.get))
    return tokens


encode_word(b" seashell", toy_merges)

# %% [markdown]
# "ells" is of no use here, as the last "s" is missing. And the "s" in the middle is another token
# than " s" with its space: to a model as different as any two.
#
# Decoding is joining bytes. So every byte string must come back, whatever the merges. Such a
# property is tested on random input.


# %%
rng = random.Random(0)
merges = train_bpe(pretokenize(some), 100)
for _ in range(2000):
    word = rng.randbytes(rng.randrange(30))
    assert b"".join(encode_word(word, merges)) == word
    word = "".join(rng.choices("theo w", k=20)).encode()  # here merges do apply
    assert b"".join(encode_word(word, merges)) == word

# %% [markdown]
# **What breaks if you take the longest token that fits**, again and again from the left, instead
# of merging by rank? It sounds simpler. We try it on the words of the stories, with a vocabulary of
# 1,024 tokens from the library.


# %%
def longest_match(word, vocab):
    tokens = []
    while word:
        tokens.append(next(word[:n] for n in range(len(word), 0, -1) if word[:n] in vocab))
        word = word[len(tokens[-1]) :]
    return tokens


tokenizer = Tokenizer.train(train["stories"], 1024, [])
frequent = [word.encode() for word, _ in Counter(pretokenize(train["stories"])).most_common()]
both = {w: (longest_match(w, tokenizer.vocab), encode_word(w, tokenizer.merges)) for w in frequent}
differ = {word: ways for word, ways in both.items() if ways[0] != ways[1]}
assert len(differ) > 20
for word, (longest, ranked) in list(differ.items())[:4]:
    print(f"{word!r}: longest {longest}, by rank {ranked}")

# %% [markdown]
# Both decode to the same text. But a model trained on one kind of list has hardly seen the other,
# and no error message will say so. Encode as the model's tokenizer does.
#
# ## 01.7 GPT-2's pattern
#
# Why not let pairs reach across words? Try it: the twenty stories as one long "word".

# %%
joined = [left + right for left, right in train_bpe([some], 100)]
for token in sorted(joined, key=len)[-3:]:
    print(repr(token.decode()))

# %% [markdown]
# Whole phrases, useless in any other text. On real text "dog.", "dog!" and "dog?" become three
# tokens (Radford et al. 2019, section 2.2). So GPT-2 cuts the text into "words" first, by a regular
# expression, and merges only inside them.
# `\p{L}` is a letter of any script, `\p{N}` a numeral, `\s` a blank:

# %%
parts = {
    "contraction": r"'(?:[sdmt]|ll|ve|re)",
    "letters": r" ?\p{L}+",
    "numerals": r" ?\p{N}+",
    "other signs": r" ?[^\s\p{L}\p{N}]+",
    "blanks, up to the last": r"\s+(?!\S)",
    "blanks": r"\s+",
}
assert "|".join(parts.values()) == PATTERN

# %% [markdown]
# At each place the first alternative that matches wins. *Predict first:* what becomes of `WE'LL`,
# of four spaces before `return`, and of a text that ends in a space?


# %%
def cut_up(text):
    """Every word with the part of the pattern that matched it."""
    named = "|".join(f"({part})" for part in parts.values())
    found = [(m[0], list(parts)[m.lastindex - 1]) for m in regex.finditer(named, text)]
    assert [word for word, _ in found] == pretokenize(text)  # gptlib's
    assert "".join(word for word, _ in found) == text  # nothing is lost
    return found


for text in ("It's 2024.", "WE'LL", "if x:\n    return x", "a dog ", "好久不见, Zoë"):
    print(f"{text!r}:", *(f"{word!r} {part}" for word, part in cut_up(text)), sep="\n    ")

# %% [markdown]
# - A space belongs to the word after it, so " dog" in the middle of a text is one token and "dog"
#   at its start another.
# - Contractions are found in small letters only; `WE'LL` falls into three.
# - Of four spaces three (and the line break) stay together; the fourth goes with `return`.
# - **What breaks if a prompt ends in a space?** The space is then a token of its own. In training,
#   common words bring theirs along, and a lone one comes before something rare.
# - Chinese has no spaces, so a whole clause is one "word".
#
# ## 01.8 The library, and two judges who don't know us
#
# `Tokenizer.train` learns up to 4,096 tokens from each corpus. Hugging Face's `tokenizers`, written
# in Rust, learns from the same text. We compare every merge, in order.


# %%
def hugging_face_merges(text, vocab_size):
    byte_level = tokenizers.pre_tokenizers.ByteLevel
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = byte_level(add_prefix_space=False)
    options = {"vocab_size": vocab_size, "initial_alphabet": byte_level.alphabet()}
    trainer = tokenizers.trainers.BpeTrainer(**options, show_progress=False)
    theirs.train_from_iterator([text], trainer)
    merges = json.loads(theirs.to_str())["model"]["merges"]
    return [(from_visible(left), from_visible(right)) for left, right in merges]


learned = {name: Tokenizer.train(text, 4096, []) for name, text in train.items()}
for name, tokenizer in learned.items():
    assert tokenizer.merges == hugging_face_merges(train[name], 4096)
    assert len(tokenizer.merges) > 1000

# %% [markdown]
# tiktoken, OpenAI's encoder, does not train. We hand it our ranks, and compare ids on text that
# neither vocabulary was trained on.

# %%
for tokenizer in learned.values():
    ours = {"pat_str": PATTERN, "mergeable_ranks": tokenizer.vocab, "special_tokens": {}}
    theirs = tiktoken.Encoding("ours", **ours)
    for text in (*heldout.values(), story.zh, "🙂 naïve\r\n\t  x=1 "):
        ids = tokenizer.encode(text)
        assert ids == theirs.encode_ordinary(text)
        assert tokenizer.decode(ids) == text
    library = [tokenizer.token_bytes(n) for n in tokenizer.encode(" tokenization")]
    assert library == encode_word(b" tokenization", tokenizer.merges)

# %% [markdown]
# And random characters, from the first 256 and from all of Unicode:

# %%
characters = [chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000]
for n in range(1000):
    text = "".join(rng.choices(characters[: 256 if n % 2 else None], k=30))
    for tokenizer in learned.values():
        assert tokenizer.decode_bytes(tokenizer.encode(text)) == text.encode()

# %% [markdown]
# ## 01.9 What a vocabulary knows
#
# Two vocabularies of 1,024 tokens, one from the stories, one from Python's documentation, read two
# sentences. (A smaller vocabulary's merges are the first ones of a larger.) *Predict first:* how
# will each cut the other's sentence? Click a token to replay the merges of its word; then type your
# own name.

# %% tags=["nbval-ignore-output"]
small = {name: Tokenizer(t.merges[: 1024 - 256], []) for name, t in learned.items()}

sentences = [
    "Once upon a time, there was a little boy named Tom.",
    "Return the number of bytes in the string, or raise ValueError.",
]
used = [len(small[name].encode(text)) for text, name in product(sentences, small)]
assert used[0] < used[1]
assert used[3] < used[2]
english, chinese = (small["stories"].encode(text) for text in (story.text, story.zh))
TokenizerMicroscope(small, " ".join(sentences))

# %% [markdown]
# A vocabulary is a memory of its training text. Other languages feel it most: with the vocabulary
# of the English stories, ours takes {{ len(english) }} tokens in English and {{ len(chinese) }} in
# Chinese. In tokenizers that are in use, the same text can take up to 15 times as many tokens in
# one language as in another (Petrov et al. 2023, abstract).
#
# How large should a vocabulary be? *Compression* is bytes per token: more means shorter lists.
# *Predict first:* the vocabulary doubles; by how much does compression grow?

# %%
sizes = [256, 288, 320, 384, 512, 768, 1024, 1536, 2048, 3072, 4096]
compression = {}
for read, text in heldout.items():
    for name, tokenizer in learned.items():
        cut = {n: Tokenizer(tokenizer.merges[: n - 256], []) for n in sizes}
        for n in [n for n in sizes if n <= tokenizer.vocab_size]:
            compression[read, name, n] = len(text.encode()) / len(cut[n].encode(text))

docs = [compression["python-docs", "python-docs", n] for n in (1024, 2048, 4096)]
assert 0.2 < docs[2] - docs[1] < docs[1] - docs[0] < 1.0
for read, other in (("stories", "python-docs"), ("python-docs", "stories")):
    assert compression[read, read, 1024] > 1.2 * compression[read, other, 1024]

# %%
fig, axes = plots.figure(1, 2, size=(9, 3.2), sharey=True)
for ax, read in zip(axes, heldout, strict=True):
    for name in learned:
        points = {n: compression.get((read, name, n)) for n in sizes}
        ax.plot(points.keys(), [y or math.nan for y in points.values()], label=f"from {name}")
    ax.set(xscale="log", xlim=(240, 4700), xlabel="vocabulary size", title=f"reading {read}")
    ax.set_xticks([256, 512, 1024, 2048, 4096], ["256", "512", "1,024", "2,048", "4,096"])
    ax.minorticks_off()
axes[0].set_ylabel("bytes per token")
axes[1].legend(frameon=False, title="vocabulary")
plots.show(
    fig,
    alt="Bytes per token against vocabulary size, from 1 at 256 tokens. The curves flatten. Each "
    "corpus is compressed best by its own vocabulary, and far less by the other's.",
)

# %% [markdown]
# A curve ends where no pair is left to merge. On Python's documentation compression grows by about
# {{ docs[1] - docs[0]:.1f }} bytes per token from 1,024 tokens to 2,048, then by less, while the
# embedding doubles, and with it the work of the output layer. GPT-2 chose 50,257: 256 bytes, 50,000
# merges and a *special token*, `<|endoftext|>`, which stands for no text. It marks where a document
# ends, and is looked for before the pattern cuts.

# %%
tokenizer = Tokenizer(small["stories"].merges)  # has <|endoftext|>, as by default
for special in (True, False):
    print(tokenizer.encode("The end.<|endoftext|>", special=special))

# %% [markdown]
# Text from users should be encoded with `special=False`: nobody but you should end your documents.
#
# ## 01.10 Bits per byte
#
# Model A has a loss of 2 nats per token, model B one of 4. Which is better? It depends: if B's
# tokens are long, it predicts more with each. What compares is the cost of the same *text*:
#
# $$\text{bits per byte} = \frac{\text{loss}}{\ln 2} \cdot
# \frac{\text{number of tokens}}{\text{number of bytes}} .$$
#
# By hand: a loss of $\ln 2$ nats is 1 bit per token; with 4 bytes per token that is ¼ bit per byte.
# First a case where we know the answer. The floor of the nursery, in tokens of two vocabularies:

# %%
sample = [s.text for s in storyworld.stories(1000, level="nursery")]
n_bytes = sum(len(text.encode()) for text in sample)
for size in (257, 400):
    tokenizer = Tokenizer.train(sample, size)
    floor = storyworld.entropy("nursery", tokenizer=tokenizer, n=1000)
    per_byte = bits_per_byte(floor.nats_per_token, round(floor.tokens_per_story * 1000), n_bytes)
    print(f"{size} tokens: {floor.nats_per_token:.3f} nats per token, {per_byte:.3f} bits per byte")

# %% [markdown]
# The stories have not changed. Yet per token the floor is far higher with the larger
# vocabulary; per byte it is one number. (A story's end counts as a token: a model must predict
# that, too.)
#
# Now a model. The simplest one that learns is a *bigram* model: it counts which token followed
# which. To pairs never seen it gives a little probability, by how frequent the token is ($n$ counts
# tokens, $N$ is their sum):
#
# $$p(b \mid a) = \frac{n(a, b) + p(b)}{n(a) + 1}, \qquad p(b) = \frac{n(b) + 1}{N + V} .$$


# %%
def bigram_loss(ids, heldout_ids, V):
    """Nats per token of the held-out text, and how many tokens were predicted."""
    n, follows = Counter(ids), Counter(pairwise(ids))
    loss = 0.0
    for a, b in pairwise(heldout_ids):
        p_b = (n[b] + 1) / (len(ids) + V)
        loss -= math.log((follows[a, b] + p_b) / (n[a] + 1))
    return loss / (len(heldout_ids) - 1), len(heldout_ids) - 1


tiny = [0, 1, 0, 1, 0, 2]  # by hand: n(0, 1) = 2 and n(0) = 3, p(1) = 3/9
assert math.isclose(bigram_loss(tiny, [0, 1], V=3)[0], -math.log((2 + 3 / 9) / (3 + 1)))

# %% [markdown]
# *Predict first:* we train it on bytes and on 512, 1,024 and 2,048 tokens. Does its loss per token
# rise or fall? And bits per byte?

# %% tags=["nbval-ignore-output"]
END, scores = "<|endoftext|>", {}
unseen = list(storyworld.stories(2000, 2200, level="meadow"))
lessons = {"stories": corpus("story:meadow", limit=2000, separator=END)}
exams = {"stories": END.join(s.text for s in unseen)}
lessons["python-docs"], exams["python-docs"] = train["python-docs"], heldout["python-docs"]
for name, exam in exams.items():
    n_bytes = len(exam.replace(END, "").encode())
    for size in (257, 512, 1024, 2048):
        tokenizer = Tokenizer(learned[name].merges[: size - 257])
        ids, exam_ids = (tokenizer.encode(END + text + END) for text in (lessons[name], exam))
        loss, n_tokens = bigram_loss(ids, exam_ids, size)
        scores[name, size] = loss, bits_per_byte(loss, n_tokens, n_bytes)
        print(name, size, "nats per token {:.2f}, bits per byte {:.2f}".format(*scores[name, size]))

# %%
n_bytes = len(exams["stories"].replace(END, "").encode())
floor = -math.fsum(s.log_prob for s in unseen) / math.log(2) / n_bytes
sizes = [257, 512, 1024, 2048]
fig, axes = plots.figure(1, 2, size=(9, 3.2))
for ax, i, label in zip(axes, (0, 1), ("nats per token", "bits per byte"), strict=True):
    for name in exams:
        ax.plot(sizes, [scores[name, n][i] for n in sizes], "o-", label=name)
    ax.set(xscale="log", xlim=(240, 2350), ylim=(0, None), xlabel="vocabulary size", ylabel=label)
    ax.set_xticks(sizes, ["257", "512", "1,024", "2,048"])
    ax.minorticks_off()
axes[1].axhline(floor, color="black", linestyle="--", linewidth=1, label="floor of the stories")
axes[1].legend(frameon=False)
plots.show(
    fig,
    alt="A bigram model's loss at four vocabulary sizes. Per token it rises for Python's "
    "documentation; per byte it falls for both corpora. The stories' floor lies far below.",
)
on_docs = [scores["python-docs", n] for n in sizes]
assert on_docs == sorted(on_docs)  # per token: worse and worse
assert on_docs == sorted(on_docs, key=lambda score: -score[1])  # per byte: better and better
assert scores["stories", 2048][1] > 5 * floor

# %% [markdown]
# On Python's documentation the loss per token climbs with the vocabulary, while the text is
# predicted better and better: tokens are longer, so a bigram reaches further back. Who compares
# losses per token would choose bytes.
#
# On the stories we know how far there is to go. The bigram model needs
# {{ scores["stories", 2048][1]:.1f }} bits per byte; the floor is {{ floor:.2f }}. It knows which
# word may follow which, and nothing of who holds the toy. For that a model must look further back:
# chapter 02.
#
# ## Summary
#
# - A text's cost, minus its log-probability, is the sum of its pieces' costs, each given what came
#   before. Its mean under the true probabilities is the entropy: a floor for every model.
# - UTF-8 writes all text with 256 bytes. Nothing is unknown, but texts are long.
# - Words leave a long tail that is never learned, and unknown ones that can't be written.
# - BPE merges the most frequent pair again and again. Encoding replays the merges by rank; decoding
#   joins bytes, and always gives back the text.
# - A pattern cuts the text first, so that tokens do not span words. Mind spaces at the end.
# - A vocabulary fits the text it was learned from. Compare losses in bits per byte.
#
# ## Exercises
#
# 1. **UTF-8 bytes** (bits; 15 minutes, easy). Write the way back, to code points. Refuse what UTF-8
#    forbids: a byte missing, `C0 80` (too long a form), a surrogate, more than `10FFFF`.
# 2. **Pair counts** (data structures; 10 minutes, easy). Count pairs from a `Counter` of different
#    words instead of a list of all. How much work does that save on the stories?
# 3. **Merge** (edge cases; 10 minutes, easy). Write `merge(ids, pair, new_id)` on lists of numbers.
#    Test it on runs such as 1, 1, 1, 1, 1: which pairs overlap, and which of them is merged?
# 4. **Train** (incremental computation; 60 minutes, hard). After a merge, repair only the counts
#    beside it. Compare every merge with `train_bpe`.
# 5. **Encode by rank** (equality of algorithms; 25 minutes, medium). tiktoken looks up the *joined*
#    bytes of a pair instead of the pair. When could the two differ? Search for a case among merges
#    that were learned, then write merges by hand that show one.
# 6. **Bits per byte** (units; 15 minutes, medium). Python's `zlib` compresses text, too. Turn its
#    output into bits per byte and put it beside the bigram model. Why is the comparison unfair?
#
# ## References by section
#
# - 01.1: Eldan & Li 2023, *TinyStories*: small models learn from simple stories; theirs were
#   written by a large model.
# - 01.2: Shannon 1948, *A mathematical theory of communication*, section 6; Cover & Thomas 2006,
#   *Elements of information theory*, theorem 2.6.3.
# - 01.3: RFC 3629, *UTF-8, a transformation format of ISO 10646*, section 3.
# - 01.4: Zipf 1949, *Human behavior and the principle of least effort*.
# - 01.5, 01.6: Gage 1994, *A new algorithm for data compression*; Sennrich, Haddow & Birch 2016,
#   *Neural machine translation of rare words with subword units*, section 3.2, algorithm 1.
# - 01.7, 01.9: Radford et al. 2019, *Language models are unsupervised multitask learners*, sections
#   2.2 and 2.3.
# - 01.9: Petrov et al. 2023, *Language model tokenizers introduce unfairness between languages*.
# - 01.10: Gao et al. 2020, *The Pile*, section 3.1.
