"""A run's folder and its `run.json`: with which options it was begun, on what data, how it went.

config.json  model.safetensors                  the model, as gptlib and transformers open it
vocab.json  merges.txt  tokenizer.json  ...     its tokenizer
checkpoint.safetensors                          all that training needs to go on
tokens.npy                                      the data as token ids, the held-out part last
log.csv  run.json                               what happened
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gptlib.cli.errors import Failure

RECORD = "run.json"
CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class RunFolder:
    """The folder that `--out` names."""

    path: Path

    @property
    def tokens(self) -> Path:
        """The file of token ids."""
        return self.path / "tokens.npy"

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a run to go on with."""
        return (self.path / CHECKPOINT).exists()

    def read(self) -> dict[str, Any]:
        """What `run.json` says. Raises `Failure` when it is missing or damaged."""
        file = self.path / RECORD
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Failure(
                f"{self.path}: holds no {RECORD}, so there is no run to go on with: "
                "leave --resume out to begin one"
            ) from None
        except ValueError as error:
            raise Failure(f"{file}: is damaged: {error}") from None
        if not isinstance(record, dict) or not isinstance(record.get("arguments"), dict):
            raise Failure(f"{file}: is damaged: it holds no arguments")
        return record

    def write(self, record: dict[str, Any]) -> None:
        """Write `run.json`, whole or not at all."""
        write_json(self.path / RECORD, record)

    def check_free(self) -> None:
        """Raise `Failure` when the folder holds something that a new run would overwrite."""
        if self.has_checkpoint:
            raise Failure(
                f"{self.path}: holds a run already: add --resume to go on with it, or choose "
                "another --out"
            )
        others = {file.name for file in self.path.iterdir()} if self.path.is_dir() else set()
        if others and RECORD not in others:
            raise Failure(
                f"{self.path}: is not empty and holds no run; nothing of it is overwritten: "
                "choose a new folder for --out"
            )

    def make(self) -> None:
        """Make the folder. Raises `Failure` where that can't be done."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(
                f"{self.path}: can't be made ({error.strerror}): choose another --out"
            ) from None


def write_json(file: Path, values: dict[str, Any]) -> None:
    """Write a JSON file under another name first, so that what stands here is always whole.

    Raises `Failure` when it can't be written.
    """
    beside = file.with_name(file.name + ".part")
    try:
        beside.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")
        os.replace(beside, file)
    except OSError as error:
        raise Failure(f"{file}: can't be written: {error.strerror}; choose another --out") from None
