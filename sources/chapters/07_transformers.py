# %% [markdown]
# # 07 The real GPT-2 with transformers
#
# *About 90 minutes to work through, a minute to run.*
#
# **You need:** [chapter 01](01_text_to_tokens.ipynb) (tokens), [chapter 04](04_gpt2.ipynb) (the
# model), [chapter 06](06_generating_text.ipynb) (greedy search and beams).
#
# **Afterwards you can**
#
# 1. run the lines that every article on GPT-2 shows, and say what each of them does;
# 2. tell ids from vectors, and say what the warning about an attention mask is about;
# 3. put weights from elsewhere into a model of your own, and prove that they sit right;
# 4. generate for prompts of unequal length without changing any answer;
# 5. score a text from its first token on, and read a table of zero-shot results with care.


# %% name="imports"
import random
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

import gptlib
from gptlib import GPT, GPTConfig, plots, sampling, storyworld
from gptlib.tokenizer import Tokenizer

torch.set_printoptions(precision=3, sci_mode=False)
torch.set_num_threads(1)  # models this small lose more time sharing work than they save
transformers.utils.logging.disable_progress_bar()

# %% [markdown]
# ## 07.1 The snippet
#
# You have met these lines, or will. They load a trained GPT-2 with Hugging Face's `transformers`
# and let it go on from "Once upon a time". Articles write `"gpt2"` for `NAME`, and the first run
# then fetches 548 MB. We begin with a folder that is here already. `story-gpt` has GPT-2's
# architecture and file format, but it is small, and has read nothing but stories from this course's
# story world. Nothing else in the snippet changes.

# %%
NAME = gptlib.model_path("story-gpt")  # or "gpt2": then it is the real one, from the internet

model = GPT2LMHeadModel.from_pretrained(NAME)
tokenizer = GPT2Tokenizer.from_pretrained(NAME)
input_ids = tokenizer.encode("Once upon a time", return_tensors="pt")
output = model.generate(input_ids, max_length=300)
text = tokenizer.decode(output[0], skip_special_tokens=True)
print(text)

# %% [markdown]
# A story, from a model of {{ f"{model.num_parameters():,}" }} parameters. The rest of this chapter
# takes the lines apart, one by one. In 07.7 we come back with `NAME = "gpt2"`.
#
# ## 07.2 A tokenizer gives ids, not vectors
#
# Many articles say that the tokenizer turns text into vectors which hold its meaning. *Predict
# first:* what shape will `input_ids` have, and what type of number?

# %%
print(input_ids.shape, input_ids.dtype)
for i, token in zip(input_ids[0].tolist(), tokenizer.tokenize("Once upon a time"), strict=True):
    print(f"{i:>6}  {token}")

# %% [markdown]
# One whole number per token, and nothing else. (`Ġ` is how byte-level BPE writes a space.)
# `return_tensors="pt"` only wraps the list into a tensor with a batch dimension. An id is a *name*,
# like the number on a locker: 700 is not more than 600. Our own tokenizer, from the same folder,
# must give the same names. And what if we do arithmetic with names?

# %%
own_tokenizer = Tokenizer.load(NAME)
for some in ("Once upon a time", text, "two  spaces, naïve, 小猫"):
    assert own_tokenizer.encode(some) == tokenizer.encode(some)
tokenizer.decode(input_ids[0] + 1)

# %% [markdown]
# The neighbouring ids have nothing to do with the text. Vectors come in only inside the model.
# `wte`, a table with one row per id, hands out the row. *Predict first:* if you look the vectors up
# yourself and give `model` those instead of ids, how much do the logits change?

# %%
wte = model.transformer.wte.weight.detach()  # (V, C)
vectors = wte[input_ids]  # (1, T) -> (1, T, C): picks rows, computes nothing
with torch.no_grad():
    from_ids = model(input_ids).logits
    from_vectors = model(inputs_embeds=vectors).logits
torch.testing.assert_close(from_vectors, from_ids)
one_hot = F.one_hot(input_ids, len(wte)).float()
torch.testing.assert_close(one_hot @ wte, vectors)  # the same, as a matrix product
print(tuple(input_ids.shape), "->", tuple(vectors.shape), "->", tuple(from_ids.shape))

# %% [markdown]
# Not at all. So whatever a token means to the model must be in its row of `wte`, put there by
# training. Here are some rows, compared by their cosine. *Predict first:* which of these words will
# lie close together?

