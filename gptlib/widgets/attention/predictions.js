// What the model says next, and what each layer would say: tables that screen readers read.

import { element } from "../js/dom.js";
import { bar, percent, table } from "../js/table.js";

/** The two tables below the heads. */
export class Predictions {
  constructor() {
    this.next = element("div");
    this.lens = element("div");
    this.root = element("div", { class: "gw-predictions" }, this.next, this.lens);
  }

  /** `next`: [token, probability, probability of the untouched model]; `lens`: pairs by layer. */
  draw({ tokens, position, next, lens }, changed) {
    const after = `“${tokens[position]}”`;
    const rows = next.map(([token, now, before]) => {
      const bars = [bar(now, "gw-now")];
      if (changed) bars.push(bar(before, "gw-was"));
      const numbers = [element("td", { class: "gw-number" }, percent(now))];
      if (changed) numbers.push(element("td", { class: "gw-number gw-note" }, percent(before)));
      return element(
        "tr",
        {},
        element("th", { scope: "row", class: "gw-token" }, token),
        element("td", { class: "gw-bars", "aria-hidden": "true" }, ...bars),
        ...numbers,
      );
    });
    const heads = ["token", "", ...(changed ? ["now", "before"] : ["probability"])];
    this.next.replaceChildren(
      element("h4", {}, `Next after ${after}`),
      table("What the model predicts next", heads, rows),
    );

    const layers = lens.map((guesses, layer) =>
      element(
        "tr",
        {},
        element("th", { scope: "row", class: "gw-number" }, String(layer)),
        ...guesses.map(([token, p]) => {
          const cell = element("td", { title: percent(p) }, bar(p, "gw-now"));
          cell.append(element("span", { class: "gw-token" }, token), ` ${percent(p)}`);
          return cell;
        }),
      ),
    );
    const ranks = lens[0].map((_, n) => ["first", "second", "third"][n] ?? `${n + 1}`);
    this.lens.replaceChildren(
      element("h4", {}, "If a layer were the last (logit lens)"),
      table("What each layer would predict", ["layer", ...ranks], layers),
    );
  }
}
