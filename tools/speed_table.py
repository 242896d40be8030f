"""The README's tables of speed: made from what the benchmarks left in `benchmarks/results`.

python -m tools.speed_table         # after `python -m benchmarks.training ... --save` and others

A figure that nobody measured has no row, and a table without rows is left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN = "<!-- made by python -m tools.speed_table: do not edit -->"
END = "<!-- end of the tables of speed -->"

Row = tuple[str, Sequence[str]]  # what is measured, one cell for each column

SHAPES = {
    "a": "4 layers, 128 wide, 65 tokens",
    "b": "6 layers, 384 wide, 512 tokens",
    "c": "4 layers, 256 wide, 4,096 tokens",
}
TRAINING = {
    "best / nanoGPT fp32": "the faster of gptlib's formats, against nanoGPT in float32",
    "best / nanoGPT bf16": "... against nanoGPT in bfloat16 autocast",
    "fp32 / fp32": "float32 against nanoGPT in float32",
    "best / transformers fp32": "the faster format, against transformers in float32",
}
SHARES = {
    "share of ceiling fp32": "share of the speed of a plain matrix product, float32",
    "share of ceiling bf16": "... bfloat16",
}
MODELS = {"L6 C384": "6 layers, 384 wide", "124M": "GPT-2's 124 million"}
FORMATS = ("float32", "bfloat16", "int8")


def load(folder: Path = RESULTS) -> dict[str, Any]:
    """What was saved, by the benchmark's name."""
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    }


def section(results: Mapping[str, Any]) -> str:
    """The README's part between the two marks."""
    tables = (_training, _quality, _gpu, _generation, _widgets)
    parts = [part for table in tables for part in table(results)]
    if not parts:
        parts = ["No figures yet: `python -m benchmarks.training --help` says how to measure."]
    return "\n\n".join([BEGIN, *parts, END])


def _training(results: Mapping[str, Any]) -> Iterator[str]:
    if "training" not in results:
        return
    runs = results["training"]["figures"]
    shapes = [name for name in SHAPES if any(name in run for run in runs.values())]
    rows: list[Row] = []
    for threads in sorted(runs, reverse=True):
        for key, what in TRAINING.items():
            cells = [_times(runs[threads].get(shape, {}).get(key)) for shape in shapes]
            rows.append((f"{what} ({_threads(threads)})", cells))
    for key, what in SHARES.items():
        shares = [runs.get("threads 1", {}).get(shape, {}).get(key) for shape in shapes]
        rows.append((f"{what} (1 thread)", [_percent(share) for share in shares]))
    if "memory" in results:
        memory = results["memory"]["figures"]
        for who in ("gptlib", "nanoGPT", "transformers"):
            cells = [_mebibytes(memory.get(shape, {}).get(f"{who} fp32")) for shape in shapes]
            rows.append((f"memory that training adds, {who} in float32", cells))
    head = [SHAPES[name] for name in shapes]
    yield from _titled("A training step, times as fast", results["training"], head, rows)


def _quality(results: Mapping[str, Any]) -> Iterator[str]:
    figures = results.get("quality", {}).get("figures", {})
    if apart := figures.get("apart"):
        most = max(abs(value) for seed, value in apart.items() if seed != "mean")
        yield (
            f"Training in bfloat16 ends where float32 does: after 1,000 steps on {len(apart) - 1} "
            f"seeds the held-out losses differ by {most:.4f} nats a character at most."
        )
    if recipe := figures.get("recipe"):
        each = "; ".join(
            f"{who} {recipe[f'{who} loss']:.2f} in {recipe[f'{who} seconds']:.0f} s"
            for who in ("nanoGPT fp32", "gptlib fp32", "gptlib bf16", "gptlib bf16, Muon")
            if f"{who} loss" in recipe
        )
        yield f"nanoGPT's recipe for a laptop, tiny Shakespeare, held-out loss and time: {each}."


def _gpu(results: Mapping[str, Any]) -> Iterator[str]:
    if "training-gpu" not in results:
        return
    figures = results["training-gpu"]["figures"].get("gpt2", {})
    rows: list[Row] = [
        (
            "bfloat16 against compiled nanoGPT in bfloat16",
            [_times(figures.get("best / nanoGPT bf16"))],
        ),
        (
            "share of the speed of a plain matrix product, bfloat16",
            [_percent(figures.get("share of ceiling bf16"))],
        ),
    ]
    title = "A training step on a GPU"
    yield from _titled(title, results["training-gpu"], [MODELS["124M"]], rows)


def _generation(results: Mapping[str, Any]) -> Iterator[str]:
    if "generation" not in results:
        return
    runs = results["generation"]["figures"]
    rows: list[Row] = []
    for threads in sorted(runs, reverse=True):
        run = runs[threads]
        for batch in ("batch 1", "batch 8"):
            for format in FORMATS:
                ratios = [run.get(m, {}).get(batch, {}).get(f"Decoder {format}") for m in MODELS]
                rows.append((f"{batch}, {format} ({_threads(threads)})", [*map(_times, ratios)]))
        shares = [run.get(m, {}).get("batch 1", {}).get("streaming_share") for m in MODELS]
        what = (
            f"share of the speed at which memory gives the weights, bfloat16 ({_threads(threads)})"
        )
        rows.append((what, [_percent(share) for share in shares]))
    title = "A generated token, times as fast as `generate` of transformers in float32"
    yield from _titled(title, results["generation"], [*MODELS.values()], rows)
    words = runs.get("threads 2", {}).get("first words")
    if words:
        yield (
            f"A script that imports gptlib, opens `story-gpt` and writes 50 tokens takes "
            f"{words['script']:.1f} s, of which importing torch alone takes "
            f"{words['import_torch']:.1f} s."
        )


def _widgets(results: Mapping[str, Any]) -> Iterator[str]:
    if "widgets" not in results:
        return
    figures = results["widgets"]["figures"]
    rows: list[Row] = [(what, [f"{value:.0f} ms"]) for what, value in figures.items()]
    title = "The attention explorer, from the key to the picture"
    yield from _titled(title, results["widgets"], ["median"], rows)


def _titled(
    title: str, result: Mapping[str, Any], head: Sequence[str], rows: Sequence[Row]
) -> Iterator[str]:
    """What was measured, on which machine, and a table of the rows that have a figure."""
    rows = [row for row in rows if any(row[1])]
    if not rows:
        return
    machine = result["machine"]
    cores = f", {machine['cores']} cores" if "cores" in machine else ""
    yield f"**{title}** ({machine['device']}{cores}, torch {machine['torch']}):"
    lines = [["", *head], ["---"] * (1 + len(head))]
    lines += [[what, *(cell or "–" for cell in cells)] for what, cells in rows]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _threads(key: str) -> str:
    number = key.split()[-1]
    return f"{number} thread{'s' if number != '1' else ''}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}×"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _mebibytes(size: float | None) -> str:
    return "" if size is None else f"{size:.0f} MiB"


def written(text: str, made: str) -> str:
    """The README with its tables replaced. Raises `ValueError` where the marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md needs a line {BEGIN!r}, and below it {END!r}")
    return before + made + after


if __name__ == "__main__":
    README.write_text(
        written(README.read_text(encoding="utf-8"), section(load())), encoding="utf-8", newline="\n"
    )
