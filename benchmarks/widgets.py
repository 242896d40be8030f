"""Key press to painted picture of the attention explorer, in JupyterLab and Chromium.

python -m benchmarks.widgets            # needs Chromium and playwright; about three minutes

The story model answers the presses; a model of GPT-2's shape (12 layers of 12 heads, 768 wide,
random weights) is displayed first. Figures are medians; `painted` is the frame after the drawing.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.chromium import Watch, chromium, find_chromium
from tests.browser.jupyterlab import (
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
big = GPT(GPTConfig(vocab_size=4096, n_layer=12, n_head=12, n_embd=768)).eval()
words = {TEXT!r} + " The dog ran to the river and the cat sat on the hill." * 60

def text_of(n):
    return tokenizer.decode(tokenizer.encode(words)[:n])
""".strip()

# Runs in the page: does something, waits for the frame that shows it.
TIMER = """
window.root = () => document.querySelector(".gw-root");
window.painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
window.until = async (test) => {
  while (!test()) await new Promise((next) => setTimeout(next, 0));
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
  await painted();
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
window.point = (n) => {
  const overlay = root().querySelector(".gw-overlay");
  const box = overlay.getBoundingClientRect();
  const at = { clientX: box.x + 80 + (n % 10) * 9, clientY: box.y + 90 + (n % 7) * 11 };
  overlay.dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true }));
};
"""

HEADS = ".gw-heads canvas[tabindex]"
ALONE = {
    "layer": f"n => press('{HEADS}', n % 2 ? 'ArrowUp' : 'ArrowDown')",
    "head": f"n => press('{HEADS}', n % 2 ? 'ArrowLeft' : 'ArrowRight')",
    "hover": "n => point(n)",
    "mask": "n => root().querySelectorAll('input[type=checkbox]')[1].click()",
}
WITH_MODEL = {
    "text (with the pause of 60 ms)": f"n => typeText({TEXT!r} + ' a'.repeat(1 + n % 3))",
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
            return await timed(() => typeText(text + " river"), true);
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
            await painted();
            const time = performance.now() - start;
            await ran;
            return time;
        }""",
        cell,
    )


def line(what: str, milliseconds: float, goal: str = "") -> None:
    print(f"{what:<44} {milliseconds:>8.0f} ms   {goal}", flush=True)


def main() -> None:
    if not find_chromium():
        sys.exit("no Chromium or Chrome on this machine")
    folder = tempfile.TemporaryDirectory()
    with folder as name, jupyterlab(Path(name)) as lab, chromium() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        watch = Watch(page)
        open_lab(page, lab)
        cells = [SET_UP, f"AttentionExplorer(story, tokenizer, {TEXT!r})"]
        write_notebook(lab, "story.ipynb", cells)
        open_notebook(page, "story.ipynb")
        page.evaluate(f"() => {{ {TIMER} }}")  # a bare function would be called
        print(*errors(run_all(page)))
        for what, act in ALONE.items():
            line(f"browser alone: {what}", median(page, act, answered=False), "under 30")
        page.locator("button", has_text="As trained").click()
        for what, act in WITH_MODEL.items():
            line(f"forward pass: {what}", median(page, act, answered=True), "under 120")
        line("last of 11 fast key presses", burst(page), "under 500")

        for n, goal in ((24, "under 300"), (128, "under 600"), (256, "under 1500"), (512, "")):
            cells = [
                SET_UP + f"\ntext = text_of({n})",
                "AttentionExplorer(big, tokenizer, text)",
                "start = time.perf_counter()\nwith torch.no_grad():\n"
                "    big.transformer(torch.tensor([tokenizer.encode(text)]))\n"
                "print(f'{1000 * (time.perf_counter() - start):.0f}', end='')",
            ]
            write_notebook(lab, f"big{n}.ipynb", cells)
            open_notebook(page, f"big{n}.ipynb")
            ran = run_all(page)
            print(*errors(ran))
            line(
                f"12 x 12 heads, {n} tokens: first display",
                statistics.median(first_display(page, 1) for _ in range(3)),
                f"{goal}, of which a forward pass: {ran[2]['outputs'][0]['text']} ms",
            )
            line(f"12 x 12 heads, {n} tokens: another head", median(page, ALONE["head"], False))
        watch.check()


if __name__ == "__main__":
    main()
