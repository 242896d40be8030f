// The story world viewer: choose a sentence, see the world after it and what the tasks say.

import { element, setText } from "../js/dom.js";
import { mount } from "../js/view.js";
import { row, table } from "../js/table.js";

const TYPING = 250; // milliseconds without a key until a number is looked up

function make({ ask, redraw }) {
  let state = null;
  let chosen = 0;
  const index = element("input", { type: "number", min: "0", step: "1" });
  index.addEventListener("input", () => {
    chosen = 0;
    ask({ index: index.value }, TYPING);
  });
  const step = (by) => {
    chosen = 0;
    ask({ index: Math.max(0, state.index + by) });
  };
  const go = (n) => {
    chosen = n;
    redraw();
  };
  const button = (label, onclick) => element("button", { type: "button", onclick }, label);
  const note = element("p", { class: "gw-note" });
  const bar = element(
    "div",
    { class: "gw-bar" },
    element("label", { class: "gw-control" }, "story", index),
    button("Story before", () => step(-1)),
    button("Next story", () => step(1)),
    note,
  );
  const text = element("div", { class: "gw-text" });
  const world = element("div", { class: "gw-world" });
  const sentence = element("div", { "aria-live": "polite" });
  const whole = element("div");
  const content = element(
    "div",
    {},
    bar,
    element("div", { class: "gw-columns" }, text, world),
    element("div", { class: "gw-columns" }, sentence, whole),
  );

  const told = () => {
    const paragraphs = [element("p")];
    state.moments.forEach((moment, n) => {
      if (state.gaps[n].includes("\n") && n) paragraphs.push(element("p"));
      const attributes = {
        type: "button",
        class: `gw-sentence gw-${moment.sentiment}`,
        "aria-pressed": String(n === chosen),
        onclick: () => go(n),
      };
      paragraphs.at(-1).append(element("button", attributes, moment.text), " ");
    });
    return paragraphs;
  };
  const facts = (moment) => {
    const rows = moment.facts.map(([name, value]) => {
      const fresh = moment.changed.includes(name);
      return row(name, [value, fresh ? "new" : ""], { class: fresh ? "gw-fresh" : "" });
    });
    return table("The world after this sentence", ["fact", "value", "since this sentence"], rows);
  };
  const labels = (moment) => {
    const words = moment.tags.map(([word, pos, entity]) =>
      element(
        "span",
        { class: "gw-word" },
        word,
        element("small", {}, entity === "O" ? pos : `${pos} ${entity}`),
      ),
    );
    const rows = [
      row("event", [moment.event]),
      row("sentiment", [moment.sentiment]),
      row("logical form", [moment.logic]),
      row("translation", [element("td", { lang: "zh-Hans" }, moment.zh)]),
      row("tags", [element("td", {}, ...words)]),
    ];
    return table("This sentence in the tasks", ["task", "this sentence"], rows);
  };
  const tasks = () => {
    const rows = [row("summary", [state.summary]), row("theme", [state.theme])];
    for (const [kind, question, answer] of state.questions) {
      rows.push(row(`question: ${kind}`, [`${question} → ${answer}`]));
    }
    for (const [query, stories] of state.searches) {
      rows.push(row("search", [`${query} → stories ${stories}`]));
    }
    return table("The whole story in the tasks", ["task", "the whole story"], rows);
  };

  const update = (next, { stale }) => {
    state = next;
    if (!stale && document.activeElement !== index) index.value = next.index;
  };
  const draw = () => {
    if (!state) return;
    chosen = Math.min(chosen, state.moments.length - 1);
    const moment = state.moments[chosen];
    const last = state.last.toLocaleString("en");
    setText(note, `${state.key}, log p = ${state.logProb.toFixed(2)} nats; stories 0 to ${last}`);
    text.replaceChildren(...told());
    world.replaceChildren(facts(moment));
    sentence.replaceChildren(labels(moment));
    whole.replaceChildren(tasks());
  };
  return { root: content, update, draw };
}

function render({ model, el }) {
  return mount(model, el, { name: "stories", label: "Story world viewer", make });
}

export default { render };
