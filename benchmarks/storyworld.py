"""The story world: how fast it tells, how varied it is, how long it takes to start.

    python benchmarks/storyworld.py            # self-BLEU needs `pip install sacrebleu`

Speeds are those of one process. Variety is measured on stories of the level "full".
"""

import argparse
import random
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

from gptlib import storyworld

WORD = re.compile(r"[A-Za-z']+|[^\sA-Za-z']")


def rate(tell: Callable[[int], int], seconds: float = 2.0) -> tuple[float, float]:
    """(stories, bytes) per second of process time; `tell(seed)` returns a story's bytes."""
    tell(0)
    start = time.process_time()
    count = size = 0
    while time.process_time() - start < seconds:
        size += tell(count)
        count += 1
    spent = time.process_time() - start
    return count / spent, size / spent


def speed() -> None:
    """Telling, scoring and judging at each level."""
    print(f"{'':<28} {'stories/s':>10} {'MB/s':>7}")
    for level in storyworld.LEVELS:
        texts = [story.text for story in storyworld.stories(200, level=level)]
        storyworld.check(texts[0], level)
        work: dict[str, Callable[[int], int]] = {
            "text and log-probability": lambda i, at=level: len(storyworld.story(i, at).text),
            "... of the training split": lambda i, at=level: len(
                storyworld.story(i, at, "train").text
            ),
            "read back by the scorer": lambda i, at=level, t=texts: (
                storyworld.log_prob(t[i % 200], at),
                len(t[i % 200]),
            )[1],
            "read by the judge": lambda i, at=level, t=texts: (
                storyworld.check(t[i % 200], at),
                len(t[i % 200]),
            )[1],
        }
        for name, tell in work.items():
            stories, size = rate(tell)
            print(f"{level + ', ' + name:<38} {stories:>10,.0f} {size / 1e6:>7.2f}")


def start() -> None:
    """Import and first story, in a fresh process."""
    script = "from gptlib import storyworld; storyworld.story(0)"
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", script], check=True)
        seconds.append(time.perf_counter() - began)
    bare = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    bare = time.perf_counter() - bare
    print(
        f"\nimport and first story: {statistics.median(seconds) - bare:.2f} s beyond Python's own"
    )


def variety(n: int) -> None:
    """Words, lengths, distinct trigrams, repeated sentences."""
    stories = list(storyworld.stories(n))
    words = [WORD.findall(story.text) for story in stories]
    lengths = [sum(w[0].isalpha() for w in story) for story in words]
    vocabulary = {w.lower() for story in words for w in story if w[0].isalpha()}
    trigrams = Counter(g for s in words for g in zip(s, s[1:], s[2:], strict=False))
    sentences = Counter(x for s in stories for x in re.split(r"(?<=[.!?]) |\n\n", s.text))
    told = sum(sentences.values())
    entropy = storyworld.entropy(n=n)
    rows = {
        "plots, event types": f"{len(storyworld.world().plots)}, "
        f"{len({e for s in stories[:2000] for e, _ in s.events})}",
        "words a story (min, mean, max)": f"{min(lengths)}, {statistics.mean(lengths):.0f}, "
        f"{max(lengths)}",
        "vocabulary": f"{len(vocabulary):,}",
        "nats a story": f"{entropy.nats_per_story:.2f} ± {entropy.standard_error:.2f}",
        "stories told twice": f"{n - len({s.text for s in stories})}",
        "distinct-3": f"{len(trigrams) / trigrams.total():.4f}",
        "exact duplicate sentences": f"{1 - len(sentences) / told:.1%} of {told:,}",
        "of them, the commonest": f"{sentences.most_common(1)[0][1] / told:.2%}",
    }
    print(f"\nvariety of {n:,} stories")
    for name, value in rows.items():
        print(f"  {name:<32} {value}")


def self_bleu(n: int, references: int = 20) -> None:
    """BLEU of each story against other stories: lower is more varied."""
    try:
        import sacrebleu
    except ImportError:
        print("  self-BLEU                        not measured: pip install sacrebleu")
        return
    texts = [story.text.replace("\n\n", " ") for story in storyworld.stories(n)]
    rng = random.Random(0)
    scores = [
        sacrebleu.sentence_bleu(text, rng.sample([t for t in texts if t is not text], references))
        for text in texts
    ]
    mean = statistics.mean(score.score for score in scores)
    print(f"  self-BLEU of {n:,}, {references} references {mean:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", type=int, default=10_000)
    arguments = parser.parse_args()
    speed()
    start()
    variety(arguments.stories)
    self_bleu(min(1000, arguments.stories))
