"""The command line: `python -m gptlib` is `gptlib`."""

import sys

from gptlib.cli import main

if __name__ == "__main__":
    sys.exit(main())
