// One model of the explorer: its heads, the chosen one large, what it predicts.

import { element, setText } from "../js/dom.js";
import { Detail } from "./detail.js";
import { Legend } from "./legend.js";
import { Lines } from "./lines.js";
import { Matrix } from "./matrix.js";
import { Predictions } from "./predictions.js";
import { headScores, softmaxRows } from "./scores.js";
import { Thumbnails } from "./thumbnails.js";

/** A model's panel. `act` has pick and flip(layer, head), hover(row, column) and pin(row). */
export class Side {
  constructor(act) {
    this.thumbnails = new Thumbnails(act);
    this.matrix = new Matrix(act);
    this.lines = new Lines(act);
    this.legend = new Legend();
    this.detail = new Detail();
    this.predictions = new Predictions();
    this.title = element("h3", {});
    this.caption = element("h4", {}, "");
    this.left = element(
      "div",
      { class: "gw-heads" },
      element("h4", {}, "Layers ↓ and heads →"),
      this.thumbnails.canvas,
      this.legend.root,
    );
    this.middle = element("div", { class: "gw-matrix" }, this.caption, this.matrix.root);
    this.right = element(
      "div",
      { class: "gw-lines" },
      element("h4", {}, "The same as lines"),
      this.lines.canvas,
    );
    this.row = element("div", { class: "gw-row" }, this.left, this.middle, this.right);
    this.root = element(
      "section",
      { class: "gw-side" },
      this.title,
      this.row,
      this.detail.root,
      this.predictions.root,
    );
  }

  /** New numbers from Python. */
  load(side, arrays, prefix, settings, colours) {
    const array = (name) => arrays[`${prefix}.${name}`];
    this.data = { ...side, q: array("q"), k: array("k"), slopes: array("slopes") };
    this.thumbnails.load(array("thumbnails"), colours.sequential, settings.causal);
    this.colours = colours;
    this.known = "";
    this.told = null;
    this.title.hidden = !side.name;
    setText(this.title, side.name);
  }

  /** Scores and weights of the chosen head; computed anew only when something about it changed. */
  compute({ layer, head, causal, scaled, temperature }) {
    const key = [layer, head, causal, scaled, temperature].join();
    if (key === this.known) return false;
    this.known = key;
    this.scores = headScores(this.data, layer, head, { scaled, temperature });
    this.weights = softmaxRows(this.scores, this.data.tokens.length, causal);
    return true;
  }

  draw(view, ink, widths) {
    const layer = Math.min(view.layer, this.data.nLayer - 1);
    const head = Math.min(view.head, this.data.nHead - 1);
    const settings = { ...view, layer, head };
    const { tokens, position } = this.data;
    const pinned = Math.min(view.position ?? position, tokens.length - 1);
    const fresh = this.compute(settings);
    const look = `${widths.matrix}|${ink.text}|${ink.line}`;
    if (fresh || look !== this.look) {
      this.look = look;
      this.matrix.draw({
        tokens,
        weights: this.weights,
        causal: view.causal,
        colours: this.colours.sequential,
        width: widths.matrix,
        ink,
      });
      setText(this.caption, `Layer ${layer}, head ${head}`);
    }
    this.legend.draw(this.colours.sequential, widths.heads, ink);
    this.thumbnails.draw(widths.heads, ink, { layer, head }, view.off);
    const row = inside(view.row, tokens.length);
    const column = inside(view.column, tokens.length);
    this.matrix.mark(row, column, pinned, ink);
    this.lines.draw({
      tokens,
      weights: this.weights,
      width: widths.lines,
      top: this.matrix.gutter,
      step: this.matrix.cell,
      row,
      column,
      pinned,
      ink,
    });
    this.explain(settings, row, column, widths.detail, ink);
    if (this.told !== view.changed) this.predictions.draw(this.data, view.changed);
    this.told = view.changed;
  }

  explain(view, row, column, width, ink) {
    const T = this.data.tokens.length;
    const n = row * T + column;
    const cell = row !== null &&
      column !== null && {
        row,
        column,
        score: this.scores[n],
        weight: this.weights[n],
        hidden: view.causal && column > row,
      };
    this.detail.draw({
      side: { ...this.data, slope: this.data.slopes[view.head] },
      layer: view.layer,
      head: view.head,
      cell,
      settings: view,
      colours: this.colours.diverging,
      width,
      ink,
    });
  }
}

function inside(n, size) {
  return n !== null && n < size ? n : null;
}
