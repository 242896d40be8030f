"""The README's table of the seven applications: made from what the model's card was made from.

python -m tools.applications_table         # after `python -m gptlib.recipes.publish_instruct`
"""

import json
from pathlib import Path
from typing import Any

import gptlib
from gptlib.recipes.publish_instruct import NAME

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN = "<!-- made by python -m tools.applications_table: do not edit -->"
END = "<!-- end of the table of applications -->"

# What the README says of each: its name, the figure that counts, the method to beat.
ROWS = (
    ("translation into Chinese", "translation", "BLEU", "word by word", ""),
    ("question answering", "questions", "EM", "commonest answer", ""),
    ("summarisation", "summaries", "ROUGE-L", "Lead-3", ""),
    ("a story on request", "writing", "consistent", "", ""),
    ("semantic parsing", "forms", "EM", "nearest sentence", ""),
    ("sentiment", "sentiment", "accuracy", "votes of words", ""),
    ("theme", "themes", "accuracy", "votes of words", ""),
    ("names in a sentence", "tags", "F1", "word by word", ""),
    ("search, in other words", "search", "nDCG@10", "BM25", ", paraphrase"),
    ("search, in a story's words", "search", "nDCG@10", "BM25", ", words"),
)


def section(tables: dict[str, list[dict[str, Any]]]) -> str:
    """The README's part between the two marks."""
    lines = [
        "| | figure | without a model | seen combinations | new combinations |",
        "|---|---|---|---|---|",
    ]
    for what, task, metric, rival, kind in ROWS:
        cells = {(row[task], row["split"]): row[metric] for row in tables[task] if metric in row}
        test, new = (_cell(cells[NAME, split + kind]) for split in ("test", "compositional"))
        other = _cell(cells[rival, f"test{kind}"]) if rival else "–"
        lines.append(f"| {what} | {metric} | {other} | {test} | {new} |")
    return "\n\n".join([BEGIN, "\n".join(lines), END])


def _cell(score: dict[str, float]) -> str:
    return f"{score['value']:.1f} [{score['low']:.1f}, {score['high']:.1f}]"


def load() -> dict[str, list[dict[str, Any]]]:
    """What was measured of the model that ships."""
    file = Path(gptlib.model_path(NAME)) / "measured.json"
    tables: dict[str, list[dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))["tables"]
    return tables


def written(readme: str, part: str) -> str:
    """The README with its table replaced. Raises ValueError where the marks are missing."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README}: the lines {BEGIN!r} and {END!r} are missing")
    return before + part + after


def main() -> None:
    """Write the README's table."""
    text = README.read_text(encoding="utf-8")
    README.write_text(written(text, section(load())), encoding="utf-8")


if __name__ == "__main__":
    main()
