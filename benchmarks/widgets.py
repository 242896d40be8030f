"""Key press to painted picture of the attention explorer, in JupyterLab and Chromium.

python -m benchmarks.widgets [--save]       # needs Chromium and playwright; some minutes

The story model answers the presses; then a model of GPT-2's shape (12 layers of 12 heads, 768 wide,
random weights) is displayed. Figures are medians, until the frame with the drawing is painted.
--save keeps them for the README's table.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.record import save
from tests.browser.chromium import Watch, chromium, find_chromium
from tests.browser.jupyterlab import (
    Lab,
    errors,
    jupyterlab,
    open_lab,
    open_notebook,
    run_all,
    write_notebook,
)

REPEATS = 20
TEXT = "Once upon a time there was a small dog. The dog was very happy."

SET_UP = f"""
import time, torch
from pathlib import Path
import gptlib
from gptlib import GPT, GPTConfig
from gptlib.pretrained import find
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import AttentionExplorer

folder = find("story-gpt")
story, tokenizer = gptlib.load(folder), Tokenizer.load(folder)
big = GPT(GPTConfig(vocab_size=story.config.vocab_size, n_layer=12, n_head=12, n_embd=768)).eval()
words = {TEXT!r} + " The dog ran to the river and the cat sat on the hill." * 60

def text_of(n):
    return tokenizer.decode(tokenizer.encode(words)[:n])
""".strip()

# Runs in the page: does something, waits for the frame that shows it. A widget draws in an
# animation frame and counts data-rev there. The browser paints that frame before it runs the next
# timer, so the timer that sees the new count comes after the paint.
TIMER = """
window.root = () => document.querySelector(".gw-root");
window.until = async (test) => {
  const end = performance.now() + 60000;
  while (!test()) {
    if (performance.now() > end) throw new Error(`a minute without: ${test}`);
    await new Promise((next) => setTimeout(next, 0));
  }
};
window.settled = (rev) =>
  until(() => root()?.dataset.ready === "true" && Number(root().dataset.rev) > rev);
window.timed = async (act, answered) => {
  await settled(-1);
  const rev = Number(root().dataset.rev);
  const start = performance.now();
  act();
  if (answered) await settled(rev);
  else await until(() => Number(root().dataset.rev) > rev);
  return performance.now() - start;
};
window.press = (selector, key) =>
  root().querySelector(selector).dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
