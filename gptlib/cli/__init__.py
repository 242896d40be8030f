"""The command line: `gptlib train`, `generate`, `info`, `grade`, `new`; each command is one file.

A command's file has `SUMMARY`, one line; `DESCRIPTION` and `EXAMPLES`, what `--help` shows before
and after the options; `options(parser)`, which adds them; and `run(given)`, which does it and
returns the exit code. It imports torch inside `run`, so that help and typing mistakes are answered
at once. `COMMANDS` in main.py names the commands.
"""

from gptlib.cli.main import main

__all__ = ["main"]
