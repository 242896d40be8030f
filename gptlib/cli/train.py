"""`gptlib train`: from a text to a folder with a trained model."""

from argparse import SUPPRESS, Namespace
from pathlib import Path
from typing import Any

from gptlib.cli.parsing import Parser
from gptlib.cli.train_options import GROUPS

SUMMARY = "train a model on a text"
DESCRIPTION = """\
Train a GPT and write it, its tokenizer, its log and its checkpoints into one folder.

gptlib.load opens that folder, and so does transformers (with learned positions). Ctrl-C stops after
the current step and loses nothing: --resume goes on, exactly as if training had never stopped."""
EXAMPLES = """\
  gptlib train --data story:nursery --out runs/nursery
  gptlib train --data my_notes.txt --tokenizer bytes --n-layer 2 --steps 300 --out runs/notes
  gptlib train --out runs/nursery --resume --steps 4000
  torchrun --nproc-per-node 2 -m gptlib train --data python-docs --out runs/docs"""


def options(parser: Parser) -> None:
    """Add the options; what is not given stays unset, so that a resumed run can fill it in."""
    run = parser.add_argument_group("the run")
    run.add_argument(
        "--out", required=True, type=Path, metavar="FOLDER", help="the run's folder, new or empty"
    )
    run.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in this folder, with the options it was begun with",
    )
    for title, group in GROUPS.items():
        box = parser.add_argument_group(title)
        for option in group:
            flag = "--" + option.name.replace("_", "-")
            text = f"{option.help} (default: {option.shown})"
            if option.kind is bool:
                box.add_argument(flag, action="store_true", default=SUPPRESS, help=text)
            elif isinstance(option.kind, tuple):
                box.add_argument(flag, choices=option.kind, default=SUPPRESS, help=text)
            else:
                box.add_argument(
                    flag, type=option.kind, default=SUPPRESS, metavar=option.metavar, help=text
                )


def run(given: Namespace) -> int:
    """Prepare the folder in one process, then train in all."""
    from gptlib.cli.run_folder import RunFolder
    from gptlib.cli.train_run import join_processes, prepare_once, train_here

    words: dict[str, Any] = {
        name: value
        for name, value in vars(given).items()
        if name not in ("command", "out", "resume")
    }
    folder = RunFolder(given.out)
    processes = join_processes(words.get("device"))
    if not prepare_once(folder, words, given.resume, processes):
        return 1
    return train_here(folder, words, processes)