# %%
WORDS = {"names": "Lily Mia Nora Ruby Ben Tom Max Leo",
         "colours": "red blue green yellow black", "places": "zoo garden park mill"}  # fmt: skip
words = " ".join(WORDS.values()).split()
ids = [tokenizer.encode(" " + word) for word in words]
assert all(len(i) == 1 for i in ids)  # one token each
rows = F.normalize(wte[torch.tensor(ids)[:, 0]], dim=-1)
cosine = rows @ rows.T
kind = torch.tensor([k for k, group in enumerate(WORDS.values()) for _ in group.split()])
same = kind[:, None] == kind
within = cosine[same & ~torch.eye(len(words), dtype=torch.bool)].mean().item()
between = cosine[~same].mean().item()
assert within > between + 0.1
fig, ax = plots.figure(size=(6.6, 5.6))
plots.heatmap(ax, cosine, rows=words, columns=words)
plots.show(
    fig,
    alt="Cosines between the wte rows of 17 words. Brighter squares along the diagonal: names, "
    "colours and places each lie closer to their own kind than to others.",
)

# %% [markdown]
# Words of a kind have a mean cosine of {{ within:.2f }}, others {{ between:.2f }}. Nobody told the
# model that Lily and Ben are names. Words that can stand in the same places get similar rows, and
# none of that is in the ids.
#
# ## 07.3 What `generate` does
#
# Everything in `model.generate` that matters here fits in four lines. Feed all tokens, take the
# last position's logits, append the likeliest token, stop at the end-of-text token.

# %%
END = tokenizer.eos_token_id
mine = input_ids
with torch.no_grad():
    while mine.shape[1] < 300 and mine[0, -1] != END:
        logits = model(mine).logits  # (1, T, V)
        mine = torch.cat([mine, logits[:, -1:].argmax(dim=-1)], dim=1)
assert torch.equal(mine, output)
assert output[0, -1] == END
print(repr(tokenizer.decode(output[0, -5:])))
print(repr(tokenizer.decode(output[0, -5:], skip_special_tokens=True)))

# %% [markdown]
# The same {{ output.shape[1] }} ids. You see what `skip_special_tokens=True` is for, too: the last
# id is {{ END }}, the token `<|endoftext|>`, which ends every text in training. Three settings trip
# people up:
#
# - **Greedy is the default.** The same prompt gives the same story each time. For chapter 06's
#   sampling write `do_sample=True`, and `top_k=0`: `transformers` otherwise keeps only the 50
#   likeliest tokens, without a word.
# - **`max_length` counts the prompt,** `max_new_tokens` does not. Say neither and you get 20 new
#   tokens, and a warning.
# - **Dropout is off,** because `from_pretrained` calls `eval()`. A model that you build from a
#   configuration is in training mode.

# %%
for settings in ({"max_length": 30}, {"max_new_tokens": 30}):
    n_new = model.generate(input_ids, **settings).shape[1] - input_ids.shape[1]
    print(f"{settings}: {n_new} new tokens")
assert not model.training

# %% [markdown]
# ## 07.4 A batch, and the attention mask
#
# Several prompts at once make good use of a processor, but a tensor is a rectangle and prompts are
# not. So the short ones are filled up with a *pad token*. GPT-2 has none: it was never trained with
# one. The usual trick is to reuse the end-of-text token.
#
# *Predict first:* on which side would you pad, if the next token is always read off the last
# column?

# %%
prompts = ["One day", "Once upon a time", "This is the story of Max"]
tokenizer.pad_token = tokenizer.eos_token
fig, axes = plots.figure(2, 1, size=(8, 4))
for ax, side in zip(axes, ("left", "right"), strict=True):
    tokenizer.padding_side = side
    batch = tokenizer(prompts, padding=True, return_tensors="pt")
    look = {"vmin": -3, "vmax": 1.5, "numbers": False, "colorbar": False}
    plots.heatmap(ax, batch.attention_mask, title=f"padded on the {side}", **look)
    ax.set_yticks(range(3), ["prompt 1", "prompt 2", "prompt 3"])
    for row, its_ids in enumerate(batch.input_ids.tolist()):
        for column, i in enumerate(its_ids):
            label = "pad" if i == END else tokenizer.decode(i)
            ax.text(column, row, label, ha="center", va="center", fontsize=9)
plots.show(
    fig,
    alt="Three prompts of unequal length as rows of a rectangle. Padded on the left, all of them "
    "end in the last column; padded on the right, two of them end in pads.",
)

