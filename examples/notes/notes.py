"""A small GPT that has read your notes, and goes on as you would.

    python notes.py learn notes        # a folder of .txt or .md files, or one file
    python notes.py go-on "To do:"

It has read nothing else, so it can't know more than your notes say. A few thousand words make it
repeat them; a hundred thousand make it write in their manner.
"""

import sys
from pathlib import Path

import torch

import gptlib
from gptlib.data import Batches, corpus, in_order, split
from gptlib.sampling import stream_text
from gptlib.tokenizer import Tokenizer
from gptlib.training import EarlyStop, KeepBest, Progress, TrainingConfig, train

FOLDER = Path("model")
SHAPE = {"n_positions": 128, "n_embd": 96, "n_layer": 3, "n_head": 3}
BATCH = 16


def learn(notes: str, steps: int = 400) -> float:
    """Train on nine tenths of the notes; the loss on the last tenth, in nats a token."""
    to_train, held_out = split(corpus(Path(notes)))
    vocabulary = 512 if len(to_train) < 200_000 else 2048
    tokenizer = Tokenizer.train(to_train, vocabulary)
    ids, held_ids = (torch.tensor(tokenizer.encode(text)) for text in (to_train, held_out))
    length = min(SHAPE["n_positions"], len(held_ids) - 1, len(ids) // 2)
    if length < 8:
        sys.exit(f"{notes}: {len(to_train)} characters are too few to learn from")
    torch.manual_seed(0)
    model = gptlib.GPT(gptlib.GPTConfig(vocab_size=tokenizer.vocab_size, dropout=0.1, **SHAPE))
    history = train(
        model,
        Batches(ids, batch_size=BATCH, length=length),
        TrainingConfig(steps=steps, lr=2e-3, validate_every=min(50, steps)),
        validation=list(in_order(held_ids, batch_size=BATCH, length=length)),
        callbacks=[Progress(), KeepBest(FOLDER), EarlyStop(patience=3)],
    )
    tokenizer.save(FOLDER)
    best = min(history.validation_loss)
    print(f"loss on notes held out: {best:.2f} nats a token; the model is in {FOLDER}")
    return best


def go_on(beginning: str, tokens: int = 120, seed: int | None = None) -> str:
    """Print how the notes might go on, as it is written; the text."""
    if not (FOLDER / "config.json").exists():
        sys.exit("nothing is learned yet: python notes.py learn notes")
    model, tokenizer = gptlib.load(FOLDER), Tokenizer.load(FOLDER)
    said = beginning
    print(beginning, end="")
    for piece in stream_text(
        model, tokenizer, beginning, max_new_tokens=tokens, window=SHAPE["n_positions"],
        temperature=0.8, top_p=0.95, seed=seed,
    ):  # fmt: skip
        print(piece, end="", flush=True)
        said += piece
    print()
    return said


def main(words: list[str]) -> None:
    """Run a command."""
    match words:
        case ["learn", notes]:
            learn(notes)
        case ["go-on", beginning]:
            go_on(beginning)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
