"""The pictures of docs/widgets.md: each widget in a browser, light and dark.

python -m tools.screenshots             # all of them, in a minute or two; needs Chromium
python -m tools.screenshots studio      # one

The model is the one that ships. Chinese needs a font on this machine; without one there are boxes.
"""

import argparse
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image
from playwright.sync_api import Browser, Page

import gptlib
from gptlib import GPT, GPTConfig, data, hooks, storyworld, training, widgets
from gptlib.sampling import complete
from gptlib.tokenizer import Tokenizer
from tests.browser.chromium import Watch, chromium
from tests.browser.plain_page import PlainPage

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
THEMES = ("light", "dark")
WIDTH = 1000  # pixels of the page
TEXT = "Once upon a time there was a small dog. The dog was very"


def story_gpt() -> tuple[GPT, Tokenizer]:
    return gptlib.load("story-gpt"), Tokenizer.load(gptlib.model_path("story-gpt"))


def attention(page: Page) -> PlainPage:
    """The head that looks most at the token before, with the pointer on one weight."""
    model, tokenizer = story_gpt()
    with torch.no_grad(), hooks.record(model, "*.hook_attn_weights") as seen:
        model(torch.tensor([tokenizer.encode(TEXT)]))
    before = torch.cat([*seen.values()]).diagonal(-1, -2, -1).mean(dim=-1)  # (L, H)
    layer, head = divmod(int(before.argmax()), before.shape[1])
    explorer = widgets.AttentionExplorer(model, tokenizer, TEXT, layer=layer, head=head)
    shown = PlainPage(page, explorer, WIDTH)
    matrix = shown.root.locator(".gw-overlay")
    matrix.focus()
    for key in ("ArrowUp",) * 2 + ("ArrowLeft",) * 3:  # from the last weight of the last row
        matrix.press(key)
    shown.settled()
    return shown


def studio(page: Page) -> PlainPage:
    """Two tokens taken, one of them in two ways; a cut and some heat."""
    shown = PlainPage(page, widgets.SamplingStudio(*story_gpt(), temperature=1.2, top_k=12), WIDTH)
    candidates = shown.root.get_by_label("Candidates for the next token").locator("tbody button")

    def press(button: Callable[[], None]) -> None:
        rev = shown.rev
        button()
        shown.settled(rev)

    back = shown.root.get_by_role("button", name="Back")
    press(candidates.nth(0).click)
    press(candidates.nth(0).click)
    press(back.click)
    press(candidates.nth(1).click)
    press(candidates.nth(0).click)
    return shown


def microscope(page: Page) -> PlainPage:
    _, tokenizer = story_gpt()
    small = Tokenizer(tokenizer.merges[:500])
    named = {"4,096 tokens": tokenizer, "first 500 merges": small}
    return PlainPage(page, widgets.TokenizerMicroscope(named), WIDTH)


def walk(page: Page) -> PlainPage:
    return PlainPage(page, widgets.ResidualWalk(*story_gpt()), WIDTH)


def positions(page: Page) -> PlainPage:
    return PlainPage(page, widgets.PositionViewer("product formula"), WIDTH)


def stories(page: Page) -> PlainPage:
    shown = PlainPage(page, widgets.StoryViewer(3, level="nursery"), WIDTH)
    shown.root.locator(".gw-sentence").nth(3).click()
    shown.settled()
    return shown


def devices(page: Page) -> PlainPage:
    model, _ = story_gpt()
    return PlainPage(page, widgets.DeviceSwitch(model, seconds=0.3), WIDTH)


def monitor(page: Page) -> PlainPage:
    """A short training on the nursery's stories, with their entropy as its floor."""
    told = [story.text for story in storyworld.stories(5000, level="nursery")]
    tokenizer = Tokenizer.train("\n".join(told[:2000]), vocab_size=512)
    end = tokenizer.special_tokens["<|endoftext|>"]
    rows = [torch.tensor([*tokenizer.encode(text), end]) for text in told]
    held_out = list(data.Documents(torch.cat(rows[-64:]), end, batch_size=64).in_order())
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=end + 1, n_positions=96, n_embd=64, n_layer=2, n_head=2))
    monitor = widgets.TrainingMonitor(
        floor=storyworld.entropy("nursery", tokenizer=tokenizer).nats_per_token,
        sample=lambda model: complete(model, tokenizer, "Once", max_new_tokens=24, seed=0),
        sample_every=100,
    )
    batches = data.Documents(torch.cat(rows[:-64]), end, batch_size=16)
    config = training.TrainingConfig(400, lr=4e-3, warmup=50, validate_every=50, device="cpu")
    training.train(model, batches, config, validation=held_out, callbacks=[monitor])
    return PlainPage(page, monitor, WIDTH)


WIDGETS: dict[str, Callable[[Page], PlainPage]] = {
    "attention": attention, "devices": devices, "studio": studio, "microscope": microscope,
    "positions": positions, "monitor": monitor, "stories": stories, "residual": walk,
}  # fmt: skip


def small(png: bytes) -> bytes:
    """The same picture in 256 colours, which cover those of maps as well: a third of the size."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    reduced = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    out = io.BytesIO()
    reduced.save(out, format="PNG", optimize=True)
    return out.getvalue()


@contextmanager
def new_page(browser: Browser) -> Iterator[Page]:
    page = browser.new_context(device_scale_factor=1, color_scheme="light").new_page()
    watch = Watch(page)
    yield page
    page.context.close()
    watch.check()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(WIDGETS)} (default: all)")
    names = parser.parse_args().names or [*WIDGETS]
    PICTURES.mkdir(exist_ok=True)
    with chromium() as browser:
        for name in names:
            with new_page(browser) as page:
                shown = WIDGETS[name](page)
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)
                    shown.settled()
                    path = PICTURES / f"{name}-{theme}.png"
                    path.write_bytes(small(shown.root.screenshot()))
                    print(f"{path.name}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
