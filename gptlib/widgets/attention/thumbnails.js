// All heads of a model as small pictures: a row for each layer.

import { element } from "../js/dom.js";
import { fit, sheet } from "../js/canvas.js";

const GAP = 3;
const MARGIN = { left: 20, top: 4, bottom: 18 };

/** The grid of heads. `pick(layer, head)` and `flip(layer, head)` report what the reader does. */
export class Thumbnails {
  constructor({ pick, flip }) {
    this.canvas = element("canvas", {
      tabindex: "0",
      role: "application",
      "aria-label": "All heads. Arrow keys choose a head, Space switches it off or on.",
      onpointerdown: (event) => {
        const at = this.headAt(event.offsetX, event.offsetY);
        if (at) pick(...at);
      },
      ondblclick: (event) => {
        const at = this.headAt(event.offsetX, event.offsetY);
        if (at) flip(...at);
      },
      onkeydown: (event) => {
        const moves = {
          ArrowUp: [-1, 0],
          ArrowDown: [1, 0],
          ArrowLeft: [0, -1],
          ArrowRight: [0, 1],
        };
        const { layer, head } = this.chosen;
        if (event.key === " ") flip(layer, head);
        else if (moves[event.key]) {
          const [down, right] = moves[event.key];
          const clamp = (n, size) => Math.max(0, Math.min(size - 1, n));
          // Known at once: a second key may come before the next drawing.
          this.chosen = {
            layer: clamp(layer + down, this.nLayer),
            head: clamp(head + right, this.nHead),
          };
          pick(this.chosen.layer, this.chosen.head);
        } else return;
        event.preventDefault();
      },
    });
    this.chosen = { layer: 0, head: 0 };
  }

  /** New pictures: bytes L x H x S x S. Above the diagonal a causal head has nothing to show. */
  load(bytes, colours, causal) {
    const [nLayer, nHead, side] = bytes.shape;
    const pixels = new Uint32Array(bytes.length);
    let n = 0;
    // Side by side in one sheet: head h of layer l begins at (h * side, l * side).
    for (let l = 0; l < nLayer; l++) {
      for (let h = 0; h < nHead; h++) {
        for (let i = 0; i < side; i++) {
          const row = ((l * side + i) * nHead + h) * side;
          for (let j = 0; j < side; j++, n++) {
            pixels[row + j] = causal && j > i ? 0 : colours[bytes[n]];
          }
        }
      }
    }
    Object.assign(this, { nLayer, nHead, side });
    this.sheet = sheet(pixels, nHead * side, nLayer * side);
  }

  draw(width, ink, chosen, off) {
    this.chosen = chosen;
    const { nLayer, nHead, side } = this;
    const tile = Math.max(10, Math.min(46, Math.floor((width - MARGIN.left) / nHead) - GAP));
    this.step = tile + GAP;
    const height = MARGIN.top + nLayer * this.step + MARGIN.bottom;
    const context = fit(this.canvas, MARGIN.left + nHead * this.step + 2, height);
    context.font = ink.font;
    context.fillStyle = ink.faint;
    context.strokeStyle = ink.line;
    context.imageSmoothingEnabled = side > tile;
    for (let l = 0; l < nLayer; l++) {
      const y = MARGIN.top + l * this.step;
      context.textAlign = "right";
      context.fillText(l, MARGIN.left - 6, y + tile / 2 + 4);
      for (let h = 0; h < nHead; h++) {
        const x = MARGIN.left + h * this.step;
        const dark = off.has(`${l}.${h}`);
        context.globalAlpha = dark ? 0.25 : 1;
        context.drawImage(this.sheet, h * side, l * side, side, side, x, y, tile, tile);
        context.globalAlpha = 1;
        if (dark) this.cross(context, x, y, tile, ink.text);
        else context.strokeRect(x - 0.5, y - 0.5, tile + 1, tile + 1);
      }
    }
    context.textAlign = "center";
    for (let h = 0; h < nHead; h++) {
      context.fillText(h, MARGIN.left + h * this.step + tile / 2, height - 5);
    }
    context.strokeStyle = ink.mark;
    context.lineWidth = 2.5;
    const [x, y] = [MARGIN.left + chosen.head * this.step, MARGIN.top + chosen.layer * this.step];
    context.strokeRect(x - 1.5, y - 1.5, tile + 3, tile + 3);
  }

  cross(context, x, y, tile, colour) {
    context.save();
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x + 3, y + 3);
    context.lineTo(x + tile - 3, y + tile - 3);
    context.moveTo(x + tile - 3, y + 3);
    context.lineTo(x + 3, y + tile - 3);
    context.stroke();
    context.restore();
  }

  headAt(x, y) {
    const head = Math.floor((x - MARGIN.left) / this.step);
    const layer = Math.floor((y - MARGIN.top) / this.step);
    const inside = head >= 0 && head < this.nHead && layer >= 0 && layer < this.nLayer;
    return inside ? [layer, head] : null;
  }
}
