# %% [markdown]
# # 08 Fine-tuning
#
# *About 90 minutes to work through, two minutes to run.*
#
# **You need:** [chapter 04](04_gpt2.ipynb) (the model), [chapter 05](05_pretraining.ipynb)
# (training, nats), and what rank and singular values of a matrix are.
#
# **Afterwards you can**
#
# 1. put a classification head on a GPT, and read it at the right token;
# 2. turn a task into prompts and answers, and say which tokens count in the loss;
# 3. write a LoRA layer by hand, merge it, and say why one of its matrices begins at zero;
# 4. choose what to train by accuracy, memory and time;
# 5. measure in nats what a model has forgotten.
#
# Pretraining reads much text and asks for nothing but the next token. *Fine-tuning* goes on from
# there, with few examples of what you want. `story-gpt` has read nothing but stories. We teach it
# to say how a sentence feels.

# %% name="imports"
import statistics
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch
import transformers
from torch import nn
from transformers import GPT2ForSequenceClassification, GPT2LMHeadModel

import gptlib
from gptlib import GPT, finetuning, plots, storyworld, training
from gptlib.device import seed_everything
from gptlib.evaluation import baselines
from gptlib.finetuning import LabelledBatches, SequenceClassifier, add_lora, label_loss
from gptlib.finetuning.instructions import Conversations, InstructionBatches, Turn
from gptlib.model import next_token_loss
from gptlib.recipes.measure import nats
from gptlib.sampling import complete
from gptlib.storyworld import tasks
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import AttentionExplorer

torch.set_num_threads(1)  # models this small lose more time sharing work than they save
transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()
SEED = 0  # of fresh weights, and of the order in which sentences come
EXPECTED = {"full": (0.74, 0.94), "lora": (0.7, 0.94)}  # accuracy, from three pairs of seeds

# %% [markdown]
# ## 08.1 A head for labels
#
# The story world knows how each sentence feels to those it is about. We take 640 sentences to learn
# from and 300 to test on. The test sentences are of stories and of combinations of words that
# neither pretraining nor fine-tuning ever shows.

# %% name="sentences"
LABELS = ("negative", "neutral", "positive")
folder = gptlib.model_path("story-gpt")
tokenizer = Tokenizer.load(folder)
END = tokenizer.special_tokens["<|endoftext|>"]


def sentences(split, first, n):
    found = {}  # each sentence once
    for example in tasks.examples("sentiment", split, first):
        found.setdefault(example.text, LABELS.index(example.label))
        if len(found) == n:
            return list(found), list(found.values())


train_texts, train_labels = sentences("train", 10_000, 640)
test_texts, test_labels = sentences("test", 0, 300)
assert not set(train_texts) & set(test_texts)
train_rows, test_rows = (list(map(tokenizer.encode, t)) for t in (train_texts, test_texts))
for text, label in list(zip(train_texts, train_labels, strict=True))[:6]:
    print(f"{LABELS[label]:<9} {text}")

# %% [markdown]
# *Predict first:* how often is somebody right who always says "neutral"? And somebody who lets each
# word vote with the labels of the sentences that it was in?

# %%
without_model = {}
for name, rule in {
    "always the commonest": baselines.Majority(map(str, train_labels)),
    "votes of words": baselines.WordVote(train_texts, map(str, train_labels)),
}.items():
    said = rule.predict(test_texts)
    without_model[name] = np.mean([int(s) == t for s, t in zip(said, test_labels, strict=True)])
    print(f"{name:<22}{without_model[name]:.0%}")

# %% [markdown]
# These are the numbers to beat. Now the model. Its blocks turn each token into a vector of width
# $C$, the last LayerNorm's output, from which `lm_head` makes logits. Put another matrix there,
# with a row for each label: a *head*. But a sentence has many vectors. Which one?
#
# A token sees only what stands before it. So the first token's vector knows the first token, and
# the *last* one's is the only one that has read the whole sentence (Radford et al. 2018, section
# 3.2). On paper, with $C = 2$: the text is two tokens long, the third place is padding.
#
# | | token 1 | token 2 | padding |
# |---|---|---|---|
# | vector | (0, 3) | (−2, 1) | (9, 0) |
#
# The head's rows are negative (−1, 0), neutral (0, 1), positive (1, 0). *Predict first:* which
# label does the text get? And which one if you read the last place?


