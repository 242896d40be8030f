"""Print stories: `python -m gptlib.storyworld --seed 1 --level full -n 10`, or `--tasks`."""

from __future__ import annotations

import argparse
import os
import sys

from gptlib import storyworld
from gptlib.storyworld.linking import LinkedPlot
from gptlib.storyworld.tasks.show import page


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m gptlib.storyworld", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first story")
    parser.add_argument("--level", choices=storyworld.LEVELS, default="full")
    parser.add_argument("--split", choices=storyworld.SPLITS, default=None)
    parser.add_argument("-n", type=int, help="how many stories (1; with --tasks, 10)")
    parser.add_argument("--zh", action="store_true", help="print the Chinese too")
    parser.add_argument("--events", action="store_true", help="print each sentence's event too")
    parser.add_argument("--tasks", action="store_true", help="print every task of each story")
    parser.add_argument("--check", action="store_true", help="check data files, tell -n stories")
    options = parser.parse_args(arguments)
    n = (10 if options.tasks else 1) if options.n is None else options.n
    try:
        if options.check:
            check(n)
            return 0
        for story in storyworld.stories(
            options.seed, options.seed + n, options.level, options.split
        ):
            if options.tasks:
                print(page(story.seed, options.split, options.level))
                continue
            print(f"[{story.seed}] {story.key}  log p = {story.log_prob:.3f} nats\n{story.text}\n")
            if options.zh:
                print(f"{story.zh}\n")
            if options.events:
                for sentence in story.sentences:
                    print(f"  {sentence.event} {sentence.arguments}: {sentence.text}")
                print()
    except (storyworld.DataError, storyworld.StoryError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def check(n: int) -> None:
    """Link every plot at every level, then tell `n` stories of each and read them back."""
    for event in storyworld.world().grammar.events.values():
        if event.notes.clause is None:
            what = f"event {event.name} has no clause, so no task can ask about it"
            remedy = "write clause {a:agent} gave/give {o:theme} to {b:recipient}"
            raise storyworld.DataError(event.where, what, remedy)
    for level in storyworld.LEVELS:
        world = storyworld.world(level)
        for plot in world.plots:
            LinkedPlot(world.grammar, plot, world.level)
        for story in storyworld.stories(n, level=level):
            assert story.sentences
            read = storyworld.log_prob(story.text, level)
            if abs(read - story.log_prob) > 1e-9:
                raise storyworld.StoryError(
                    f"{level} story {story.seed} can be told in two ways: log p"
                    f" {story.log_prob:.6f} as told, {read:.6f} as read\n{story.text}"
                )
        print(f"{level}: {len(world.plots)} plots, {n} stories told and read back")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever reads (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
