"""07.6: greedy generation for a batch of unequal prompts."""

import torch
import torch.nn.functional as F
from torch import nn

from gptlib import GPT, GPTConfig
from tools.exercises import Check, Exercise, call, edit, written


class Writer(nn.Module):
    """A GPT that goes on with each row of a batch, always with the likeliest token."""

    def __init__(self, **config):
        """`model` is gptlib's GPT, with a GPTConfig that has these fields."""
        super().__init__()
        self.model = GPT(GPTConfig(**config))

    def forward(self, idx, mask, n_new, end):
        """New tokens of each row, which must not depend on the other rows or on padding.

        Rows are padded on the left, where the mask is 0, with any ids. A row that has said `end`
        repeats it from there on. An `end` in the prompt ends nothing.
        idx (B, T), mask (B, T) of 0 and 1, n_new and end whole numbers -> (B, n_new)
        """
        T = idx.shape[1]
        ended = torch.zeros(len(idx), dtype=torch.bool, device=idx.device)
        for _ in range(n_new):
            position_ids = (mask.cumsum(dim=1) - 1).clamp(min=0)
            logits = self.model(idx, position_ids=position_ids, attention_mask=mask)[:, -1]
            new = torch.where(ended, end, logits.argmax(dim=1))
            ended = ended | (new == end)
            idx = torch.cat([idx, new[:, None]], dim=1)
            mask = F.pad(mask, (0, 1), value=1)
        return idx[:, T:]


SHAPE = {
    "vocab_size": 11, "n_positions": 12, "n_embd": 4, "n_layer": 1, "n_head": 2, "n_inner": 6,
    "tie_word_embeddings": False,
}  # fmt: skip
NEVER = -1  # an end that no token is


def masked(rows):
    return torch.tensor([[int(c) for c in row] for row in rows])


def go_on(draw, rows, n_new, ends=False, begin=False):
    """A model with drawn weights, and prompts for it; `ends`: with an end that some rows say."""
    mask = masked(draw.shuffled(rows))
    state, idx, end = with_ends(draw, mask, n_new, begin) if ends else (*drawn(draw, mask), NEVER)
    return call(idx, mask, n_new, end, build=SHAPE, state=state)


def drawn(draw, mask):
    return draw.state(Writer(**SHAPE), scale=1.0), draw.integers(*mask.shape, below=11)


def with_ends(draw, mask, n_new, begin):
    """Prompts whose rows end at different steps, and would say something else if they went on."""
    module = Writer(**SHAPE).to(draw.dtype).eval()
    while True:  # some weights say one token only
        state, idx = drawn(draw, mask)
        module.load_state_dict(state)
        for end in range(1, 11):
            if begin:  # the first token of each row is its end, too
                idx = idx.scatter(1, mask.argmax(dim=1, keepdim=True), end)
            said, free = (module(idx, mask, n_new, stop) for stop in (end, NEVER))
            when = set((said == end).sum(dim=1).tolist())
            if len(when) > 1 and not torch.equal(said, free):
                return state, idx, end


def alone(draw):
    return go_on(draw, ["1111"], 5)


def equal(draw):
    return go_on(draw, ["111"] * 3, 5)


def unequal(draw):
    return go_on(draw, ["0000001", "0000111", "0000011", "1111111", "0001111"], 5)


def with_an_end(draw):
    return go_on(draw, ["1111", "0111", "0011", "0001", "0111"], 6, ends=True)


def begins_with_its_end(draw):
    return go_on(draw, ["111", "011", "011"], 5, ends=True, begin=True)


class Base(Writer):
    """The reference in steps that can be changed one at a time."""

    def positions(self, mask):
        return (mask.cumsum(dim=1) - 1).clamp(min=0)

    def seen(self, mask):
        return mask

    def choose(self, logits, mask):
        return logits[:, -1].argmax(dim=-1)

    def begun(self, idx, mask, end):
        return torch.zeros(len(idx), dtype=torch.bool)

    def forward(self, idx, mask, n_new, end):
        T, ended = idx.shape[1], self.begun(idx, mask, end)
        for _ in range(n_new):
            logits = self.model(idx, self.positions(mask), self.seen(mask))
            new = torch.where(ended, end, self.choose(logits, mask))
            ended = ended | (new == end)
            idx = torch.cat([idx, new[:, None]], dim=1)
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        return idx[:, T:]


class NoPositions(Base):
    def positions(self, mask):
        return None


class NoMask(Base):
    def seen(self, mask):
        return None


class Neither(NoMask, NoPositions):
    pass


class FromOne(Base):
    def positions(self, mask):
        return mask.cumsum(dim=1).clamp(max=SHAPE["n_positions"] - 1)


class FirstColumn(Base):
    def choose(self, logits, mask):
        return logits[:, 0].argmax(dim=-1)


class ByCount(Base):
    def choose(self, logits, mask):
        return logits[torch.arange(len(logits)), mask.sum(dim=1) - 1].argmax(dim=-1)


class PromptEnds(Base):
    def begun(self, idx, mask, end):
        return ((idx == end) & (mask == 1)).any(dim=1)


class NewHidden(Base):
    """New tokens get mask 0."""

    def forward(self, idx, mask, n_new, end):
        T, ended = idx.shape[1], self.begun(idx, mask, end)
        for _ in range(n_new):
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
            new = self.model(idx, positions, mask)[:, -1].argmax(dim=-1)
            new = torch.where(ended, end, new)
            ended = ended | (new == end)
            idx = torch.cat([idx, new[:, None]], dim=1)
            mask = torch.cat([mask, torch.zeros_like(mask[:, :1])], dim=1)
        return idx[:, T:]


