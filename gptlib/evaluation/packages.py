"""Packages that metrics are computed with, imported when first used.

`import gptlib` stays fast, and works where they are not installed.
"""

from importlib import import_module
from typing import Any


def needed(module: str, package: str) -> Any:
    """Import a module. Raises ImportError, naming the package to install, where it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"this needs {package}: pip install {package} ({error})") from error