# %% [markdown]
# On the left: `generate` writes behind the last column, so that is where every prompt must end. The
# tokenizer's default is the right side. Now run the batch as the snippet would, with ids alone:

# %% tags=["allow-stderr"]
tokenizer.padding_side = "left"
batch = tokenizer(prompts, padding=True, return_tensors="pt")
print(batch.attention_mask)
_ = model.generate(batch.input_ids, max_new_tokens=1)

# %% [markdown]
# There it is, the warning that is asked about so often. The *attention mask* says which columns are
# text (1) and which are filling (0). We did not hand it over. Could `generate` work it out, as "all
# ids that are not the pad token"? Not here: pad and end-of-text are one id, and a text may hold a
# real end-of-text token. So it takes every column for text, and says so.
#
# For a single prompt that is right, and version 5 keeps quiet. Version 4 warned there as well, and
# added that it sets `pad_token_id` to `eos_token_id`: the token written behind a row that has
# ended while others go on.
#
# **What breaks?** Twelve openings of stories, of 3 to 36 tokens. Each goes on greedily by itself;
# that is the truth to compare with. *Predict first:* of the four ways to batch them, how many of
# the twelve come out the same?

# %%
told = [story.text for story in storyworld.stories(12, level="full", split="train")]
openings = [tokenizer.decode(tokenizer.encode(t)[: 3 * n]) for n, t in enumerate(told, 1)]
N_NEW = 20
transformers.utils.logging.set_verbosity_error()  # it would warn of padding on the right, rightly


def go_on(texts, side="left", use_mask=True):  # -> (B, N_NEW)
    tokenizer.padding_side = side
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    mask = batch.attention_mask if use_mask else torch.ones_like(batch.input_ids)
    output = model.generate(batch.input_ids, attention_mask=mask, max_new_tokens=N_NEW)
    new = output[:, batch.input_ids.shape[1] :]
    return F.pad(new, (0, N_NEW - new.shape[1]), value=END)


alone = torch.cat([go_on([opening]) for opening in openings])

# %%
ways = {(side, mask): go_on(openings, side, mask)
        for side in ("left", "right") for mask in (True, False)}  # fmt: skip
same = {way: (new == alone).all(dim=1).sum().item() for way, new in ways.items()}
for (side, mask), n in same.items():
    print(f"padded on the {side:<5} {'with' if mask else 'without':<7} mask: {n:>2} of 12 the same")
print(f"\n{openings[2]!r} ...")
print("alone:          ", repr(tokenizer.decode(alone[2])))
print("right, no mask: ", repr(tokenizer.decode(ways["right", False][2])))
assert same["left", True] == 12
assert max(n for way, n in same.items() if way != ("left", True)) < 12

# %% [markdown]
# Only one way is right. Without a mask the pads count as text, and they push the words to other
# positions. On the right side the next token is read off a pad, which looks like the end of a
# text. Nothing raises an error.
#
# A mask alone is not all of it, either. GPT-2 adds a vector for each *position*, so the first word
# of a padded row must get position 0, not the number of its column. `generate` works that out from
# the mask. The model itself does not. *Predict first:* is `model(**batch)` right for the last
# column of a left-padded batch?

# %%
tokenizer.padding_side = "left"
batch = tokenizer(openings, padding=True, return_tensors="pt")
positions = (batch.attention_mask.cumsum(dim=1) - 1).clamp(min=0)  # 0 0 0 1 2 ...
with torch.no_grad():
    each = [model(tokenizer.encode(text, return_tensors="pt")).logits[0, -1] for text in openings]
    expected = torch.stack(each)
    mask_only = model(**batch).logits[:, -1]
    both = model(**batch, position_ids=positions).logits[:, -1]
torch.testing.assert_close(both, expected, rtol=0, atol=1e-3)
wrong_by = (mask_only - expected).abs().amax(dim=1)
assert wrong_by[:-1].min() > 0.01  # all but the longest, which has no pads
print("logits wrong by up to", *(f"{error:.1f}" for error in wrong_by))

# %% [markdown]
# Wrong wherever there are pads. If you only *read* a batch, as in training or scoring, the right
# side is the simple one: the causal mask already keeps real tokens from seeing what comes after
# them, and their positions are their columns. There you need neither mask nor positions, as long as
# you ignore the outputs at the pads.

# %%
tokenizer.padding_side = "right"
batch = tokenizer(openings, padding=True, return_tensors="pt")
with torch.no_grad():
    logits = model(batch.input_ids, attention_mask=torch.ones_like(batch.input_ids)).logits
