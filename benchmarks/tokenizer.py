"""The tokenizer's speed beside `tokenizers`, tiktoken and minbpe.

    python benchmarks/tokenizer.py [--threads 1] [--minbpe FOLDER]

The text is Python's own documentation and source. Times are CPU seconds of this process, and all
libraries run in turn, so that a busy machine slows all of them alike; medians of --repeat rounds.
With more threads the CPU seconds of `tokenizers` add up. minbpe is measured where a folder with a
copy of it is given; it takes minutes, so only once.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEGABYTE = 10**6
GPT2 = Path(__file__).resolve().parents[2] / "shared" / "data" / "gpt2"


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turn(repeat: int, *works: Callable[[], Any]) -> list[float]:
    """Median seconds of each work, one round after the other."""
    rounds = [[seconds(work) for work in works] for _ in range(repeat)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def hugging_face(vocab: Any = None, merges: Any = None) -> Any:
    """A byte-level BPE of `tokenizers`, untrained or with a given vocabulary."""
    import tokenizers

    model = tokenizers.models.BPE(vocab, merges) if vocab else tokenizers.models.BPE()
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def train_hugging_face(text: str, vocab_size: int) -> Any:
    import tokenizers

    tokenizer = hugging_face()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def training(text: str, repeat: int) -> None:
    from gptlib.tokenizer import Tokenizer

    print(f"\nTraining on {len(text.encode()) / MEGABYTE:.2f} MB of documentation")
    print(f"{'vocabulary':>10} {'gptlib s':>9} {'tokenizers s':>13} {'ratio':>6}  (at most)")
    for vocab_size, target in ((1024, 2.0), (4096, 3.5)):
        ours, theirs = in_turn(
            repeat,
            lambda n=vocab_size: Tokenizer.train(text, n, []),
            lambda n=vocab_size: train_hugging_face(text, n),
        )
        print(f"{vocab_size:>10} {ours:>9.3f} {theirs:>13.3f} {ours / theirs:>6.2f}  {target}")


def training_minbpe(text: str, folder: Path, repeat: int) -> None:
    sys.path.insert(0, str(folder))
    from minbpe import RegexTokenizer  # type: ignore[import-not-found]

    from gptlib.tokenizer import PATTERN, Tokenizer

    (ours,) = in_turn(repeat, lambda: Tokenizer.train(text, 512, []))
    theirs = seconds(lambda: RegexTokenizer(PATTERN).train(text, 512))
    print("\nTraining on the same text, vocabulary 512")
    print(
        f"gptlib {ours:.3f} s, minbpe {theirs:.1f} s: {theirs / ours:.0f}x faster (at least 100x)"
    )


LARGE = """
import re, sys, time
from itertools import islice
from gptlib.data.corpora import pieces
from gptlib.tokenizer import Tokenizer
def source():
    left = 20_000_000
    for piece in pieces("python-source"):
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return
def memory(kind):  # Linux: resident now (RSS), or at most so far (HWM)
    return int(re.search(rf"Vm{kind}:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
texts = list(source())
before, start = memory("RSS"), time.process_time()
Tokenizer.train(texts, 8192)
taken = time.process_time() - start
print(sum(map(len, texts)), taken, memory("HWM") - before)
"""


def training_large(repeat: int) -> None:
    times, added = [], 0.0
    for _ in range(repeat):
        out = subprocess.run(
            [sys.executable, "-c", LARGE], capture_output=True, text=True, check=True
        )
        size, taken, memory = map(float, out.stdout.split())
        times.append(taken)
        added = max(added, memory)
    speed = size / statistics.median(times) / MEGABYTE
    print(f"\nTraining on {size / MEGABYTE:.0f} MB of Python source, vocabulary 8,192")
    print(f"{speed:.1f} MB/s (at least 2), {added / MEGABYTE:.0f} MB of memory beside the text")


def encoding(text: str, repeat: int) -> None:
    import tiktoken

    from gptlib.tokenizer import PATTERN, Tokenizer, to_visible

    learned = Tokenizer.load(GPT2) if GPT2.is_dir() else Tokenizer.train(text, 4096)
    vocab = {to_visible(token): id for token, id in learned.vocab.items()}
    merges = [(to_visible(left), to_visible(right)) for left, right in learned.merges]
    documents = text.split("\n\n")
    print(f"\nEncoding the same text, vocabulary {learned.vocab_size:,}, megabytes a second")
    print(f"{'':>28} {'gptlib':>7} {'tokenizers':>11} {'tiktoken':>9}")
    forms = {
        "one text": (
            lambda ours: ours.encode(text),
            lambda theirs: theirs.encode(text),
            lambda tik: tik.encode_ordinary(text),
        ),
        f"{len(documents):,} documents": (
            lambda ours: ours.encode_batch(documents),
            lambda theirs: theirs.encode_batch(documents),
            lambda tik: [tik.encode_ordinary(document) for document in documents],
        ),
    }
    for form, works in forms.items():
        cold, warm = [], []
        for _ in range(repeat):
            fresh = (
                Tokenizer(learned.merges, learned.special_tokens, learned.vocab),
                hugging_face(vocab, merges),
                tiktoken.Encoding(
                    "learned", pat_str=PATTERN, mergeable_ranks=learned.vocab, special_tokens={}
                ),
            )
            # The first time every word is new; from then on every word was met before.
            for rounds in (cold, warm):
                pairs = zip(works, fresh, strict=True)
                rounds.append([seconds(lambda w=work, t=one: w(t)) for work, one in pairs])
        for state, rounds, aims in (("cold", cold, (1.5, 0)), ("warm", warm, (4, 0.4))):
            ours, theirs, tik = (statistics.median(times) for times in zip(*rounds, strict=True))
            size = len(text.encode()) / MEGABYTE
            print(
                f"{form + ', ' + state:>28} {size / ours:>7.1f} {size / theirs:>11.1f} "
                f"{size / tik:>9.1f}  {theirs / ours:.1f} times tokenizers (at least {aims[0]}), "
                f"{tik / ours:.2f} times tiktoken" + (f" (at least {aims[1]})" if aims[1] else "")
            )


def stories(repeat: int) -> None:
    from gptlib import storyworld
    from gptlib.tokenizer import Tokenizer

    texts = [story.text for story in storyworld.stories(2000, level="full")]
    tokenizer = Tokenizer.train(texts, 4096)
    cold = []
    for text in texts[:100]:
        fresh = Tokenizer(tokenizer.merges, tokenizer.special_tokens, tokenizer.vocab)
        cold.append(seconds(lambda t=fresh, text=text: t.encode(text)))
    (warm,) = in_turn(repeat, lambda: tokenizer.encode_batch(texts))
    print("\nEncoding one story, vocabulary 4,096 learned from stories")
    print(
        f"{1000 * statistics.median(cold):.2f} ms where all its words are new (at most 1), "
        f"{1000 * warm / len(texts):.3f} ms where all are known"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="threads that `tokenizers` may use")
    parser.add_argument("--minbpe", type=Path, help="a folder that holds minbpe")
    arguments = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if arguments.threads > 1 else "false"
    from gptlib.data import corpus

    text = corpus("python-docs").encode()[:MEGABYTE].decode("utf-8", "ignore")
    threads = f"`tokenizers` uses {arguments.threads} thread(s)"
    print(f"medians of {arguments.repeat}, CPU seconds; {threads}")
    training(text, arguments.repeat)
    encoding(text, arguments.repeat)
    stories(arguments.repeat)
    training_large(min(arguments.repeat, 3))
    if arguments.minbpe:
        training_minbpe(text, arguments.minbpe, arguments.repeat)


if __name__ == "__main__":
    main()
