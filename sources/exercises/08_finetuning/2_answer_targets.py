"""08.2: questions and answers as a batch in which only the answers count."""

import torch
from torch.nn.utils.rnn import pad_sequence

from tools.exercises import Check, Exercise, call, edit, written


def answer_batch(prompts, answers, end, length):
    """Inputs and targets that teach a model to answer: the prompt is read, not learned.

    A row is a prompt, its answer, and `end`. idx holds the row but for its last token, the target
    at each place is the token after it. Targets within the prompt are -100. Rows are cut on the
    right to `length` places, and filled up on the right to the longest that is left: idx with
    `end`, targets with -100.
    prompts and answers: B lists of token ids each, no prompt empty -> idx and targets, both (B, T)
    """
    idx, targets = [], []
    for prompt, answer in zip(prompts, answers, strict=True):
        idx.append(torch.tensor([*prompt, *answer][:length]))
        targets.append(torch.tensor([*[-100] * (len(prompt) - 1), *answer, end][:length]))
    idx = pad_sequence(idx, batch_first=True, padding_value=end)
    targets = pad_sequence(targets, batch_first=True, padding_value=-100)
    return idx, targets


# The inputs that each check draws. `end` may occur in no prompt and no answer, but 0 may.

END = 50


def tokens(draw, n):
    return [draw.integer(0, 49) for _ in range(n)]


def pairs(draw, sizes):
    sizes = draw.shuffled(sizes)
    return [tokens(draw, n) for n, _ in sizes], [tokens(draw, n) for _, n in sizes]


def one(draw):
    prompt, answer = draw.sizes(2, low=2, high=5)
    return call(*pairs(draw, [(prompt, answer)]), END, 20), call(*pairs(draw, [(3, 1)]), END, 9)


def several(draw):
    return call(*pairs(draw, [(2, 5), (4, 1), (1, 3)]), END, 20)


def no_words(draw):
    return call(*pairs(draw, [(3, 0)]), END, 20), call(*pairs(draw, [(1, 0), (4, 2)]), END, 20)


def too_long(draw):
    return call(*pairs(draw, [(3, 6), (2, 1), (4, 4)]), END, 6), call(
        *pairs(draw, [(2, 3), (3, 3)]), END, 5
    )


def prompt_alone(draw):
    return call(*pairs(draw, [(7, 2), (2, 2)]), END, 5), call(*pairs(draw, [(5, 3)]), END, 4)


def changed(change):
    """The reference, its targets changed row by row: change(targets of a row, prompt, row)."""

    def answer(prompts, answers, end, length):
        idx, targets = answer_batch(prompts, answers, end, length)
        for b, (prompt, said) in enumerate(zip(prompts, answers, strict=True)):
            change(targets[b], prompt, [*prompt, *said, end])
        return idx, targets

    return answer


def all_count(targets, prompt, row):
    n = min(len(row) - 1, len(targets))
    targets[:n] = torch.tensor(row[1 : n + 1])


def answer_is_hidden(targets, prompt, row):
    all_count(targets, prompt, row)
    targets[len(prompt) - 1 :] = -100


def no_first(targets, prompt, row):
    targets[len(prompt) - 1 : len(prompt)] = -100


def prompts_last_counts(targets, prompt, row):
    if 1 < len(prompt) <= len(targets) + 1:
        targets[len(prompt) - 2] = prompt[-1]


def no_end(targets, prompt, row):
    targets[len(row) - 2 :] = -100


def pads_count(targets, prompt, row):
    targets[len(row) - 1 :] = row[-1]


def first_pad_counts(targets, prompt, row):
    targets[len(row) - 1 : len(row)] = row[-1]


def by_the_longest(prompts, answers, end, length):
    idx, targets = answer_batch(prompts, answers, end, length)
    targets[:, : max(map(len, prompts)) - 1] = -100
    return idx, targets


def unshifted(prompts, answers, end, length):
    idx, _ = answer_batch(prompts, answers, end, length)
    targets = idx.clone()
    for b, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        targets[b, : len(prompt)] = -100
        targets[b, len(prompt) + len(answer) :] = -100
    return idx, targets


def cut_on_the_left(prompts, answers, end, length):
    idx, targets = answer_batch(prompts, answers, end, 10**6)
    T = min(length, idx.shape[1])
    short, wanted = torch.full((len(idx), T), end), torch.full((len(idx), T), -100)
    for b, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        n = len(prompt) + len(answer)
        kept = min(n, T)
        short[b, :kept], wanted[b, :kept] = idx[b, n - kept : n], targets[b, n - kept : n]
    return short, wanted


def padded_on_the_left(prompts, answers, end, length):
    idx, targets = answer_batch(prompts, answers, end, length)
    for b, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        spare = max(idx.shape[1] - len(prompt) - len(answer), 0)
        idx[b], targets[b] = idx[b].roll(spare), targets[b].roll(spare)
    return idx, targets


def to_the_full_length(prompts, answers, end, length):
    idx, targets = answer_batch(prompts, answers, end, length)
    more = (0, length - idx.shape[1])
    return (
        torch.nn.functional.pad(idx, more, value=end),
        torch.nn.functional.pad(targets, more, value=-100),
    )


def prompt_is_gone(prompts, answers, end, length):
    idx, targets = answer_batch(prompts, answers, end, length)
    for b, prompt in enumerate(prompts):
        idx[b, : len(prompt) - 1] = end
    return idx, targets


