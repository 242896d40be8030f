"""`gptlib evaluate`: how well a model does the seven applications."""

from argparse import Namespace

from gptlib.cli.errors import Usage
from gptlib.cli.parsing import Parser, whole

SUMMARY = "measure a model on the seven applications"
DESCRIPTION = """\
Measure a model on the applications of the story world, each with the field's own metric and its
95% interval, beside methods without a model.

"test" has stories never seen; "compositional" has combinations that training never had."""
EXAMPLES = """\
  gptlib evaluate --model story-gpt-instruct --tasks all
  gptlib evaluate --quick
  gptlib evaluate --model runs/mine --tasks translation questions -n 200"""

QUICK = 20


def options(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument(
        "--model",
        default="story-gpt-instruct",
        help="a folder or a shipped model (default: %(default)s)",
    )
    parser.add_argument(
        "--tasks", nargs="+", default=["all"], metavar="TASK", help="which, by name (default: all)"
    )
    parser.add_argument(
        "--splits", nargs="+", default=["test", "compositional"],
        choices=["test", "compositional"], help="which examples (default: both)",
    )  # fmt: skip
    parser.add_argument(
        "-n",
        type=whole(1),
        default=300,
        help="examples of each, the first ones (default: %(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"only {QUICK} examples of each: wide intervals (default: -n of them)",
    )


def run(given: Namespace) -> int:
    """Print a table for each task."""
    import gptlib
    from gptlib.applications import APPLICATIONS, evaluate
    from gptlib.tokenizer import Tokenizer

    tasks = list(APPLICATIONS) if given.tasks == ["all"] else given.tasks
    for task in tasks:
        if task not in APPLICATIONS:
            raise Usage(f"there is no task {task!r}: use all, or some of {', '.join(APPLICATIONS)}")
    model, tokenizer = gptlib.load(given.model), Tokenizer.load(gptlib.model_path(given.model))
    n = QUICK if given.quick else given.n
    for task in tasks:
        table = evaluate(model, tokenizer, task, given.splits, n, name=given.model, progress=True)
        print(f"\n{table}", flush=True)
    return 0