# %% name="classifier"
class Classifier(nn.Module):
    def __init__(self, gpt, n_labels):
        super().__init__()
        self.transformer = gpt.transformer  # shared: training this changes the GPT
        self.score = nn.Linear(gpt.config.n_embd, n_labels, bias=False)

    def forward(self, idx, attention_mask):
        hidden = self.transformer(idx)  # (B, T, C)
        last = attention_mask.sum(dim=1) - 1  # padding is on the right
        return self.score(hidden[torch.arange(len(idx)), last])  # (B, L)


paper = torch.tensor([[0.0, 3.0], [-2.0, 1.0], [9.0, 0.0]])
head = torch.tensor([[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
for name, place in (("last token", 1), ("last place", 2)):
    scores = head @ paper[place]
    print(f"{name}: scores {scores.tolist()}, so {LABELS[scores.argmax()]}")

# %% [markdown]
# Padding on the right does no harm to the vectors, since no token looks ahead; it must only not be
# *read*. Now with real weights, against gptlib and transformers. The latter gets no mask: it looks
# for the last token that is not `pad_token_id`.

# %% name="head"
seed_everything(SEED)
gpt = gptlib.load("story-gpt")
config = gpt.config
mine, theirs = Classifier(gpt, 3), SequenceClassifier(gpt, 3)
oracle = GPT2ForSequenceClassification.from_pretrained(folder, num_labels=3, pad_token_id=END)
for other in (theirs, oracle):
    other.score.weight.data = mine.score.weight.data.clone()

test_set = LabelledBatches(test_rows, test_labels, batch_size=50, pad=END)
idx, attention_mask, labels = next(test_set.in_order())
with torch.no_grad():
    scores = mine(idx, attention_mask)
    torch.testing.assert_close(theirs(idx, attention_mask), scores)
    torch.testing.assert_close(oracle(idx).logits, scores, rtol=1e-4, atol=1e-4)
print("idx", tuple(idx.shape), "-> scores", tuple(scores.shape))

# %% [markdown]
# The loss is cross-entropy over labels instead of tokens; all else is chapter 05's `train`. We give
# the model 50 batches of 16 sentences. *Predict first:* a model of the same shape with random
# weights gets the same sentences at the same learning rate (of three tried, the best for it). Both
# begin near $\ln 3$. Where will they be at the end?

# %% name="tune"
STEPS = 50
SEEDS = (SEED, SEED + 10)
runs = {}  # what trains -> a run for each seed


@torch.no_grad()
def accuracy(model):
    right = [(model(i, m).argmax(dim=1) == t).float() for i, m, t in test_set.in_order()]
    return torch.cat(right).mean().item()


def tune(way, seed, lr):
    seed_everything(seed)
    gpt = GPT(config) if way == "from scratch" else gptlib.load("story-gpt")
    model = SequenceClassifier(gpt, len(LABELS))
    if way == "LoRA":
        add_lora(model, rank=8)  # 08.3
    elif way != "from scratch":
        finetuning.train_only(model, way)  # 08.4
    batches = LabelledBatches(train_rows, train_labels, batch_size=16, seed=seed, pad=END)
    plan = training.TrainingConfig(STEPS, lr=lr, weight_decay=0.0, device="cpu")
    history = training.train(model, batches, plan, loss=label_loss)
    ms = 1000 * np.median(np.diff(history.seconds))
    found = {"gpt": gpt, "loss": history.loss, "accuracy": accuracy(model), "ms": ms}
    return SimpleNamespace(model=model, n=finetuning.n_trainable(model), **found)


def average(way, what="accuracy"):
    return statistics.fmean(getattr(run, what) for run in runs[way])


# %% name="against-scratch"
RATES = {"from scratch": 3e-4, "all": 3e-4}
for way, lr in RATES.items():
    runs[way] = [tune(way, seed, lr) for seed in SEEDS]
full = average("all")
assert EXPECTED["full"][0] < full < EXPECTED["full"][1]

# %%
fig, (left, right) = plots.figure(1, 2, size=(9.5, 3.2), width_ratios=[1.5, 1])
names = {"from scratch": "from scratch", "all": "pretrained"}
for color, (way, name) in zip(plots.COLORS[1::-1], names.items(), strict=False):
    for run, label in zip(runs[way], (name, None), strict=True):
        left.plot(range(1, STEPS + 1), plots.smooth(run.loss, 5), color=color, label=label)
        right.plot(run.accuracy, name, "o", color=color)
left.axhline(np.log(3), color="black", linestyle="--", linewidth=1)
left.set(xlabel="step", ylabel="loss (nats a label)", ylim=(0, None))
left.legend(frameon=False)
for name, share in without_model.items():
    right.plot(share, name, "kx")
right.set(xlabel="accuracy on new sentences", xlim=(0.3, 1))
right.invert_yaxis()
plots.show(
    fig,
    alt="Left, the loss of two seeds each: from random weights it leaps up and ends a little below "
    "ln 3 (dashed), from pretrained weights it falls to 0.2. Right: the accuracies are far apart.",
)
assert full > average("from scratch") + 0.1
assert average("from scratch") < without_model["votes of words"] < full

# %% [markdown]
# After the same {{ STEPS }} steps the pretrained model is right on {{ full:.0% }} of the new
# sentences. The other is right on {{ average("from scratch"):.0% }} (means of two seeds), less than
# the votes of words. Nobody told the story model what a feeling is. But after a bad turn stories go
# on otherwise than after a good one, so there was something to be learned. How much of it can be
# read off at once? 08.4 will say.
#
# **What breaks if the head reads the last place,** padding or not? *Predict first:* the model is
# the trained one, only the reading is wrong.

# %%
model = runs["all"][0].model
right = total = 0
for idx, mask, labels in test_set.in_order():
    padded = ~mask[:, -1].bool()
    right += (model(idx).argmax(dim=1) == labels)[padded].sum().item()  # no mask given
    total += padded.sum().item()
misread = right / total
assert misread < full - 0.05

# %% [markdown]
# Of the {{ total }} rows that have padding {{ misread:.0% }} are right. There is no error message;
# only the accuracy tells.
#
# ## 08.2 Instructions
#
# A head knows one task. But the model has an output layer that can say anything: words. Write the
# task as a text, the *prompt*, and let the model go on with the *answer*:
#
#     Ben was very sad.
#     Mood: negative<|endoftext|>
#
# Then one model can have many tasks, each with its own prompt, and nothing new has to be built.
# The end belongs to the answer, or the model would not learn to stop. Training is next-token
# prediction again, with one change: the prompt is given, so only the answer's tokens are to be
# learned. All other targets are −100. This is the *loss mask*.
#
# By hand, with prompt 5 6 7, answer 8 9 and the end 0: the row is 5 6 7 8 9 0.
#
# | | | | | | |
# |---|---|---|---|---|---|
# | `idx` | 5 | 6 | 7 | 8 | 9 |
# | `targets` | −100 | −100 | 8 | 9 | 0 |
#
# The last token of the prompt foretells the answer's first, so the prompt hides one target less
# than it has tokens.

# %%
PROMPT = "\nMood:"


def example(prompt, answer):
    row = [*prompt, *answer, END]
    targets = [-100] * (len(prompt) - 1) + row[len(prompt) :]
    return torch.tensor([row[:-1]]), torch.tensor([targets])


def conversations(texts, labels):
    turns = ([Turn(t + PROMPT, f" {LABELS[n]}")] for t, n in zip(texts, labels, strict=True))
    return Conversations.encode(turns, tokenizer)


learn = conversations(train_texts, train_labels)
prompt, answer = train_texts[0] + PROMPT, f" {LABELS[train_labels[0]]}"
idx, targets = example(*map(tokenizer.encode, (prompt, answer)))
first = replace(learn, ends=learn.ends[:1])
theirs_idx, theirs_targets = next(InstructionBatches(first, batch_size=1).in_order())
T = idx.shape[1]
assert torch.equal(theirs_idx[:, :T], idx)
assert torch.equal(theirs_targets[:, :T], targets)
assert (theirs_targets[:, T:] == -100).all()  # filled up

# %% [markdown]
# transformers wants the row as `input_ids` and again as `labels`, −100 in the prompt, and moves the
# labels by one itself. Whoever moves them as well teaches the model the token after next.

# %%
row = torch.cat([idx, torch.tensor([[END]])], dim=1)
labels = row.clone()
labels[0, : len(tokenizer.encode(prompt))] = -100
oracle = GPT2LMHeadModel.from_pretrained(folder)
with torch.no_grad():
    loss = next_token_loss(gpt(idx), targets)
    torch.testing.assert_close(oracle(input_ids=row, labels=labels).loss, loss)
n_counted = (targets != -100).sum().item()
print(f"{T} targets, {n_counted} count; the untuned model pays {loss:.1f} nats for each")

# %% [markdown]
# Several questions about one text can share it: they are turns of one conversation. Below are
# two turns, three times. Coloured are the tokens that the model must foretell. *Predict first:* how
# many of the tokens are coloured in the first picture? (Tokens are separated by gaps.)

# %%
talk = [Turn("Ben was very sad.\nMood:", " negative"), Turn("\nName:", " Ben")]
talk = Conversations.encode([talk], tokenizer)
masks = {
    "answers only": talk.learned,
    "answers without their end": talk.learned & (talk.ids != END),
    "everything": np.arange(len(talk.ids)) > 0,
}
fig, axes = plots.figure(3, 1, size=(9.5, 2.6))
for ax, (name, learned) in zip(axes, masks.items(), strict=True):
    x = 0
    for token, counts in zip(talk.ids, learned, strict=True):
        text = "END" if token == END else tokenizer.decode([int(token)])
        text = text.replace(" ", "·").replace("\n", "↵")
        box = {"facecolor": plots.COLORS[1] if counts else "#e8e8e8", "edgecolor": "none"}
        ax.text(x, 0, text, family="monospace", fontsize=12, bbox={"pad": 2.5, **box})
        x += len(text) + 1
    ax.set(xlim=(0, 91), ylim=(-0.3, 1), title=f"{name}: {learned.sum()} of {len(learned)}")
    ax.title.set(fontsize=10, ha="left", x=0)
    ax.axis("off")
plots.show(
    fig,
    alt="The tokens of a sentence with two questions. Answers only: negative in four pieces, Ben, "
    "and an end after each are coloured. Below, the same without the ends; then every token.",
)

# %% [markdown]
# We tune all weights on prompts, once for each picture, and let the model answer greedily. Only
# the exact word counts. *Predict first:* what does it cost to learn the prompt, too? And what does
# a model do that never learned the end?

# %% name="instruct"
told = {}  # what is learned -> a model for each seed


def instruct(learned, seed):
    seed_everything(seed)
    gpt = gptlib.load("story-gpt")
    batches = InstructionBatches(replace(learn, learned=learned), batch_size=16, seed=seed)
    plan = training.TrainingConfig(STEPS, lr=RATES["all"], weight_decay=0.0, device="cpu")
    training.train(gpt, batches, plan)
    prompts = [text + PROMPT for text in test_texts[:200]]
    said = complete(gpt, tokenizer, prompts, max_new_tokens=12, greedy=True)
    right = [s == f" {LABELS[n]}" for s, n in zip(said, test_labels, strict=False)]
    return SimpleNamespace(gpt=gpt, said=said, accuracy=np.mean(right))


told["answers only"] = [instruct(learn.learned, seed) for seed in SEEDS]
told["everything"] = [instruct(np.ones_like(learn.learned), seed) for seed in SEEDS]
no_end = instruct(learn.learned & (learn.ids != END), SEED)
shares = {n: " and ".join(f"{run.accuracy:.0%}" for run in found) for n, found in told.items()}
assert min(run.accuracy for run in told["answers only"]) > without_model["always the commonest"]
assert no_end.accuracy < 0.1

# %% tags=["nbval-ignore-output"]
for name, said in {
    "untuned": complete(gpt, tokenizer, test_texts[0] + PROMPT, max_new_tokens=12, greedy=True),
    "answers only": told["answers only"][0].said[0],
    "everything": told["everything"][0].said[0],
    "no end": no_end.said[0],
}.items():
    print(f"{name:<14}{said!r}")

# %% [markdown]
# The untuned model goes on with a story. Tuned, it gives the right word for
# {{ shares["answers only"] }} of 200 sentences, by seed, and stops. The head did better in as many
# steps: here the model must also learn to spell words that it has never written.
#
# With the prompt learned, too, it is {{ shares["everything"] }}: only
# {{ learn.learned.mean():.0% }} of the tokens are answers, and the rest of the gradient is about
# telling sentences. (The standard error of each share is three points.) The mask is no law, though:
# Shi et al. (2024) found cases, with long prompts, short answers and few examples, where learning
# the prompt helped.
#
# Without the end the model answers and goes on, for nobody has told it what comes next:
# {{ no_end.accuracy:.0% }} are right. The end is a token like any other, and must be learned.
#
# ## 08.3 LoRA
#
# Full fine-tuning gives every task its own copy of all weights. For `story-gpt` that is
# {{ config.num_parameters * 4 / 1e6:.0f }} MB a task, for GPT-2 XL 6 GB. *Low-rank adaptation*,
# LoRA (Hu et al. 2022), leaves a weight $W$ as it is and learns its *change*, as a product of two
# thin matrices:
#
# $$y = W x + \frac{\alpha}{r}\, B A\, x, \qquad A: r \times n_\text{in}, \quad
# B: n_\text{out} \times r .$$
#
# $r$ is the rank of the change, at most; $\alpha$ scales it. By hand, with $r = 1$:
# $B = (2, 0, 1)^\top$ and $A = (1, -1, 0)$ give
#
# $$B A = \begin{pmatrix} 2 & -2 & 0 \\ 0 & 0 & 0 \\ 1 & -1 & 0 \end{pmatrix} :$$
#
# nine numbers from six, each row a multiple of $A$. *Predict first:* how many numbers train for a
# map from 256 to 1024 with $r = 8$, and what share of its weights is that?


# %%
class LoRA(nn.Module):
    def __init__(self, base, rank, alpha):
        super().__init__()
        n_out, n_in = base.weight.shape
        self.base, self.scale = base.requires_grad_(False), alpha / rank
        self.A = nn.Parameter(torch.randn(rank, n_in) / n_in**0.5)
        self.B = nn.Parameter(torch.zeros(n_out, rank))

    def forward(self, x):
        return self.base(x) + self.scale * (x @ self.A.T @ self.B.T)


n_lora, n_full = finetuning.n_trainable(LoRA(nn.Linear(256, 1024), 8, 16)), 256 * 1024
print(f"{n_lora:,} of {n_full:,}: {n_lora / n_full:.1%}")
torch.manual_seed(0)
base, x = nn.Linear(5, 3), torch.randn(4, 5)
mine, theirs = LoRA(base, 2, 16), finetuning.LoRALinear(base, 2, 16)
mine.B.data.normal_()
theirs.lora_A.data, theirs.lora_B.data = mine.A.data, mine.B.data
y = base(x).detach().clone()  # oracle: the sums, one number at a time
for b, i, r, j in np.ndindex(4, 3, 2, 5):
    y[b, i] += 16 / 2 * (mine.B[i, r] * mine.A[r, j] * x[b, j]).item()
torch.testing.assert_close(mine(x), y)
torch.testing.assert_close(theirs(x), y)

# %% [markdown]
# $x A^\top B^\top$ goes through $r$ numbers; $BA$ itself is never formed. After training it can be:
# $W + \frac\alpha r BA$ is one matrix again, and the model is as fast as before. `add_lora` puts
# such a layer beside every linear map inside the blocks, and freezes all else but a head.
#
# $A$ begins random, $B$ at zero, so the model begins as it was. **What breaks if $B$ is random,
# too? Or if both are zero?** *Predict first:* what does a story cost at the start, and which
# gradients are zero?

# %% name="held-out"
held = [storyworld.story(seed, split="train").text for seed in range(16)]  # never trained on


def story_cost(model):  # nats a story
    return statistics.fmean(nats(model, tokenizer, held, batch_size=4))


before = story_cost(gpt)

# %%
batch = next(LabelledBatches(train_rows, train_labels, batch_size=16, pad=END))
start_cost = {}
print(f"{'':<14}{'gradient of A':>14}{'of B':>8}")
for name in ("B zero", "both random", "both zero"):
    seed_everything(SEED)
    body = gptlib.load("story-gpt")
    model = SequenceClassifier(body, 3)
    add_lora(model, rank=8)
    adapters = finetuning.lora_layers(model).values()
    for layer in adapters:
        if name == "both zero":
            layer.lora_A.data.zero_()
        if name == "both random":
            nn.init.kaiming_uniform_(layer.lora_B, a=5**0.5)  # as nn.Linear draws it
    start_cost[name] = story_cost(body) / before
    label_loss(model, *batch).backward()
    grads = zip(*((layer.lora_A.grad, layer.lora_B.grad) for layer in adapters), strict=True)
    of_A, of_B = ("some" if any(map(torch.any, some)) else "zero" for some in grads)
    print(f"{name:<14}{of_A:>14}{of_B:>8}")
assert abs(start_cost["B zero"] - 1) < 1e-4
assert start_cost["both random"] > 1.5

# %% [markdown]
# With $B = 0$ the model is the old one, and $B$ gets a gradient at once; $A$ follows as soon as $B$
# has moved. With both zero nothing ever moves: each one's gradient passes through the other. With
# both random a story costs {{ start_cost["both random"]:.1f }} times as much before the first step:
# fine-tuning would have to begin with a repair.

# %% name="low-rank"
RATES["LoRA"] = 3e-3
runs["LoRA"] = [tune("LoRA", seed, RATES["LoRA"]) for seed in SEEDS]
lora = average("LoRA")
assert EXPECTED["lora"][0] < lora < EXPECTED["lora"][1]

merged, _, labels = next(test_set.in_order())
adapted = runs["LoRA"][1].model
with torch.no_grad():
    scores = adapted(merged, merged != END)
    finetuning.merge_lora(adapted)
    torch.testing.assert_close(adapted(merged, merged != END), scores, rtol=1e-3, atol=1e-3)
assert not any("lora" in name for name, _ in adapted.named_parameters())

# %% [markdown]
# {{ lora:.0% }} right, with {{ runs["LoRA"][0].n / runs["all"][0].n:.1% }} of the numbers trained;
# full fine-tuning got {{ full:.0% }}. How alike are the two changes? *Predict first:* of 256
# singular values, how many are not zero in LoRA's change? In the full one's?

# %%
where = "transformer.h.2.attn.c_proj"
old = gpt.get_submodule(where).weight.data
layers = {"LoRA": runs["LoRA"][0].gpt, "full": runs["all"][0].gpt}
changes = {name: body.get_submodule(where).weight.data - old for name, body in layers.items()}
fig, axes = plots.figure(1, 3, size=(9.8, 3), width_ratios=[1, 1, 1.2])
for ax, (way, change) in zip(axes, changes.items(), strict=False):
    corner = change[:48, :48]
    title = f"{way}: a corner of 48 by 48"
    plots.heatmap(ax, corner, title=title, diverging=True, colorbar=False)
    values = torch.linalg.svdvals(change)
    axes[2].semilogy(range(1, 257), (values / values[0]).clamp(min=1e-6), label=way)
    first_eight = ((values[:8] ** 2).sum() / (values**2).sum()).item()
axes[2].set(xlabel="singular value", ylabel="share of the largest", ylim=(1e-5, 2))
axes[2].legend(frameon=False)
plots.show(
    fig,
    alt="Two changes of the same weight matrix. LoRA's is striped, as each row is a mix of eight "
    "rows, and its singular values end after eight. Full fine-tuning's has all 256.",
)
assert (torch.linalg.svdvals(changes["LoRA"])[8:] < 1e-5).all()

# %% [markdown]
# Eight, by construction, and all 256. Of the squared length of the full change its first eight
# directions hold {{ first_eight:.0% }}; the rest is spread thin over all others, for AdamW
# moves *every* weight by about $\eta$ at first, whatever its gradient (05.4). Whether that rest is
# needed cannot be seen here. On code and mathematics Biderman et al. (2024) found full changes to
# have many times the rank of a usual LoRA, and to learn more.
#
# What became of attention? The explorer shows the model before and after. *Predict first:* are the
# patterns new, or the old ones shifted? Go through the layers.

# %% name="explorer"
AttentionExplorer({"before": gpt, "after": layers["full"]}, tokenizer, test_texts[0], layer=3)

# %% [markdown]
# ## 08.4 Which layers to train
#
# Less can be trained by freezing, too: the head alone, or the last block or two with it. Each way
# trains for {{ STEPS }} steps, at a learning rate of its own: the fewer numbers train, the higher.
# (We tried two or three for LoRA and the full change, and no more.) *Predict first:* order the five
# by accuracy. Which one is the fastest?

# %% name="ways"
RATES |= {"head": 3e-2, "last-1": 1e-3, "last-2": 5e-4}
for way in ("head", "last-1", "last-2"):
    runs[way] = [tune(way, seed, RATES[way]) for seed in SEEDS]

# %% [markdown]
# A step needs memory for three things besides the weights: what the forward pass keeps for the
# backward pass, the gradients, and AdamW's two moments. The last two are three numbers for each
# number that trains. The first we count, by a hook on every tensor that autograd keeps.


# %%
def kept_for_backward(model):
    weights = {w.untyped_storage().data_ptr() for w in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        label_loss(model, *batch)
    return sum(kept.values()) / 2**20


WAYS = ("head", "last-1", "last-2", "LoRA", "all")
table = {}
for way in WAYS:
    run = runs[way][0]
    adam, kept = 3 * 4 * run.n / 2**20, kept_for_backward(run.model)
    table[way] = f"| {way} | {run.n:,} | {average(way):.0%} | {adam:.2f} | {kept:.1f} |"
    table[way] += f" {average(way, 'ms'):.0f} |"

# %% [markdown]
# | trains | numbers | accuracy | gradients, moments (MiB) | kept for backward (MiB) | ms a step |
# |---|---|---|---|---|---|
# {{ table["head"] }}
# {{ table["last-1"] }}
# {{ table["last-2"] }}
# {{ table["LoRA"] }}
# {{ table["all"] }}

# %%
fig, ax = plots.figure(size=(7.5, 3.4))
assert average("head") < min(average("LoRA"), average("all"))
for way, color in zip(WAYS, plots.COLORS, strict=False):
    ax.semilogx([r.n for r in runs[way]], [r.accuracy for r in runs[way]], "o", color=color)
    highest = max(run.accuracy for run in runs[way])
    ax.text(runs[way][0].n, highest + 0.02, way, ha="center", color=color)
for name, share in without_model.items():
    ax.axhline(share, color="black", linestyle=":", linewidth=1)
    ax.text(9e6, share - 0.01, name, ha="right", va="top", fontsize=9)
ax.set(xlabel="numbers that train", ylabel="accuracy", ylim=(0.4, 1), xlim=(500, 1e7))
plots.show(
    fig,
    alt="Accuracy against the number of trained weights, two seeds a way. The head is "
    "no better than the votes of words; LoRA, with a thirtieth of the weights, is near the best.",
)

# %% [markdown]
# - The **head** alone is right on {{ average("head"):.0% }}: so much can be read off the untouched
#   vectors by one matrix, and votes of words can do as well. It takes the blocks to join the words.
#   But it is by far the cheapest: no gradient passes a block, so nothing is kept.
# - **LoRA** saves most of the gradients and moments, and nothing of what is kept: its lowest
#   adapters sit in the first block, so the backward pass goes all the way down. Do not count on
#   speed either: a step took {{ average("LoRA", "ms") / average("all", "ms"):.0% }} of a full one's
#   time. The larger the model, the more the first saving is worth: for GPT-3 Hu et al. (2022,
#   section 4.2) report 350 GB instead of 1.2 TB.
# - **last-1** trains more numbers than LoRA, and keeps a quarter: below the block that trains,
#   nothing is kept.
#
# With 300 test sentences the standard error is two points: do not read an order into smaller
# differences. Times are of the machine that built this page.
#
# ## 08.5 What is forgotten
#
# None of the runs saw a whole story. Can the tuned models still tell one? A classifier's blocks are
# still a GPT's: put the output layer back on them, and read {{ len(held) }} stories that no run has
# seen. Untuned, a story costs {{ before:.1f }} nats. *Predict first:* order the ways by what
# is lost. For one of them you can be sure.

# %% name="forgetting"
lost = {way: [story_cost(run.gpt) - before for run in runs[way]] for way in WAYS}
for name, models in told.items():
    lost[f"prompts, {name}"] = [story_cost(run.gpt) - before for run in models]
assert max(map(abs, lost["head"])) < 1e-3
with finetuning.without_lora(runs["LoRA"][0].model):
    assert abs(story_cost(runs["LoRA"][0].gpt) - before) < 1e-3

too_fast = {times: tune("all", SEED, times * RATES["all"]) for times in (3, 10)}
fast_lost = {times: story_cost(run.gpt) - before for times, run in too_fast.items()}
lost |= {f"all, learning rate × {times}": [nats_lost] for times, nats_lost in fast_lost.items()}
others = [value for way in WAYS[1:] for value in lost[way]]
assert min(fast_lost.values()) > 3 * max(others)
assert too_fast[3].accuracy > without_model["votes of words"]

# %%
fig, ax = plots.figure(size=(8, 3.4))
for way, values in lost.items():
    ax.barh(way, np.mean(values), color=plots.COLORS[4])
    ax.plot(values, [way] * len(values), "o", color="black", markersize=4)
ax.set_xscale("symlog", linthresh=1)
ax.invert_yaxis()
ax.set(xlabel=f"nats lost a story (a story costs {before:.0f})")
plots.show(
    fig,
    alt="Nats lost a story, by what was trained. The head loses none, adapters and blocks at most "
    "a dozen, prompts some tens, and full fine-tuning at too high a learning rate hundreds.",
)

# %% [markdown]
# - The **head** alone loses nothing: the blocks are the old ones. And **LoRA** can be taken off:
#   the `with` block above gives the old model back, exactly.
# - The others lose {{ min(others):.1f }} to {{ max(others):.1f }} nats of {{ before:.0f }}, and the
#   two seeds of one way differ several times over. Nothing in the loss asks a model to stay what it
#   was, so how much it changes is left to chance.
# - **Prompts** lose more than heads at the same learning rate. They train the model to *say* other
#   things, and its output layer is its token embedding, too (04.6).
# - **What breaks if the learning rate is too high?** At three times the rate the classifier is
#   right on {{ too_fast[3].accuracy:.0% }}, and nothing in 08.4 would make you suspect it. But
#   {{ fast_lost[3]:.0f }} nats are lost: the stories are gone. At ten times the rate it is
#   {{ too_fast[10].accuracy:.0% }} and {{ fast_lost[10]:.0f }} nats.
#
# *Predict first:* how does such a model tell a story?

# %% tags=["nbval-ignore-output"]
for name, body in {"all": runs["all"][0].gpt, "three times the rate": too_fast[3].gpt}.items():
    said = complete(body, tokenizer, "Once upon a time", max_new_tokens=40, seed=1)
    print(f"--- {name}\nOnce upon a time{said}\n")

# %% [markdown]
# This is *catastrophic forgetting* (McCloskey & Cohen 1989). What helps: a low learning rate, few
# steps, adapters that come off, or to mix in some of the old text (exercise 8).
#
# ## Summary
#
# Is my result right? Three pairs of seeds lay in these ranges, with room to spare.
#
# | figure | here | expected |
# |---|---|---|
# | full fine-tuning, accuracy (08.1) | {{ full:.2f }} | {{ EXPECTED["full"] }} |
# | LoRA, accuracy (08.3) | {{ lora:.2f }} | {{ EXPECTED["lora"] }} |
#
# - The head reads the last token that is no padding; no other vector has seen the whole text.
# - An instruction is a text and its continuation. Targets in the prompt are −100, and the end
#   belongs to the answer.
# - LoRA learns a change of low rank beside a frozen weight. $B = 0$ keeps the start, merging keeps
#   the speed.
# - Freezing saves gradients and moments. What the forward pass keeps is saved only below the lowest
#   layer that trains.
# - Tuning for one thing costs others. Measure it, in nats on old text.
#
# ## Exercises
#
# 1. **The last token** (indexing; 20 minutes, easy). Find each row's vector in a batch padded on
#    either side, where the pad's id also occurs inside texts.
# 2. **Masked targets** (indexing; 25 minutes, medium). Make `idx` and targets for a whole batch,
#    cut to a length. What should happen when the cut takes a whole answer?
# 3. **A format** (strings; 25 minutes, medium). Write prompts with headers such as `### Input:`, so
#    that a text that holds a header itself can't pretend to be another part.
# 4. **LoRA as a function** (autograd; 25 minutes, medium). Write it from `weight`, `bias`, `A` and
#    `B`, so that no gradient reaches the frozen two, but one passes *through* them to `x`.
# 5. **Merging** (state dicts; 25 minutes, medium). Merge adapters into a dictionary of weights, and
#    take them out again. What is different afterwards if the weights are bfloat16?
# 6. **Rank** (experiment; 25 minutes, medium). Run LoRA with ranks 1, 2 and 32, then on `c_attn`
#    alone. Which matters more, where the adapters are or their rank?
# 7. **How many labels?** (experiment; 25 minutes, medium). Run 08.1 with 80, 320 and 1,280
#    sentences. From how many on does pretraining not pay any more, if at all?
# 8. **Rehearsal** (experiment; 40 minutes, hard). Add to each step two whole stories, with a tenth
#    of the weight. What do the classifiers of 08.5 lose then?
#
# ## References by section
#
# - 08.1: Radford et al. 2018, *Improving language understanding by generative pre-training* (GPT),
#   section 3.2.
# - 08.2: Wei et al. 2022, *Finetuned language models are zero-shot learners*, section 2; Ouyang et
#   al. 2022, *Training language models to follow instructions with human feedback*, section 3; Shi
#   et al. 2024, *Instruction tuning with loss over instructions*, section 4.
# - 08.3: Hu et al. 2022, *LoRA: Low-rank adaptation of large language models*, section 4.1,
#   equation 3; Biderman et al. 2024, *LoRA learns less and forgets less*.
# - 08.4: Howard & Ruder 2018, *Universal language model fine-tuning for text classification*,
#   section 3.3 (unfreezing from the last layer down); Dettmers et al. 2023, *QLoRA*, section 4.
# - 08.5: McCloskey & Cohen 1989, *Catastrophic interference in connectionist networks*.
