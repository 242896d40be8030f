// One head as a matrix: a row for each query, a column for each key.

import { element } from "../js/dom.js";
import { clip, fit, sheet } from "../js/canvas.js";
import { shade } from "./scores.js";

const GUTTER = 66; // for the names of tokens
const LEGIBLE = 9; // pixels a token needs for its name

/** The matrix. `hover(row, column)` reports the cell, `pin(row)` the chosen query. */
export class Matrix {
  constructor({ hover, pin }) {
    this.picture = element("canvas", { "aria-hidden": "true" });
    this.overlay = element("canvas", {
      class: "gw-overlay",
      tabindex: "0",
      role: "application",
      "aria-label": "One head. Arrow keys move from cell to cell, Enter predicts after that query.",
      onpointermove: (event) => hover(...this.cellAt(event.offsetX, event.offsetY)),
      onpointerleave: () => hover(null, null),
      onclick: (event) => {
        const [row] = this.cellAt(event.offsetX, event.offsetY);
        if (row !== null) pin(row);
      },
      onkeydown: (event) => {
        const moves = {
          ArrowUp: [-1, 0],
          ArrowDown: [1, 0],
          ArrowLeft: [0, -1],
          ArrowRight: [0, 1],
        };
        const [row, column] = this.at ?? [this.T - 1, this.T - 1];
        const clamp = (n) => Math.max(0, Math.min(this.T - 1, n));
        if (moves[event.key]) {
          const [down, right] = moves[event.key];
          hover(clamp(row + down), clamp(column + right));
        } else if (event.key === "Enter") pin(row);
        else if (event.key === "Escape") hover(null, null);
        else return;
        event.preventDefault();
      },
    });
    this.root = element("div", { class: "gw-stack" }, this.picture, this.overlay);
  }

  draw({ tokens, weights, causal, colours, width, ink }) {
    const T = tokens.length;
    this.T = T;
    const room = Math.max(60, width - GUTTER - 4);
    this.cell = Math.min(34, room / T);
    this.gutter = GUTTER;
    const size = this.cell * T;
    this.size = size;
    const context = fit(this.picture, GUTTER + size + 2, GUTTER + size + 2);
    const pixels = new Uint32Array(T * T);
    for (let i = 0; i < T; i++) {
      for (let j = 0; j < T; j++) {
        const n = i * T + j;
        pixels[n] = causal && j > i ? 0 : colours[shade(weights[n])];
      }
    }
    context.imageSmoothingEnabled = this.cell < 1;
    context.drawImage(sheet(pixels, T, T), GUTTER, GUTTER, size, size);
    context.strokeStyle = ink.line;
    context.strokeRect(GUTTER - 0.5, GUTTER - 0.5, size + 1, size + 1);
    this.names(context, tokens, ink);
  }

  names(context, tokens, ink) {
    context.font = ink.font;
    context.fillStyle = ink.text;
    context.textBaseline = "middle";
    const every = Math.ceil(LEGIBLE / this.cell);
    for (let n = 0; n < tokens.length; n += every) {
      const name = clip(context, tokens[n], GUTTER - 12);
      const middle = GUTTER + (n + 0.5) * this.cell;
      context.textAlign = "right";
      context.fillText(name, GUTTER - 6, middle);
      context.save();
      context.translate(middle, GUTTER - 6);
      context.rotate(-Math.PI / 2);
      context.textAlign = "left";
      context.fillText(name, 0, 0);
      context.restore();
    }
    context.fillStyle = ink.faint;
    context.textAlign = "left";
    context.fillText("query ↓", 2, GUTTER - 20);
    context.fillText("key →", 14, GUTTER - 6);
  }

  /** What moves with the pointer is drawn apart, so that moving redraws no cell. */
  mark(row, column, pinned, ink) {
    this.at = row === null ? null : [row, column ?? row];
    const context = fit(this.overlay, GUTTER + this.size + 2, GUTTER + this.size + 2);
    const { cell, size } = this;
    context.fillStyle = ink.mark;
    context.fillRect(GUTTER - 4, GUTTER + pinned * cell, 3, Math.max(2, cell));
    context.strokeStyle = ink.mark;
    context.lineWidth = 1.5;
    const thick = Math.max(cell, 3);
    if (row !== null) context.strokeRect(GUTTER, GUTTER + row * cell, size, thick);
    if (column !== null) {
      context.strokeRect(GUTTER + column * cell, GUTTER, thick, size);
    }
  }

  cellAt(x, y) {
    const [column, row] = [x, y].map((at) => Math.floor((at - GUTTER) / this.cell));
    const inside = (n) => n >= 0 && n < this.T;
    if (inside(row) && inside(column)) return [row, column];
    if (inside(row)) return [row, null]; // on a query's name
    return [null, inside(column) ? column : null];
  }
}
