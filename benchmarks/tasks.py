"""Speed of the story world's tasks: CPU time per story, and megabytes of story text per second.

python benchmarks/tasks.py [stories]
"""

import sys
import time

from gptlib import storyworld
from gptlib.storyworld import tasks

STORIES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
WARM_UP = 200


def measure(name, run):
    """Print the row of `run`, a function of (start, stop)."""
    run(0, WARM_UP)
    begun = time.process_time()
    run(WARM_UP, WARM_UP + STORIES)
    seconds = time.process_time() - begun
    rate = SIZE / seconds / 1e6
    print(f"{name:<34}{seconds / STORIES * 1e3:>9.2f} ms{rate:>9.2f} MB/s")


def read(start, stop):
    for story in storyworld.stories(start, stop):
        assert story.sentences


def every_task(start, stop):
    for index in range(start, stop):
        assert tasks.of_story(index, level="full")


SIZE = sum(len(s.text.encode()) for s in storyworld.stories(WARM_UP, WARM_UP + STORIES))
print(f"{STORIES} stories at full, {SIZE / STORIES:.0f} bytes each; one process, CPU time")
measure("text and log-probability", lambda a, b: list(storyworld.stories(a, b)))
measure("and meaning, states, Chinese", read)
measure("and all tasks", every_task)
