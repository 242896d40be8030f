"""The attention explorer on paper.

Drawn with Pillow: matplotlib takes 0.3 s for it, and a widget is displayed after its picture only.
"""

import io
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from matplotlib import colormaps, font_manager
from PIL import Image, ImageDraw, ImageFont

from gptlib import plots

Weights = np.ndarray[Any, np.dtype[np.float32]]  # (L, H, T, T)
LABELLED = 40  # tokens; more labels would overlap
TICKS = (0, 0.05, 0.2, 0.5, 1)

# Sizes in pixels.
SIDE = 250  # of the sheet of all heads and of the one large head, at least
MARGIN, GAP = 12, 8
TITLE, NAME, LABEL = 14, 13, 11  # heights of letters
BAR = 14  # width of the scale of colours


def draw(models: Mapping[str, tuple[list[str], Weights]], layer: int, head: int) -> bytes:
    """A PNG with a row for each model: all heads small, then (layer, head) large."""
    rows = [
        beside(
            overview(name or "all heads", weights, layer, head),
            large(tokens, weights[layer, head], f"layer {layer}, head {head}"),
        )
        for name, (tokens, weights) in models.items()
    ]
    width = max(row.width for row in rows) + 2 * MARGIN
    height = sum(row.height + MARGIN for row in rows) + MARGIN
    page, top = Image.new("RGB", (width, height), "white"), MARGIN
    for row in rows:
        page.paste(row, (MARGIN, top))
        top += row.height + MARGIN
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures in one, their tops in line."""
    size = (left.width + 2 * MARGIN + right.width, max(left.height, right.height))
    both = Image.new("RGB", size, "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 2 * MARGIN, 0))
    return both


def overview(title: str, weights: Weights, layer: int, head: int) -> Image.Image:
    """All heads: a row of tiles for each layer, numbered, (layer, head) framed."""
    n_layer, n_head, n_tokens, _ = weights.shape
    step = max(1, n_tokens // 64)
    tiles = _colours(_hide_future(weights)[..., ::step, ::step])
    tile = max(SIDE // n_head - 3, 8)
    names = NAME + GAP + 2 * LABEL  # of the axis and of its layers or heads
    size = (names + n_head * (tile + 3), TITLE + GAP + n_layer * (tile + 3) + names)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((names, 0), title, "black", _font(title, TITLE))
    for i, j in np.ndindex(n_layer, n_head):
        corner = (names + j * (tile + 3), TITLE + GAP + i * (tile + 3))
        sheet.paste(_image(tiles[i, j], tile), corner)
    for i in range(n_layer):
        middle = TITLE + GAP + i * (tile + 3) + tile // 2
        pen.text((names - GAP // 2, middle), str(i), "black", _font("", LABEL), anchor="rm")
    bottom = TITLE + GAP + n_layer * (tile + 3)
    for j in range(n_head):
        pen.text(
            (names + j * (tile + 3) + tile // 2, bottom), str(j), "black", _font("", LABEL), "mt"
        )
    pen.text((names + n_head * (tile + 3) // 2, bottom + 2 * LABEL), "head", "black",
             _font("", NAME), "mt")  # fmt: skip
    _upright(sheet, "layer", (0, TITLE + GAP + n_layer * (tile + 3) // 2), NAME, "lm")
    left, top = names + head * (tile + 3), TITLE + GAP + layer * (tile + 3)
    frame = (left - 2, top - 2, left + tile + 1, top + tile + 1)
    pen.rectangle(frame, outline=plots.COLORS[5], width=2)
    return sheet


def large(tokens: list[str], weights: np.ndarray[Any, Any], title: str) -> Image.Image:
    """One head: a row for each token that reads, a column for each that is read, and the scale."""
    cell = max(1, -(-SIDE // len(tokens)))
    side = cell * len(tokens)
    labels = tokens if len(tokens) <= LABELLED else []
    size = min(LABEL, cell + 1)
    names = max((round(_font(t, size).getlength(t)) for t in labels), default=0) + GAP // 2
    top = TITLE + GAP
    scale = GAP + BAR + GAP // 2 + 3 * LABEL + NAME + GAP
    sheet = Image.new("RGB", (names + side + scale, top + side + names), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((names, 0), title, "black", _font(title, TITLE))
    sheet.paste(_image(_colours(_hide_future(weights)), side), (names, top))
    for n, token in enumerate(labels):
        middle = n * cell + cell // 2
        pen.text((names - GAP // 2, top + middle), token, "black", _font(token, size), "rm")
        _upright(sheet, token, (names + middle, top + side + GAP // 2), size, "mt")
    left = names + side + GAP
    ramp = np.linspace(1, 0, side)[:, None].repeat(BAR, 1)
    # Even steps of colour: the square root is undone where a tick stands.
    sheet.paste(Image.fromarray(_colours(ramp**2)), (left, top))
    for tick in TICKS:
        height = top + round((1 - tick**0.5) * (side - 1))
        pen.line((left + BAR, height, left + BAR + 2, height), "black")
        pen.text((left + BAR + GAP // 2, height), f"{tick:.2f}", "black", _font("", LABEL), "lm")
    right = left + BAR + GAP // 2 + 3 * LABEL
    _upright(sheet, "weight", (right, top + side // 2), NAME, "lm")
    return sheet


def _hide_future(weights: Weights) -> Weights:
    """Blank above the diagonal, where the mask leaves nothing; unmasked weights stay."""
    future = np.triu(np.ones(weights.shape[-2:], dtype=bool), 1)
    masked = ~weights[..., future].any()
    return np.where(future & masked, np.nan, weights)


def _colours(weights: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Weights (...) -> colours (..., 3), white where there is no weight.

    The square root of a weight decides its colour, on paper and on the screen.
    """
    blank = np.isnan(weights)
    places = np.sqrt(np.where(blank, 0, weights)) * 255
    pixels = _palette()[places.clip(0, 255).astype(np.uint8)]
    pixels[blank] = 255
    return pixels


def _image(pixels: np.ndarray[Any, np.dtype[np.uint8]], side: int) -> Image.Image:
    """A square matrix's colours, `side` pixels wide and high."""
    # A small matrix keeps its sharp squares; of a large one each pixel is a mean.
    way = Image.Resampling.NEAREST if len(pixels) <= side else Image.Resampling.BOX
    return Image.fromarray(pixels).resize((side, side), way)


@cache
def _palette() -> np.ndarray[Any, np.dtype[np.uint8]]:
    colours: np.ndarray[Any, np.dtype[np.uint8]]
    colours = colormaps[plots.SEQUENTIAL](range(256), bytes=True)[:, :3]
    return colours


def _upright(sheet: Image.Image, text: str, place: tuple[int, int], size: int, anchor: str) -> None:
    """Text that is read from below; `place` is the middle of its left side or of its top."""
    font = _font(text, size)
    box = Image.new("L", (max(1, round(font.getlength(text)) + 2), size + 4))
    ImageDraw.Draw(box).text((1, (size + 4) // 2), text, 255, font, "lm")
    box = box.rotate(90, expand=True)
    left, top = place if anchor == "lm" else (place[0] - box.width // 2, place[1])
    if anchor == "lm":
        top -= box.height // 2
    sheet.paste("black", (left, top), box)


def _font(text: str, size: int) -> ImageFont.FreeTypeFont:
    """matplotlib's own font, and for Chinese one of this machine, where it has one."""
    chinese = any(character >= "\u2e80" for character in text)
    return _loaded(plots.chinese_font() if chinese else None, size)


@cache
def _loaded(name: str | None, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont(name or "DejaVu Sans"), size)
