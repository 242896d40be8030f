"""The data of a run: a tokenizer and a file of token ids, made once and kept in its folder."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from gptlib import data, pretrained, storyworld
from gptlib.cli.errors import Failure, Usage
from gptlib.cli.run_folder import RunFolder, write_json
from gptlib.data.batches import Batch
from gptlib.tokenizer import END_OF_TEXT, Tokenizer

FEWEST_STORIES = 2  # an entropy with its standard error needs two
BARE = 0.1  # share of stories read without an end of text before them, as a prompt is


@dataclass(frozen=True)
class Stories:
    """The stories of a run: whose, and which seeds are held out.

    Of `story:LEVEL` the last seeds are held out: they are told by the same world, so its entropy
    is what the best model could reach on them. `story:LEVEL/train` is validated on the validation
    split, whose heroes and objects never met in training: harder, and the floor is still a floor.
    """

    level: str
    split: str | None
    train: range
    held_out_split: str | None
    held_out: range

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Stories | None":
        """The stories that `--data story:...` asks for; None for other data."""
        source: str = settings["data"]
        if not source.startswith("story:"):
            return None
        level, slash, split = source.removeprefix("story:").partition("/")
        if level not in storyworld.LEVELS:
            known = ", ".join(f"story:{known}" for known in storyworld.LEVELS)
            raise Usage(f"--data {source}: there is no such level: choose one of {known}")
        if slash and split != "train":
            raise Usage(f"--data {source}: train on story:{level} or story:{level}/train")
        n = settings["stories"]
        n_held_out = max(FEWEST_STORIES, round(n * settings["validation"]))
        cut = n - n_held_out
        if slash:
            return cls(level, "train", range(cut), "validation", range(n_held_out))
        return cls(level, None, range(cut), None, range(cut, n))

    def texts(self) -> Iterator[str]:
        """The stories to train on."""
        found = storyworld.stories(self.train.start, self.train.stop, self.level, self.split)
        return (story.text for story in found)

    def held_out_texts(self) -> Iterator[str]:
        """The stories to validate on."""
        seeds, split = self.held_out, self.held_out_split
        return (s.text for s in storyworld.stories(seeds.start, seeds.stop, self.level, split))

    def floor(self, n: int, tokenizer: Tokenizer) -> storyworld.Entropy:
        """The entropy of the first `n` held-out stories."""
        return storyworld.entropy(
            self.level, self.held_out_split, n, tokenizer, start=self.held_out.start
        )


def write_data(folder: RunFolder, settings: dict[str, Any], n_positions: int) -> dict[str, Any]:
    """Write the tokenizer's files and the token ids; what there is to know about them."""
    stories = Stories.of(settings)
    tokenizer = _tokenizer(settings, stories)
    facts: dict[str, Any] = {"vocab_size": tokenizer.vocab_size, "n_positions": n_positions}
    if stories:
        facts |= _write_stories(folder.tokens, stories, tokenizer, settings)
        if settings["n_positions"] is None:
            facts["n_positions"] = max(n_positions, facts["longest_story"])
        elif n_positions < facts["longest_story"]:
            raise Failure(
                f"{settings['data']}: the longest story has {facts['longest_story']} tokens, more "
                f"than --n-positions {n_positions}: leave that option out"
            )
    else:
        facts |= _write_text(folder.tokens, tokenizer, settings)
        n_train = facts["tokens"] - facts["held_out_tokens"]
        if n_train <= n_positions:
            raise Failure(
                f"{settings['data']}: gives {n_train} tokens to train on, too few for windows of "
                f"{n_positions}: give more text, or a smaller --n-positions"
            )
    _write_tokenizer(tokenizer, folder.path, facts["n_positions"])
    return facts


def _tokenizer(settings: dict[str, Any], stories: Stories | None) -> Tokenizer:
    which = settings["tokenizer"]
    if which == "bytes":
        return Tokenizer([])
    if which is not None:
        path = Path(which).expanduser()
        return Tokenizer.load(path if path.exists() else pretrained.find(which))
    texts = stories.texts() if stories else _pieces(settings["data"], END_OF_TEXT)
    return Tokenizer.train(texts, settings["vocab_size"])


