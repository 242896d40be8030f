// Tables, which every reader and screen reader knows, with bars in them.

import { element } from "./dom.js";

/** A probability as text. */
export function percent(p) {
  return p < 0.001 ? "<0.1%" : `${(100 * p).toFixed(1)}%`;
}

/** A bar as long as `p` says, from 0 to 1. */
export function bar(p, kind = "gw-now") {
  return element("span", { class: `gw-p ${kind}`, style: `width:${(100 * p).toFixed(2)}%` });
}

/** A table with a name; columns without a heading are left to the eye alone. */
export function table(label, heads, rows) {
  const cells = heads.map((text) =>
    text
      ? element("th", { scope: "col", class: `gw-col-${text.replaceAll(" ", "-")}` }, text)
      : element("td", { "aria-hidden": "true" }),
  );
  return element(
    "table",
    { "aria-label": label },
    element("thead", {}, element("tr", {}, ...cells)),
    element("tbody", {}, ...rows),
  );
}

/** A row: the first cell names it. */
export function row(name, cells, attributes = {}) {
  return element(
    "tr",
    attributes,
    element("th", { scope: "row" }, name),
    ...cells.map((cell) => (cell instanceof HTMLElement ? cell : element("td", {}, cell))),
  );
}