last = batch.attention_mask.sum(dim=1) - 1  # each row's last real token
torch.testing.assert_close(logits[range(12), last], expected, rtol=0, atol=1e-3)

# %% [markdown]
# ## 07.5 The same weights in your own GPT
#
# A checkpoint is a dictionary: names and tensors. Your model has one as well, and loading weights
# from elsewhere means finding out which is which. Here is one block of each, theirs on the left.
# *Predict first:* which of these need more than copying?

# %%
fields = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")
config = GPTConfig(**{field: getattr(model.config, field) for field in fields})
own = GPT(config).eval()  # fresh, random weights
theirs = model.state_dict()
for name, weight in own.state_dict().items():
    if ".h.0." in name and "ln" not in name:
        print(f"{name:<36} {tuple(theirs[name].shape)!s:>12} {tuple(weight.shape)!s:>12}")
print("only theirs:", *(theirs.keys() - own.state_dict().keys()))

# %% [markdown]
# The names agree, because `gptlib` took them from GPT-2. The shapes agree but for the matrices. The
# first code of GPT-2 wrote its linear maps as a convolution of width 1 (`Conv1D`), with weights of
# shape (in, out) for $xW$. PyTorch's `nn.Linear` keeps (out, in) and computes $xW^\top$. So four
# matrices in each block must be transposed. `lm_head.weight` is `wte` once more (chapter 04); we
# drop it.


# %% name="translated"
TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


def translated(theirs, transposed=TRANSPOSED):
    return {name: weight.T if name.endswith(transposed) else weight
            for name, weight in theirs.items() if name != "lm_head.weight"}  # fmt: skip


