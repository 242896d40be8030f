"""story-gpt: a GPT-2 of 4 layers that has read the story world.

`python -m gptlib.recipes.story_gpt` makes it: a tokenizer, the stories as tokens, the training.
It may be stopped at any moment, and goes on from its last checkpoint when it is called again.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gptlib import storyworld
from gptlib.config import GPTConfig
from gptlib.data import Documents, Stages, TokenFile, write_tokens
from gptlib.device import seed_everything
from gptlib.model import GPT
from gptlib.tokenizer import END_OF_TEXT, Tokenizer
from gptlib.training import CSVLog, History, Progress, TrainingConfig, train

LEVEL, SPLIT = "full", "train"  # its combinations; those of the other splits stay unread
# Names are alike but for their embedding. With 68 of them a fresh model stays for thousands of
# steps at "some name comes here" before it finds out that it can copy one. Worlds with 6 and 16
# names show it within minutes; what it then knows holds for all.
STAGES = (
    (60, {"nursery": 1.0}),
    (300, {"nursery": 0.15, "meadow": 0.85}),
    (140, {"meadow": 0.5, "full": 0.5}),
    (1, {"full": 1.0}),
)
HELD_OUT = range(2_000)  # seeds of stories that are never trained on
FIRST = 10_000  # the seed of the first story trained on
STORIES = {"nursery": 2_000, "meadow": 10_000, "full": 200_000}  # "full": none is read twice
BATCH = 16  # stories a step

MODEL = GPTConfig(vocab_size=4096, n_positions=512, n_embd=256, n_layer=4, n_head=4)
TRAINING = TrainingConfig(
    steps=6_600,
    optimizer="muon",
    lr=2e-3,
    schedule="warmup-stable-decay",  # so that more steps can be added before the decay
    warmup=50,
    decay=4_500,
    min_lr=0.0,
    weight_decay=0.1,
    beta2=0.98,
    dtype="bfloat16",
    validate_every=250,
    checkpoint_every=250,
)


@dataclass(frozen=True)
class Recipe:
    """A model, how it is trained, and the folder where all of it lies."""

    out: Path
    model: GPTConfig = MODEL
    training: TrainingConfig = TRAINING

    def tokenizer(self) -> Tokenizer:
        """The tokenizer in the run's folder, trained when it is not there yet."""
        if not (self.out / "vocab.json").exists():
            train_tokenizer(self.model.vocab_size).save(self.out)
        return Tokenizer.load(self.out)

    def stories(self, name: str, seeds: range, level: str = LEVEL) -> TokenFile:
        """The stories of some seeds as tokens, each ended by `<|endoftext|>`, made only once."""
        file = self.out / f"{name}.npy"
        tokenizer = self.tokenizer()
        end = tokenizer.special_tokens[END_OF_TEXT]
        if file.exists() and np.count_nonzero(np.asarray(TokenFile(file)) == end) == len(seeds):
            return TokenFile(file)
        texts = tell(seeds, level)
        return write_tokens(
            ([*tokenizer.encode(text), end] for text in texts), file, self.model.vocab_size
        )

    def documents(
        self, name: str, seeds: range, level: str = LEVEL, bare: float = 0.0
    ) -> Documents:
        """Batches of the stories of some seeds."""
        end = self.tokenizer().special_tokens[END_OF_TEXT]
        tokens = self.stories(name, seeds, level)
        return Documents(tokens, end, batch_size=BATCH, bare=bare)

    def run(self) -> tuple[GPT, History]:
        """Train, or go on training, and give the model back."""
        self.out.mkdir(parents=True, exist_ok=True)
        seed_everything(self.training.seed)
        model = GPT(self.model)
        # Tied embeddings are the output layer too: this spread gives logits of variance 1.
        nn.init.normal_(model.transformer.wte.weight, std=self.model.n_embd**-0.5)
        batches = Stages(
            {
                level: self.documents(level, range(FIRST, FIRST + n), level, bare=0.25)
                for level, n in STORIES.items()
            },
            STAGES,
        )
        held_out = self.documents("held_out", HELD_OUT)
        some = [batch for _, batch in zip(range(20), held_out.in_order(), strict=False)]
        history = train(
            model, batches, self.training, validation=some, out=self.out, resume=True,
            callbacks=[Progress(), CSVLog()],
        )  # fmt: skip
        return model, history


def train_tokenizer(vocab_size: int) -> Tokenizer:
    """Byte-level BPE on English stories and a tenth as many Chinese ones.

    More Chinese would shorten Chinese, and lengthen English, which is most of what is read.
    """
    english = tell(range(FIRST, FIRST + 20_000))
    chinese = (storyworld.story(n, LEVEL, SPLIT).zh for n in range(FIRST, FIRST + 2_000))
    return Tokenizer.train(chain(english, chinese), vocab_size)


def tell(seeds: Iterable[int], level: str = LEVEL) -> Iterator[str]:
    """The texts of the stories of some seeds."""
    return (storyworld.story(seed, level, SPLIT).text for seed in seeds)


def main(arguments: list[str] | None = None) -> None:
    """Train story-gpt."""
    parser = argparse.ArgumentParser(prog="python -m gptlib.recipes.story_gpt", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/story-gpt"), help="the run's folder")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    Recipe(options.out).run()


if __name__ == "__main__":
    main()