class AllAtOnce(Base):
    """All new tokens from one look at the prompt."""

    def forward(self, idx, mask, n_new, end):
        logits = self.model(idx, self.positions(mask), mask)[:, -1]
        return logits.topk(min(n_new, logits.shape[-1])).indices


class StopsTogether(Base):
    """As soon as one row has ended all others are cut."""

    def forward(self, idx, mask, n_new, end):
        said = Base.forward(self, idx, mask, n_new, end)
        first = int((said == end).any(dim=0).long().argmax()) if (said == end).any() else n_new
        return said.masked_fill(torch.arange(n_new) > first, end)


class RowByRow(Writer):
    """Each prompt by itself, without padding."""

    def forward(self, idx, mask, n_new, end):
        rows = []
        for ids, real in zip(idx, mask.bool(), strict=True):
            row, said = ids[real][None], []
            while len(said) < n_new and end not in said:
                new = self.model(row)[0, -1].argmax()
                said.append(int(new))
                row = torch.cat([row, new.view(1, 1)], dim=1)
            rows.append(said + [end] * (n_new - len(said)))
        return torch.tensor(rows)


class Cached(Writer):
    """Old tokens are read once."""

    def forward(self, idx, mask, n_new, end):
        cache, new = self.model.new_cache(), idx
        positions, ended = (mask.cumsum(dim=1) - 1).clamp(min=0), torch.zeros(len(idx)).bool()
        said = []
        for _ in range(n_new):
            logits = self.model(new, positions, mask, cache)[:, -1]
            token = logits.argmax(dim=-1).masked_fill(ended, end)
            ended |= token == end
            said.append(token)
            new, positions = token.clamp(min=0)[:, None], positions[:, -1:] + 1
            mask = torch.cat([mask, mask[:, -1:] * 0 + 1], dim=1)
        return torch.stack(said, dim=1)


EXERCISE = Exercise(
    title="Generate in batches",
    trains="all of padding, in a loop",
    minutes=35,
    level="hard",
    section="07.4",
    solution=Writer,
    checks=[
        Check(
            "One prompt",
            3,
            "Read the last position's logits, append the likeliest token, repeat.",
            alone,
        ),
        Check(
            "Prompts of equal length",
            2,
            "The same loop with several rows: `argmax` over the vocabulary, one token for each.",
            equal,
        ),
        Check(
            "Prompts of unequal length",
            5,
            "A padded row must say what it says alone. The model needs two things for that: what "
            "is padding, and where each row begins. Both grow with each new token.",
            unequal,
        ),
        Check(
            "Rows that end",
            4,
            "A row that has ended repeats `end`. The others go on as if nothing had happened.",
            with_an_end,
        ),
        Check(
            "A prompt that holds the end",
            3,
            "Texts begin with <|endoftext|>. Only an `end` that the row has said itself ends it.",
            begins_with_its_end,
        ),
    ],
    hints=[
        "After one new token: which shapes have idx and mask, and which positions has a row whose "
        "mask was 0 0 1 1?",
        "In each step: positions from the mask's running sum, the model with positions and mask, "
        "`argmax` of the last column, `end` for rows that have ended. Then one more column for the "
        "ids and a 1 for the mask.",
        "`torch.where(ended, end, logits.argmax(dim=-1))` chooses; `ended` begins with False and "
        "becomes `ended | (new == end)`. Join with `torch.cat([...], dim=1)`, and return the "
        "columns behind the prompt.",
    ],
    wrong=[
        written(
            NoPositions,
            says="You give a mask, but no positions: padded rows begin at the number of their "
            "column.",
        ),
        written(NoMask, says="You give positions, but no mask: tokens look at the padding."),
        written(Neither, says="You give the model ids alone. It takes the padding for text."),
        written(FromOne, says="Your positions begin with 1."),
        written(FirstColumn, says="You read the first column. The next token follows the last."),
        written(
            ByCount,
            says="You look for a row's last token by counting. With padding on the left it is in "
            "the last column.",
        ),
        written(PromptEnds, says="You take a row for ended because its *prompt* holds `end`."),
        written(NewHidden, says="You append 0 to the mask, so that new tokens count as padding."),
        written(
            AllAtOnce,
            says="You take all new tokens from one look: the likeliest, the second likeliest and "
            "so on. Append one and look again.",
        ),
        written(StopsTogether, says="As soon as one row ends, you end all of them."),
        edit(
            "torch.where(ended, end, logits.argmax(dim=1))",
            "logits.argmax(dim=-1)",
            "Rows that have ended go on talking.",
        ),
        edit(
            "torch.where(ended, end, logits.argmax(dim=1))",
            "torch.where(ended, 0, logits.argmax(dim=-1))",
            "Rows that have ended say token 0. They are to repeat `end`.",
        ),
        edit(
            "ended = ended | (new == end)",
            "ended = new != end",
            "You mark the rows that have *not* ended.",
        ),
        edit("return idx[:, T:]", "return idx", "You return the prompts, too."),
        edit(
            "logits.argmax(dim=1)",
            "logits.argmin(dim=1)",
            "You choose the least likely token.",
        ),
    ],
    right=[written(RowByRow), written(Cached)],
    survivors={
        "T = mask.shape[1]": "ids and mask have as many columns",
        "torch.zeros(len(mask)": "ids and mask have as many rows",
    },
)
