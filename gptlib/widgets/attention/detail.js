// What lies behind one weight: the query, the key, and their product number by number.

import { element, setText } from "../js/dom.js";
import { fit, sheet } from "../js/canvas.js";
import { dot } from "./scores.js";

const ROW = 13;
const LABEL = 44;

/** The line of text and the three strips below a head. */
export class Detail {
  constructor() {
    this.text = element("p", { class: "gw-detail-text", "aria-live": "polite" });
    this.canvas = element("canvas", {
      role: "img",
      "aria-label": "The numbers of the query, of the key, and of their products.",
    });
    this.root = element("div", { class: "gw-detail" }, this.text, this.canvas);
  }

  /** `cell` holds row, column, score, weight and hidden (by the mask); null shows how to begin. */
  draw({ side, layer, head, cell, settings, colours, width, ink }) {
    const context = fit(this.canvas, width, 3 * ROW + 4);
    if (!cell) {
      setText(this.text, "Point at a cell, or move through the matrix with the arrow keys.");
      return;
    }
    const [, H, T, D] = side.q.shape;
    const at = (token) => ((layer * H + head) * T + token) * D;
    const [i, j] = [at(cell.row), at(cell.column)];
    const product = dot(side.q, side.k, i, j, D);
    setText(this.text, describe(side, cell, product, settings));

    const q = side.q.subarray(i, i + D);
    const k = side.k.subarray(j, j + D);
    const rows = [
      ["q", q],
      ["k", k],
      ["q × k", q.map((number, d) => number * k[d])],
    ];
    const largest = (numbers) => numbers.reduce((most, n) => Math.max(most, Math.abs(n)), 1e-9);
    const scale = [largest([...q, ...k]), largest([...q, ...k]), largest(rows[2][1])];
    const cellWidth = Math.max(1, Math.min(9, Math.floor((width - LABEL) / D)));
    context.font = ink.font;
    context.textBaseline = "middle";
    context.imageSmoothingEnabled = false;
    rows.forEach(([name, numbers], r) => {
      const pixels = new Uint32Array(D);
      numbers.forEach((number, d) => {
        pixels[d] = colours[Math.round(127.5 + 127.5 * (number / scale[r]))];
      });
      context.fillStyle = ink.faint;
      context.fillText(name, 0, r * ROW + ROW / 2);
      context.drawImage(sheet(pixels, D, 1), LABEL, r * ROW, D * cellWidth, ROW - 2);
    });
  }
}

/** One weight in words. */
export function describe(side, cell, product, { scaled, temperature }) {
  const [query, key] = [side.tokens[cell.row], side.tokens[cell.column]];
  let score = `q·k ${product.toFixed(3)}`;
  if (scaled) score += ` / √${side.q.shape[3]}`;
  if (side.slope) score += ` − ${side.slope.toPrecision(3)} · ${cell.row - cell.column}`;
  if (temperature !== 1) score = `(${score}) / ${temperature.toFixed(2)}`;
  const weight = cell.hidden ? "hidden by the mask" : `weight ${cell.weight.toFixed(4)}`;
  const result = cell.score.toFixed(3);
  return `“${query}” looks at “${key}”: ${weight}, score ${result} = ${score}`;
}