# %%
own.load_state_dict(translated(theirs))
some_ids = torch.tensor([[END, *tokenizer.encode(told[0])]])
with torch.no_grad():
    expected = model(some_ids).logits
    torch.testing.assert_close(own(some_ids), expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(gptlib.load(NAME)(some_ids), expected, rtol=0, atol=1e-3)
print(f"{expected.numel():,} logits agree")

# %% [markdown]
# `gptlib.load` does the same, with checks. **What breaks if you forget one of the four?** *Predict
# first:* will all of them complain?

# %%
errors = {}
for forgotten in TRANSPOSED:
    slip = GPT(config).eval()
    rest = tuple(name for name in TRANSPOSED if name != forgotten)
    try:
        slip.load_state_dict(translated(theirs, rest))
    except RuntimeError as error:
        print(f"{forgotten:<20} refused:", str(error).splitlines()[1].strip()[:13])
        continue
    with torch.no_grad():
        errors[forgotten] = (slip(some_ids) - expected).abs().max().item()
    print(f"{forgotten:<20} loads without a word")
assert list(errors) == ["attn.c_proj.weight"]
assert errors["attn.c_proj.weight"] > 1

# %% [markdown]
# `attn.c_proj` is square. Transposed or not, it fits, and the logits are wrong by up to
# {{ errors["attn.c_proj.weight"]:.1f }}. Shapes prove little; equal logits on real input prove a
# lot. With equal logits, what is built on them agrees: `gptlib`'s own decoding against `generate`,
# greedy, with beams, and for the padded batch.

# %%
theirs_greedy = model.generate(input_ids, max_new_tokens=80)
greedy = sampling.generate(own, input_ids, max_new_tokens=80, greedy=True, stop_tokens={END})
assert torch.equal(greedy, theirs_greedy)

theirs_beams = model.generate(input_ids, max_new_tokens=40, num_beams=4)
beams = sampling.beam_search(own, input_ids, max_new_tokens=40, n_beams=4, stop_tokens={END})
assert torch.equal(beams.ids[0], theirs_beams)

tokenizer.padding_side = "left"
batch = tokenizer(openings, padding=True, return_tensors="pt")
in_batch = sampling.generate(own, batch.input_ids, attention_mask=batch.attention_mask,
                             max_new_tokens=N_NEW, greedy=True, stop_tokens={END})  # fmt: skip
assert torch.equal(in_batch[:, batch.input_ids.shape[1] :], alone)
print("the same ids: greedy, 4 beams, a batch of 12")

# %% [markdown]
# *Sampled* ids do not agree. Both draw from the same probabilities, but use their random numbers
# in another way, so a seed means something only within one library.
#
# ## 07.6 Scoring a text
#
# A language model can also judge a text that it did not write. The log-likelihood is a sum over
# tokens. Perplexity turns its mean into the number of equally likely tokens that the model
# hesitates between:
#
# $$\ln p(x) = \sum_{t=1}^{T} \ln p(x_t \mid x_{<t}), \qquad
# \text{perplexity} = \exp\left(-\tfrac1T \ln p(x)\right) .$$
#
# By hand: two tokens with probabilities 1/2 and 1/8 have $p = 1/16$, so $\ln p = -2.77$, and the
# perplexity is $\sqrt{16} = 4$.
#
# What stands before the *first* token? In training most stories followed an end-of-text token, so
# we put one there; otherwise $p(x_1)$ would be missing. We count the one at the end, too: that a
# story stops here is part of the story.


# %%
@torch.no_grad()
def log_probs(text):
    """ln p of each token of a text, and of its end: (T + 1,), in nats."""
    ids = torch.tensor([[END, *tokenizer.encode(text), END]])
    logits = model(ids[:, :-1]).logits  # (1, T + 1, V)
    return logits.log_softmax(dim=-1).gather(2, ids[:, 1:, None])[0, :, 0]


ids = torch.tensor([[END, *tokenizer.encode(told[0]), END]])
with torch.no_grad():
    loss = model(ids, labels=ids).loss  # oracle: the mean, made by transformers
    shifted_twice = model(ids[:, :-1], labels=ids[:, 1:]).loss
torch.testing.assert_close(-log_probs(told[0]).mean(), loss)
assert shifted_twice > 10 * loss
print(f"labels=ids: {loss:.2f} nats per token; shifted by hand as well: {shifted_twice:.2f}")

# %% [markdown]
# `transformers` shifts the labels itself. If you do it as well, the model is asked for the token
# after the next one, and no error tells you.
#
# Where does the surprise sit? *Predict first:* which tokens of this story's beginning cost most?

# %%
first = tokenizer.encode(told[0])[:44]
costs = -log_probs(told[0])[:44]
fig, ax = plots.figure(size=(9, 3.2))
ax.bar(range(44), costs)
ax.set_xticks(range(44), [tokenizer.decode(i).strip() or "¶" for i in first], rotation=75)
ax.tick_params(axis="x", labelsize=8)
ax.set(ylabel="−ln p, nats", xlim=(-0.7, 43.7))
plots.show(
    fig,
    alt="What each of the first 44 tokens of a story costs. A few tall bars, where the story "
    "chooses an opening, a name or an event; nearly nothing in between, where words follow.",
)

# %% [markdown]
# The cost is paid where the story makes a choice. In between, grammar and context leave little
# open.
#
# Here we know more than any test set can tell: the world gives the exact probability of each story.
# We score stories that the model was never trained on. On average no model can beat the truth, and
# the distance is a KL divergence (chapter 05).

# %%
held_out = list(storyworld.stories(60, level="full", split="train"))  # training began at 10,000
truth = torch.tensor([story.log_prob for story in held_out])
scores = torch.stack([log_probs(story.text).sum() for story in held_out])
n_tokens = sum(len(tokenizer.encode(story.text)) + 1 for story in held_out)
gap = (truth - scores).mean().item()
per_token, floor = -scores.sum().item() / n_tokens, -truth.sum().item() / n_tokens
perplexity = torch.tensor(per_token).exp().item()
assert gap > 0
assert per_token < 2 * floor
fig, ax = plots.figure(size=(5.4, 4))
ax.scatter(truth, scores, s=14)
ends = [truth.min() - 3, truth.max() + 3]
ax.plot(ends, ends, color="black", linestyle="--", linewidth=1, label="exactly right")
ax.legend(frameon=False)
ax.set(xlabel="true ln p of the story, nats", ylabel="the model's ln p, nats")
plots.show(
    fig,
    alt="Sixty held-out stories as points: the model's log-likelihood over the true one. They "
    "follow the dashed diagonal, and lie below it on average.",
)

# %% [markdown]
# The model gives up {{ gap:.1f }} nats on a whole story: {{ per_token:.3f }} nats per token, where
# the world's own entropy allows {{ floor:.3f }}. As perplexity that is {{ perplexity:.2f }}, a
# number you will see on no real text. Perplexities compare models on *one* text cut into the same
# pieces; across tokenizers use bits per byte (chapter 01).
#
# **What breaks if we damage the text?** Here is one story in three versions. *Predict first:* which
# costs most?

# %%
sentences = [sentence.text for sentence in held_out[1].sentences]
random.Random(0).shuffle(sentences)
versions = {"as told": held_out[1].text, "sentences shuffled": " ".join(sentences),
            "words reversed": " ".join(held_out[1].text.split(" ")[::-1])}  # fmt: skip
damage = {name: -log_probs(version) for name, version in versions.items()}
for name, costs in damage.items():
    print(f"{name:<20} ln p {-costs.sum():8.0f}   perplexity {costs.mean().exp():9.2g}")
assert damage["as told"].sum() < damage["sentences shuffled"].sum() < damage["words reversed"].sum()

# %% [markdown]
# Each sentence of the second is fine by itself; it is their order that the model finds unlikely.
#
# ## 07.7 The real one
#
# The smallest GPT-2 is called "117M" in the paper, and "124M" nearly everywhere else. A bare
# `GPT2Config()` is its configuration, and to count parameters we need no weights:

# %%
with torch.device("meta"):  # shapes without memory
    real_shape = GPT2LMHeadModel(GPT2Config())
n_real = real_shape.num_parameters()
assert n_real == GPTConfig.preset("gpt2").num_parameters
in_wte = real_shape.transformer.wte.weight.numel() / n_real
masks = 12 * 1024 * 1024  # one causal mask per block, which the old file stores as numbers
print(f"{n_real:,} parameters, {in_wte:.0%} of them in wte: {4 * n_real / 1e6:.0f} MB")
print(f"with the masks of its 12 blocks: {4 * (n_real + masks) / 1e6:.0f} MB")

# %% [markdown]
# It has always been 124 million; chapter 04 says more about the slip. The file is larger than the
# parameters, because it holds twelve causal masks, too.
#
# **The next cells use the real GPT-2.** If it is in the hub's cache on this machine, they run at
# once. If it is not and there is a network, they fetch it: 548 MB, once. Offline each says so in
# one line. (With `HF_HUB_OFFLINE=1` in the environment they do not even ask.)


# %% name="hub"
FILES = ("config.json", "vocab.json", "merges.txt", "model.safetensors")


def on_hand(name):
    """Whether a model of the hub is in this machine's cache, fetched if it can be."""
    if all(isinstance(try_to_load_from_cache(name, file), str) for file in FILES):
        return True
    try:
        HfApi().model_info(name, timeout=3)  # a short question before a long answer
        for file in FILES:
            hf_hub_download(name, file)
    except Exception as error:  # offline, no network, a proxy that refuses: here it is all one
        reason = type(error).__name__
        print(f"skipped: {name} is not in the cache, and the hub can't be reached ({reason})")
        return False
    return True


# %% tags=["nbval-ignore-output"] name="hub-snippet"
NAME = "gpt2"
if on_hand(NAME):
    real = GPT2LMHeadModel.from_pretrained(NAME, local_files_only=True)
    real_tokenizer = GPT2Tokenizer.from_pretrained(NAME, local_files_only=True)
    input_ids = real_tokenizer.encode("Once upon a time", return_tensors="pt")
    output = real.generate(input_ids, max_length=50, do_sample=True)
    print(real_tokenizer.decode(output[0], skip_special_tokens=True))

# %% [markdown]
# Your own GPT takes these weights as well, by the function from 07.5, unchanged:

# %% tags=["nbval-ignore-output"] name="hub-own"
if on_hand(NAME):
    fields = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")
    own = GPT(GPTConfig(**{field: getattr(real.config, field) for field in fields})).eval()
    own.load_state_dict(translated(real.state_dict()))
    with torch.no_grad():
        logits, expected = own(input_ids), real(input_ids).logits
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3)
    own_tokenizer = Tokenizer.load(Path(try_to_load_from_cache(NAME, "vocab.json")).parent)
    assert own_tokenizer.encode("Once upon a time") == input_ids[0].tolist()
    print(f"{own.config.num_parameters:,} parameters: ids and {logits.numel():,} logits agree")

