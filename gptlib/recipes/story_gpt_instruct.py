"""story-gpt-instruct: story-gpt, taught to do the seven applications when it is asked.

`python -m gptlib.recipes.story_gpt_instruct` makes it from story-gpt. It may be stopped at any
moment, and goes on from its last checkpoint when it is called again.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

import gptlib
from gptlib.applications import conversations
from gptlib.data import Stages
from gptlib.device import seed_everything
from gptlib.finetuning.instructions import Conversations, InstructionBatches, Turn
from gptlib.model import GPT
from gptlib.tokenizer import Tokenizer
from gptlib.training import CSVLog, History, Progress, TrainingConfig, train

FIRST = 10_000  # the seed of the first story trained on, as for story-gpt


@dataclass(frozen=True)
class Source:
    """Conversations of one kind: from how many stories, how many a batch, how much of the mix."""

    make: Callable[[Iterable[int]], Iterator[list[Turn]]]
    stories: int
    batch_size: int
    share: float


# A batch of any kind has two to four thousand tokens; a step takes two batches.
SOURCES = {
    "about_stories": Source(conversations.about_stories, 20_000, 8, 0.40),
    "about_sentences": Source(conversations.about_sentences, 10_000, 40, 0.34),
    "writings": Source(conversations.writings, 20_000, 8, 0.26),
}
TRAINING = TrainingConfig(
    steps=4_000,
    optimizer="muon",
    lr=1e-3,
    schedule="warmup-stable-decay",
    warmup=50,
    decay=3_000,
    min_lr=0.0,
    weight_decay=0.1,
    beta2=0.98,
    accumulate=2,
    dtype="bfloat16",
    validate_every=250,
    checkpoint_every=250,
)


@dataclass(frozen=True)
class Recipe:
    """The model that it begins with, how it is trained, and the folder where all of it lies."""

    out: Path
    base: str = "story-gpt"
    training: TrainingConfig = TRAINING

    def conversations(self, name: str, tokenizer: Tokenizer, longest: int) -> Conversations:
        """The conversations of one source as tokens, made only once."""
        file = self.out / f"{name}.npz"
        if not file.exists():
            source = SOURCES[name]
            turns = source.make(range(FIRST, FIRST + source.stories))
            Conversations.encode(turns, tokenizer, longest).save(file)
        return Conversations.load(file)

    def run(self) -> tuple[GPT, History]:
        """Train, or go on training, and give the model back."""
        self.out.mkdir(parents=True, exist_ok=True)
        seed_everything(self.training.seed)
        model = gptlib.load(self.base)
        tokenizer = Tokenizer.load(gptlib.model_path(self.base))
        tokenizer.save(self.out)
        longest = model.config.n_positions
        sources = {
            name: InstructionBatches(
                self.conversations(name, tokenizer, longest), batch_size=source.batch_size
            )
            for name, source in SOURCES.items()
        }
        shares = {name: source.share for name, source in SOURCES.items()}
        history = train(
            model, Stages(sources, [(1, shares)]), self.training,
            validation=held_out(tokenizer, longest), out=self.out, resume=True,
            callbacks=[Progress(), CSVLog()],
        )  # fmt: skip
        return model, history


def held_out(
    tokenizer: Tokenizer, longest: int, stories: int = 40
) -> list[tuple[torch.Tensor, ...]]:
    """Batches of every kind about stories that are never trained on."""
    batches: list[tuple[torch.Tensor, ...]] = []
    for source in SOURCES.values():
        turns = source.make(range(stories))
        encoded = Conversations.encode(turns, tokenizer, longest)
        some = InstructionBatches(encoded, batch_size=source.batch_size).in_order()
        batches += list(islice(some, 5))
    return batches


def main(arguments: list[str] | None = None) -> None:
    """Train story-gpt-instruct."""
    name = "python -m gptlib.recipes.story_gpt_instruct"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/story-gpt-instruct"), help="the run's folder"
    )
    parser.add_argument("--base", default="story-gpt", help="a model's name or folder")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    Recipe(options.out, options.base).run()


if __name__ == "__main__":
    main()