def _write_tokenizer(tokenizer: Tokenizer, folder: Path, n_positions: int) -> None:
    """Its files, and what transformers wants to be told beside them."""
    tokenizer.save(folder)
    kind = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": n_positions}
    if END_OF_TEXT in tokenizer.special_tokens:
        kind |= dict.fromkeys(("bos_token", "eos_token", "unk_token"), END_OF_TEXT)
        end = tokenizer.special_tokens[END_OF_TEXT]
        # config.json leaves GPT-2's own id, 50256, as the end: here no token has it.
        ends = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), end)
        write_json(folder / "generation_config.json", ends)
    write_json(folder / "tokenizer_config.json", kind)


def _write_stories(
    file: Path, stories: Stories, tokenizer: Tokenizer, settings: dict[str, Any]
) -> dict[str, Any]:
    if END_OF_TEXT not in tokenizer.special_tokens:
        raise Failure(
            f"{settings['tokenizer']}: its tokenizer has no {END_OF_TEXT}, which has to stand at "
            "the end of a story: take another --tokenizer"
        )
    end = tokenizer.special_tokens[END_OF_TEXT]
    lengths: list[int] = []

    def encoded(texts: Iterable[str]) -> Iterator[list[int]]:
        for text in texts:
            ids = [*tokenizer.encode(text, special=False), end]
            lengths.append(len(ids))
            yield ids

    both = chain(encoded(stories.texts()), encoded(stories.held_out_texts()))
    data.write_tokens(both, file, tokenizer.vocab_size)
    n_read = min(len(stories.held_out), settings["validation_batches"] * settings["batch_size"])
    floor = stories.floor(max(n_read, FEWEST_STORIES), tokenizer)
    return {
        "tokens": sum(lengths),
        "held_out_tokens": sum(lengths[len(stories.train) :]),
        "stories": len(stories.train),
        "held_out_stories": len(stories.held_out),
        "longest_story": max(lengths),
        "end": end,
        "floor": floor.nats_per_token,
        "floor_standard_error": floor.token_standard_error,
    }


def _write_text(file: Path, tokenizer: Tokenizer, settings: dict[str, Any]) -> dict[str, Any]:
    has_end = END_OF_TEXT in tokenizer.special_tokens
    texts = _pieces(settings["data"], END_OF_TEXT if has_end else "\n\n")
    tokens = data.write_tokens(tokenizer.encode_stream(texts), file, tokenizer.vocab_size)
    if len(tokens) == 0:
        raise Failure(f"{settings['data']}: holds no text: give another --data")
    _, held_out = data.split(tokens, settings["validation"])
    return {"tokens": len(tokens), "held_out_tokens": len(held_out)}


def _pieces(source: str, separator: str) -> Iterator[str]:
    """The text of a corpus, with an error that names the option for one that is not there."""
    try:
        yield from data.pieces(source, separator=separator)
    except FileNotFoundError as error:
        raise Failure(f"--data {error}") from None


def batches(
    folder: RunFolder, settings: dict[str, Any], facts: dict[str, Any], n_positions: int
) -> tuple[data.Batches | data.Documents, list[Batch]]:
    """What to train on without end, and the batches of a validation.

    Stories are read whole, each from its first token, so that the loss can be compared with their
    entropy; a window cut from the middle of one lacks what came before it.
    """
    tokens = data.TokenFile(folder.tokens)
    cut = len(tokens) - facts["held_out_tokens"]
    size, seed = settings["batch_size"], settings["seed"]
    if "end" in facts:
        end, most = facts["end"], n_positions
        stories = data.Documents(
            tokens[:cut], end, batch_size=size, seed=seed, bare=BARE, longest=most
        )
        size = min(size, facts["held_out_stories"])
        held_out = data.Documents(tokens[cut:], end, batch_size=size, longest=most).in_order()
        return stories, list(islice(held_out, settings["validation_batches"]))
    windows = data.Batches(tokens[:cut], batch_size=size, length=n_positions, seed=seed)
    in_order = data.in_order(tokens[cut:], batch_size=size, length=n_positions)
    return windows, list(islice(in_order, settings["validation_batches"]))