# %% [markdown]
# ## 07.8 Zero-shot
#
# Can a model do tasks that it was never trained for? *Zero-shot* means: no example, no further
# training; the task is put so that the likeliest text is the answer. One such task is a cloze. Take
# a story with two children or more, delete the last child's name, and let each candidate fill the
# gap. The model "answers" with the version whose log-likelihood is highest.
#
# *Predict first:* how often would guessing be right? And always taking the child named most often?


# %%
def cloze(story):
    """Where the story's last child's name stands, and the names of all its children."""
    mentions = [m for sentence in story.sentences for m in sentence.mentions]
    children = [m for m in mentions if m.entry.type == "child"]
    named = [m for m in children if story.text[m.start : m.stop] == m.entry.name]  # not "the girl"
    return named[-1], sorted({m.entry.name for m in named})


right, n_asked = {"guess": 0.0, "most frequent": 0, "model": 0, "world": 0}, 0
for story in storyworld.stories(100, level="full", split="train"):
    gap_at, names = cloze(story)
    if len(names) > 1:
        n_asked, before = n_asked + 1, story.text[: gap_at.start]
        filled = {name: before + name + story.text[gap_at.stop :] for name in names}
        answers = {"most frequent": max(names, key=before.count),
                   "model": max(names, key=lambda n: log_probs(filled[n]).sum()),
                   "world": max(names, key=lambda n: storyworld.log_prob(filled[n]))}  # fmt: skip
        right["guess"] += 1 / len(names)
        for who, answer in answers.items():
            right[who] += answer == gap_at.entry.name