def by_masks(prompts, answers, end, length):
    """With a table of places in place of slices."""
    rows = [[*p, *a, end] for p, a in zip(prompts, answers, strict=True)]
    width = max(map(len, rows))
    table = torch.tensor([row + [end] * (width - len(row)) for row in rows])
    places = torch.arange(width - 1)
    n_prompt = torch.tensor([len(p) for p in prompts])[:, None]
    n_row = torch.tensor([len(row) for row in rows])[:, None]
    counts = (places >= n_prompt - 1) & (places < n_row - 1)
    return table[:, :-1][:, :length], table[:, 1:].masked_fill(~counts, -100)[:, :length]


def by_slices(prompts, answers, end, length):
    rows = [[*prompt, *answer, end] for prompt, answer in zip(prompts, answers, strict=True)]
    T = min(length, max(map(len, rows)) - 1)
    idx = torch.full((len(rows), T), end)
    targets = torch.full((len(rows), T), -100)
    for b, (row, prompt) in enumerate(zip(rows, prompts, strict=True)):
        n = min(len(row) - 1, T)
        idx[b, :n], targets[b, :n] = torch.tensor(row[:n]), torch.tensor(row[1 : n + 1])
        targets[b, : len(prompt) - 1] = -100
    return idx, targets


EXERCISE = Exercise(
    title="Only the answer counts",
    trains="targets, slices, off-by-one errors",
    minutes=30,
    level="hard",
    section="08.2",
    solution=answer_batch,
    dtypes=(torch.float32,),
    checks=[
        Check(
            "One question",
            5,
            "Read a row aloud: after which token is the first word of the answer foretold? After "
            "the *last* of the prompt. And after the answer's last word comes `end`, which the "
            "model must learn to say.",
            one,
        ),
        Check(
            "Several questions",
            5,
            "Each row has a prompt and an answer of its own length. What fills a row up is no "
            "target, though its id is that of a token that counts.",
            several,
        ),
        Check(
            "Nothing to say",
            3,
            "An empty answer is one, too: its only target is `end`.",
            no_words,
        ),
        Check(
            "Too long",
            4,
            "What does not fit is cut off on the right, from idx and from the targets alike. Is "
            "`end` still a target where it was cut off?",
            too_long,
        ),
        Check(
            "A prompt that leaves no room",
            3,
            "If the prompt alone fills the row nothing in it counts. The row stays, with all "
            "targets -100.",
            prompt_alone,
        ),
    ],
    hints=[
        "The prompt is 5 6 7, the answer 8 9, the end 0. Write down idx (five places) and below it "
        "the targets. Which of them count?",
        "Make two lists for each row, both as long as prompt and answer together. idx is prompt + "
        "answer. The targets are -100 once less than the prompt has tokens, then the answer, then "
        "`end`. Cut both to `length`. `pad_sequence` fills up tensors of unequal length.",
        "A row of targets is `[-100] * (len(prompt) - 1)`, the answer and `[end]`, joined, and "
        "then `[:length]` of it. `pad_sequence(idx, batch_first=True, padding_value=end)` makes "
        "one tensor of the rows of idx.",
    ],
    wrong=[
        written(
            changed(all_count),
            says="The prompt counts, too: your model learns to ask as much as to answer.",
        ),
        written(
            changed(answer_is_hidden),
            says="You hide the answer and keep the prompt. It should be the other way round.",
        ),
        written(
            changed(no_first),
            says="The answer's first token is hidden. It is foretold by the prompt's last place: "
            "hide len(prompt) - 1 targets.",
        ),
        written(
            changed(prompts_last_counts),
            says="The prompt's last token counts. It is the target of the place before.",
        ),
        written(
            changed(no_end),
            says="`end` is no target of yours. A model that never learned to say it never stops.",
        ),
        written(
            changed(pads_count),
            says="What fills up the rows counts. It has the id of `end`, but the row has ended.",
        ),
        written(
            changed(first_pad_counts),
            says="You have `end` as a target twice: after the answer, and once more after it.",
        ),
        written(
            unshifted,
            says="Your targets are the inputs themselves. The target is the *next* token.",
        ),
        written(
            by_the_longest,
            says="You hide as much of each row as the longest prompt takes. Every row has its own.",
        ),
        written(
            cut_on_the_left,
            says="You cut off beginnings. Cut on the right: a prompt without its first words may "
            "ask something else.",
        ),
        written(
            padded_on_the_left,
            says="You fill rows up on the left. That is for generating; here on the right.",
        ),
        written(
            to_the_full_length,
            says="You fill up to `length`. Fill up to the longest row: the rest is wasted work.",
        ),
        written(
            prompt_is_gone,
            says="You hide the prompt from the model itself. It must read it; only targets hide.",
        ),
        edit(
            "padding_value=-100",
            "padding_value=0",
            "Behind the end your targets are 0, a token like any other. What does not count is "
            "-100.",
        ),
        edit(
            "[-100] * (len(prompt)",
            "[0] * (len(prompt)",
            "Within the prompt your targets are 0, a token like any other. What does not count is "
            "-100.",
        ),
    ],
    right=[written(by_masks), written(by_slices)],
    survivors={
        "targets, idx = ([], [])": "both are empty lists",
        "zip(prompts, answers)": "there are as many answers as prompts",
        "zip(prompts, answers, strict=False)": "there are as many answers as prompts",
    },
)
