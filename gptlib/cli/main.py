"""From a command line to an exit code: 0 fine, 1 a failure, 2 wrong usage, 130 Ctrl-C."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

import gptlib
from gptlib.cli.errors import Failure, Usage, as_line, say
from gptlib.cli.parsing import Parser

COMMANDS = ("train", "generate", "evaluate", "info", "grade", "new")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that `words` (default: the program's arguments) name; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that can't write a letter gets a "?"
            stream.reconfigure(errors="replace")
    given = parser().parse_args(words)
    name = f"gptlib {given.command}"
    try:
        code = _run(given)
        sys.stdout.flush()  # a reader that has gone shows here
        return code
    except BrokenPipeError:  # whoever reads (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as interrupt:
        say(f"{name}: {str(interrupt) or 'interrupted'}")
        return 130
    except Usage as error:
        say(f"{name}: {error} (see {name} --help)")
        return 2
    except Exception as error:
        line = as_line(error)
        if line is None:
            raise  # a mistake in the program: its traceback is what a report needs
        say(f"{name}: {line}" if line else "")
        return 1


def parser() -> Parser:
    """The parser of all commands."""
    whole = Parser(
        prog="gptlib",
        description="Train, run and inspect small GPTs.",
        epilog="gptlib COMMAND --help tells what a command can do.",
    )
    whole.add_argument("--version", action="version", version=f"gptlib {gptlib.__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = import_module(f"gptlib.cli.{name}")
        options = commands.add_parser(
            name,
            help=command.SUMMARY,
            description=command.DESCRIPTION,
            epilog=f"examples:\n{command.EXAMPLES}",
        )
        command.options(options)
        options.set_defaults(run=command.run)
    return whole


def _run(given: Namespace) -> int:
    run = given.run
    del given.run
    code: int = run(given)
    return code


__all__ = ["COMMANDS", "Failure", "main", "parser"]