share = {who: n / n_asked for who, n in right.items()}
print(f"{n_asked} stories;", ", ".join(f"{who} {s:.0%}" for who, s in share.items()))
assert share["model"] > share["guess"] + 0.1
assert share["world"] > 0.95

# %% [markdown]
# The model was trained on nothing but the next token, and still answers {{ share["model"]:.0% }} of
# the questions; the world's exact probabilities answer {{ share["world"]:.0% }}. But this is its
# own world. *Predict first:* what does it say about France?

# %%
ids = tokenizer.encode("The capital of France is", return_tensors="pt")
print(tokenizer.decode(model.generate(ids, max_new_tokens=25)[0]))

# %% [markdown]
# `story-gpt` has GPT-2's architecture and none of its knowledge. The figures below are not about
# it. They are what Radford et al. (2019) report for the four real GPT-2s, zero-shot, beside the
# best published results of the time.

# %%
COLUMNS = ["LAMBADA PPL", "LAMBADA ACC", "CBT-CN ACC", "CBT-NE ACC", "WikiText2 PPL", "PTB PPL",
           "enwik8 BPB", "text8 BPC", "WikiText103 PPL", "1BW PPL"]  # fmt: skip
TABLE_3 = {  # Radford et al. 2019, table 3
    "earlier best": (99.8, 59.23, 85.7, 82.3, 39.14, 46.54, 0.99, 1.08, 18.3, 21.8),
    "117M": (35.13, 45.99, 87.65, 83.4, 29.41, 65.85, 1.16, 1.17, 37.50, 75.20),
    "345M": (15.60, 55.48, 92.35, 87.1, 22.76, 47.33, 1.01, 1.06, 26.37, 55.72),
    "762M": (10.87, 60.12, 93.45, 88.0, 19.93, 40.31, 0.97, 1.02, 22.05, 44.575),
    "1542M": (8.63, 63.24, 93.30, 89.05, 18.34, 35.76, 0.93, 0.98, 17.48, 42.16),
}
print(f"{'':<16}", *(f"{name:>12}" for name in TABLE_3))
for column, values in zip(COLUMNS, zip(*TABLE_3.values(), strict=True), strict=True):
    print(f"{column:<16}", *(f"{value:>12.2f}" for value in values))
lower_is_better = torch.tensor([not column.endswith("ACC") for column in COLUMNS])
best = torch.tensor(TABLE_3["earlier best"])
better = {name: ((torch.tensor(row) < best) == lower_is_better).sum().item()
          for name, row in TABLE_3.items()}  # fmt: skip

# %% [markdown]
# | task | asks for | metric |
# |---|---|---|
# | LAMBADA | a passage's last word, clear only from all of it | PPL of that word; ACC in % |
# | CBT-CN, CBT-NE | *Children's Book Test*: the missing noun or name, of ten | ACC in % |
# | WikiText2, WikiText103 | Wikipedia articles | PPL per *word* |
# | PTB | *Wall Street Journal* of 1989 (Penn Treebank) | PPL per word |
# | enwik8, text8 | Wikipedia: raw bytes; 26 letters and the space | bits per byte, character |
# | 1BW | news, as sentences in random order (*One Billion Word*) | PPL per word |