window.typeText = (text) => {
  const area = root().querySelector("textarea");
  area.value = text;
  area.dispatchEvent(new Event("input"));
};
window.slide = (value) => {
  const slider = root().querySelector("input[type=range]");
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
};
// Each time a third of the matrix or more away: within one cell nothing would be painted.
window.point = (n) => {
  const overlay = root().querySelector(".gw-overlay");
  const box = overlay.getBoundingClientRect();
  const names = 66; // pixels before the first cell
  const along = names + (box.width - names) * (0.1 + (0.8 * ((n * 7) % 16)) / 16);
  const at = { clientX: box.x + along, clientY: box.y + box.height * 0.9 };
  overlay.dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true }));
};
"""

HEADS = ".gw-heads canvas[tabindex]"
ALONE = {
    "another layer": f"n => press('{HEADS}', n % 2 ? 'ArrowUp' : 'ArrowDown')",
    "another head": f"n => press('{HEADS}', n % 2 ? 'ArrowLeft' : 'ArrowRight')",
    "pointing at a weight": "n => point(n)",
    "the mask off or on": "n => root().querySelectorAll('input[type=checkbox]')[1].click()",
}
WITH_MODEL = {
    "text, with its pause of 40 ms": f"n => typeText({TEXT!r} + ' a'.repeat(1 + n % 3))",
    "temperature": "n => slide(1 + (n % 9) / 10 + 0.1)",
    "a head off or on": f"n => press('{HEADS}', ' ')",
}


def median(page: Page, act: str, answered: bool) -> float:
    times = page.evaluate(
        f"""async ([repeats, answered]) => {{
            const act = {act};
            const times = [];
            for (let n = 0; n < repeats; n++) times.push(await timed(() => act(n), answered));
            return times;
        }}""",
        [REPEATS, answered],
    )
    return statistics.median(times)


def burst(page: Page) -> float:
    """The last of 11 fast key presses, until its picture is painted."""
    return page.evaluate(
        """async (text) => {
            await settled(-1);
            for (let n = 0; n < 10; n++) {
                typeText(text + " dog".repeat(n));
                await new Promise((next) => setTimeout(next, 30));
            }
            const start = performance.now();
            typeText(text + " river");
            await settled(-1); // not ready while anything is asked, or waits to be asked or painted
                      return performance.now() - start;
        }""",
        TEXT,
    )


def first_display(page: Page, cell: int) -> float:
    """Run the cell again; until the new widget is painted."""
    return page.evaluate(
        """async (cell) => {
            const { commands, shell } = window.jupyterapp;
            shell.currentWidget.content.activeCellIndex = cell;
            await commands.execute("notebook:clear-cell-output");
            await until(() => !root());
            const start = performance.now();
            const ran = commands.execute("notebook:run-cell");
            await settled(0);
                      const time = performance.now() - start;
            await ran;
            return time;
        }""",
        cell,
    )


class Table:
    """Prints each figure as it comes, and keeps it."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def add(self, what: str, milliseconds: float, goal: str = "") -> None:
        self.figures[what] = milliseconds
        print(f"{what:<44} {milliseconds:>8.0f} ms   {goal}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--save", action="store_true", help="keep them in benchmarks/results")
    options = parser.parse_args()
    if not find_chromium():
        sys.exit("no Chromium or Chrome on this machine")
    table = Table()
    folder = tempfile.TemporaryDirectory()
    with folder as name, jupyterlab(Path(name)) as lab, chromium() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        watch = Watch(page)
        open_lab(page, lab)
        page.evaluate(f"() => {{ {TIMER} }}")  # a bare function would be called
        with_story_model(page, lab, table)
        for tokens, goal in ((24, "under 300"), (128, "under 600"), (256, "under 1500"), (512, "")):
            with_large_model(page, lab, table, tokens, goal)
        watch.check()
    if options.save:
        save("widgets", table.figures)


def with_story_model(page: Page, lab: Lab, table: Table) -> None:
    """What a press takes, with the model that ships."""
    opened(page, lab, "story.ipynb", [SET_UP, f"AttentionExplorer(story, tokenizer, {TEXT!r})"])
    for what, act in ALONE.items():
        table.add(f"the browser alone: {what}", median(page, act, answered=False), "under 30")
    # The mask was clicked an even number of times: the model is as trained again.
    for what, act in WITH_MODEL.items():
        table.add(f"with a forward pass: {what}", median(page, act, answered=True), "under 120")
    table.add("the last of 11 fast key presses", burst(page), "under 500")


def with_large_model(page: Page, lab: Lab, table: Table, tokens: int, goal: str) -> None:
    """What the first picture takes, and another head after it."""
    cells = [
        SET_UP + f"\ntext = text_of({tokens})",
        "AttentionExplorer(big, tokenizer, text)",
        "idx = torch.tensor([tokenizer.encode(text)])\nstart = time.perf_counter()\n"
        "with torch.no_grad():\n    big.transformer(idx)\n"
        "print(f'{1000 * (time.perf_counter() - start):.0f}', end='')",
    ]
    ran = opened(page, lab, f"big{tokens}.ipynb", cells)
    displays = [first_display(page, 1) for _ in range(3)]
    forward = "".join(ran[2]["outputs"][0]["text"])
    note = f"{goal}{', ' if goal else ''}of which a forward pass: {forward} ms"
    table.add(f"12 × 12 heads, {tokens} tokens: first display", statistics.median(displays), note)
    another = median(page, ALONE["another head"], answered=False)
    goal = "under 60" if tokens <= 128 else ""
    table.add(f"12 × 12 heads, {tokens} tokens: another head", another, goal)


def opened(page: Page, lab: Lab, name: str, cells: list[str]) -> list[dict[str, Any]]:
    """Write a notebook, run it in a fresh kernel, and give its cells with their outputs."""
    write_notebook(lab, name, cells)
    open_notebook(page, name)
    ran = run_all(page)
    if wrong := errors(ran):
        sys.exit("\n".join(wrong))
    return ran


if __name__ == "__main__":
    main()
