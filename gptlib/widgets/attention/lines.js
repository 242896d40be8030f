// One head as lines between tokens: queries on the left, the keys they look at on the right.

import { element } from "../js/dom.js";
import { clip, fit } from "../js/canvas.js";

const LEGIBLE = 9; // pixels a token needs for its name
const FAINTEST = 0.03; // thinner lines would only be a grey haze

/** The lines. `hover(row, column)` reports a query or a key, `pin(row)` the chosen query. */
export class Lines {
  constructor({ hover, pin }) {
    this.canvas = element("canvas", {
      role: "img",
      "aria-label": "The same weights as lines from each query to the keys it looks at.",
      onpointermove: (event) => hover(...this.tokenAt(event.offsetX, event.offsetY)),
      onpointerleave: () => hover(null, null),
      onclick: (event) => {
        const [row] = this.tokenAt(event.offsetX, event.offsetY);
        if (row !== null) pin(row);
      },
    });
  }

  /** `top` and `step` are the matrix's: a query's name stands beside its row there. */
  draw({ tokens, weights, width, top, step, row, column, pinned, ink }) {
    const T = tokens.length;
    Object.assign(this, { T, step, width, top });
    const context = fit(this.canvas, width, top + T * step + 2);
    const name = Math.min(86, width * 0.3);
    const [left, right] = [name + 6, width - name - 6];
    const y = (n) => top + (n + 0.5) * step;
    context.font = ink.font;
    context.textBaseline = "middle";
    context.fillStyle = ink.faint;
    context.textAlign = "right";
    context.fillText("query", name, top - 14);
    context.textAlign = "left";
    context.fillText("key", width - name, top - 14);

    context.strokeStyle = ink.stroke;
    const chosen = row !== null || column !== null;
    for (let i = 0; i < T; i++) {
      for (let j = 0; j < T; j++) {
        const weight = weights[i * T + j];
        if (weight < FAINTEST) continue;
        const lit = !chosen || i === row || (row === null && j === column);
        context.globalAlpha = lit ? Math.min(1, 0.12 + Math.sqrt(weight) * 0.9) : 0.05;
        context.lineWidth = 0.6 + 3 * weight;
        context.beginPath();
        context.moveTo(left, y(i));
        context.lineTo(right, y(j));
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    const every = Math.ceil(LEGIBLE / step);
    for (let n = 0; n < T; n++) {
      const named = n % every === 0 || n === row || n === column;
      const text = clip(context, tokens[n], name - 4);
      const over = (on) => (on ? ink.mark : n === pinned ? ink.text : ink.faint);
      if (named) {
        context.textAlign = "right";
        context.fillStyle = over(n === row);
        context.fillText(text, name, y(n));
        context.textAlign = "left";
        context.fillStyle = over(n === column && row === null);
        context.fillText(text, width - name, y(n));
      }
    }
    context.fillStyle = ink.mark;
    context.fillRect(left - 4, y(pinned) - Math.max(1, step / 2 - 1), 3, Math.max(2, step - 2));
  }

  tokenAt(x, y) {
    const n = Math.floor((y - this.top) / this.step);
    if (n < 0 || n >= this.T) return [null, null];
    if (x < this.width * 0.4) return [n, null];
    return x > this.width * 0.6 ? [null, n] : [null, null];
  }
}