# %%
sizes = [GPTConfig.preset(name).num_parameters
         for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")]  # fmt: skip
fig, (left, right_ax) = plots.figure(1, 2, size=(9, 3.6))
for column, (earlier, *values) in zip(COLUMNS, zip(*TABLE_3.values(), strict=True), strict=True):
    task, metric = column.split()
    if metric in ("PPL", "ACC"):
        ax = left if metric == "PPL" else right_ax
        y = [v / earlier if metric == "PPL" else v - earlier for v in values]
        ax.plot(sizes, y, marker="o")
        va = "bottom" if task == "CBT-CN" else "center"  # clear of CBT-NE
        ax.text(sizes[-1] * 1.12, y[-1], task, va=va, fontsize=9)
left.set(yscale="log", ylabel="perplexity / earlier best", yticks=[0.1, 0.3, 1, 3])
left.set_yticklabels(["0.1", "0.3", "1", "3"])
right_ax.set(ylabel="accuracy − earlier best, points")
for ax, level in ((left, 1), (right_ax, 0)):
    ax.plot(sizes[::3], [level, level], color="black", linestyle="--", linewidth=1)
    ax.set(xscale="log", xlabel="parameters, millions", xlim=(1e8, 5e9), xticks=sizes)
    ax.set_xticklabels([f"{size / 1e6:.0f}" for size in sizes])
    ax.minorticks_off()
plots.show(
    fig,
    alt="Left: perplexity relative to the earlier best falls with size on all five texts; on 1BW "
    "it stays above one. Right: accuracy on three tasks rises, but for one dip, to above the best.",
)

# %% [markdown]
# The smallest model beats the earlier best in {{ better["117M"] }} of the 10 rows, the largest in
# {{ better["1542M"] }}. Before you quote such a table, read how it was made:
#
# - Perplexity is per word or per original unit, not per BPE token, or tokenizers could not be
#   compared. The test sets' broken spacing was mended by rules, worth 2.5 to 5 points of perplexity
#   (section 3.1).
# - The 63.24% on LAMBADA needs a filter that bans stop words as answers; without it, it is 52.66%
#   (section 3.3).
# - Some test text stood in the training data: 1 to 6% of the 8-grams, 3.2% on average (section 4).
#
# ## Summary
#
# - A tokenizer gives ids, which are names. Vectors are rows of `wte`, and their meaning comes from
#   training.
# - `generate` is a loop: logits of the last position, choose, append, until the end-of-text token.
# - A batch needs pads on the left to generate, and a mask, and positions that skip the pads. GPT-2
#   has no pad token, so no one can guess the mask.
# - A weight that fits may still be transposed. Compare logits, not shapes.
# - Score from an end-of-text token on. `labels=ids` are shifted for you.
# - "117M" has 124 million parameters.
#
# ## Exercises
#
# 1. **Map a state dict** (names and shapes; 25 minutes, medium). Load these weights into `MyGPT`
#    from chapter 04, whose names have no `transformer.`, and back into a fresh `GPT2LMHeadModel`.
# 2. **Score a text** (indexing; 20 minutes, medium). Score a batch of unequal texts in one forward
#    pass, padded on the right. Each score must equal `log_probs(text).sum()`.
# 3. **Batched generation** (padding; 25 minutes, medium). Write `generate` for a left-padded batch
#    on `model(...)` alone: mask, positions, and rows that end at different steps.
# 4. **Repetition** (reading source; 15 minutes, easy). Find in `transformers` what
#    `no_repeat_ngram_size=2` does, and say why it is a bad idea in a story with names.
# 5. **The real one** (needs the internet; 30 minutes, medium). Give `gpt2` a paragraph and then
#    "TL;DR:". Sample with `top_k=2`, as in section 3.6 of the paper. Is it a summary? What changes
#    without the hint?
# 6. **An own cloze** (experiments; 30 minutes, hard). Delete the last *object* instead of the last
#    name, with all objects of the world as candidates. Compare with guessing by frequency.
#
# ## References by section
#
# - 07.2, 07.3: `transformers` 5, `GPT2Tokenizer` and `GenerationMixin.generate`.
# - 07.5, 07.7: Radford et al. 2019, *Language models are unsupervised multitask learners* (GPT-2),
#   section 2.3 and table 2.
# - 07.8: the same, section 3 and table 3; section 4 on overlap with the training data.
# - 07.8: Paperno et al. 2016, *The LAMBADA dataset*; Hill et al. 2016, *The Goldilocks principle*
#   (Children's Book Test); Merity et al. 2017, *Pointer sentinel mixture models* (WikiText);
#   Chelba et al. 2014, *One billion word benchmark*.
