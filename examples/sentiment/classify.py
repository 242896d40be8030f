"""How does a sentence feel? Learn it from a CSV, then say it of new sentences.

    python classify.py learn sentences.csv
    python classify.py say "The wind took her kite away."

The CSV has the columns `text` and `label`; labels are whatever yours are.
"""

import sys
from pathlib import Path

import torch

import gptlib
from gptlib.evaluation import accuracy
from gptlib.finetuning import (
    LabelledBatches,
    SequenceClassifier,
    label_loss,
    load_classifier,
    read_examples,
    save_classifier,
)
from gptlib.tokenizer import Tokenizer
from gptlib.training import Progress, TrainingConfig, train

FOLDER = Path("model")
BASE = "story-gpt"


def learn(file: str, steps: int = 150) -> float:
    """Train on nine tenths of the file; the accuracy on the last tenth, in percent."""
    rows = read_examples(file, {"text": str, "label": str})
    labels = sorted({row["label"] for row in rows})
    tokenizer = Tokenizer.load(gptlib.model_path(BASE))
    n_held_out = max(1, len(rows) // 10)
    known, held_out = rows[:-n_held_out], rows[-n_held_out:]
    torch.manual_seed(0)
    model = SequenceClassifier(gptlib.load(BASE), len(labels))
    batches = LabelledBatches(
        [tokenizer.encode(row["text"]) for row in known],
        [labels.index(row["label"]) for row in known],
        batch_size=16,
    )
    config = TrainingConfig(steps=steps, lr=3e-4)
    train(model, batches, config, loss=label_loss, callbacks=[Progress()])
    save_classifier(model, FOLDER, labels, tokenizer)
    found = say([row["text"] for row in held_out])
    score = accuracy(found, [row["label"] for row in held_out])
    print(f"right on sentences held out: {score} %")
    return score.value


def say(texts: list[str]) -> list[str]:
    """The label of each text."""
    if not FOLDER.exists():
        sys.exit("nothing is learned yet: python classify.py learn sentences.csv")
    model, labels = load_classifier(FOLDER)
    tokenizer = Tokenizer.load(FOLDER)
    with torch.no_grad():
        scores = [model(torch.tensor([tokenizer.encode(text)]))[0] for text in texts]
    return [labels[int(score.argmax())] for score in scores]


def main(words: list[str]) -> None:
    """Run a command."""
    match words:
        case ["learn", file]:
            learn(file)
        case ["say", *texts] if texts:
            for text, label in zip(texts, say(texts), strict=True):
                print(f"{label:10} {text}")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
