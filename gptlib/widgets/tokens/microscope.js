// The tokenizer microscope: tokens in colour, and the merges of the chosen word.

import { element, setText, slider } from "../js/dom.js";
import { mount } from "../js/view.js";
import { row, table } from "../js/table.js";

const TYPING = 40; // milliseconds without a key until the text is cut
const COLOURS = 5;

/** Tokens of one vocabulary as buttons; each chooses its word. */
function tokenButtons(side, pick) {
  return side.tokens.map(([id, text, word], n) => {
    const attributes = {
      type: "button",
      class: `gw-chip gw-token gw-colour-${n % COLOURS}`,
      "aria-label": `token ${id}, ${text}`,
      "aria-pressed": String(word === side.word),
      onclick: () => pick(word),
    };
    return element("button", attributes, text, element("small", {}, String(id)));
  });
}

/** A word in the middle of being merged; places in `made` are new. */
function pieces(parts, made) {
  const chips = parts.map((part, n) =>
    element("span", { class: `gw-piece gw-token${made.includes(n) ? " gw-made" : ""}` }, part),
  );
  return element("span", {}, ...chips);
}

function make({ ask, redraw }) {
  const view = { text: "", word: 0, step: Infinity };
  let state = null;
  const pick = (word) => {
    Object.assign(view, { word, step: Infinity });
    ask({ text: view.text, word });
  };
  const text = element("textarea", {
    rows: "2",
    spellcheck: "false",
    "aria-label": "Text to cut into tokens",
    oninput: () => {
      Object.assign(view, { text: text.value, step: Infinity });
      ask({ text: view.text, word: view.word }, TYPING);
    },
  });
  const length = element("p", { class: "gw-note" });
  const steps = slider({
    label: "merges replayed",
    min: 0,
    max: 1,
    step: 1,
    value: 1,
    oninput: (n) => {
      view.step = n;
      redraw();
    },
  });
  const panel = element("div");

  const update = (next, { stale }) => {
    state = next;
    if (stale) return;
    view.text = next.text;
    if (document.activeElement !== text) text.value = next.text;
  };
  const section = (side) => {
    const size = side.bytesPerToken.toFixed(2);
    const vocabulary = side.vocabSize.toLocaleString("en");
    const summary = `${side.tokens.length} tokens of ${size} bytes, vocabulary of ${vocabulary}`;
    const done = Math.min(view.step, side.merges.length);
    const rows = [row("bytes", ["", "", pieces(side.start, [])].map(asCell))];
    side.merges.slice(0, done).forEach(([left, right, rank, parts, made], n) => {
      rows.push(
        row(`${n + 1}`, [`${left} + ${right}`, `${rank + 1}`, pieces(parts, made)].map(asCell)),
      );
    });
    return element(
      "section",
      {},
      element("h3", {}, side.name || "Tokens"),
      element("p", { class: "gw-note" }, summary),
      element("div", { class: "gw-chips" }, ...tokenButtons(side, pick)),
      table("Merges of the chosen word", ["step", "merges", "learned as number", "the word"], rows),
    );
  };
  const draw = () => {
    if (!state) return;
    setText(length, `at most ${state.longest} tokens; click one to replay its word's merges`);
    const most = Math.max(...state.sides.map((side) => side.merges.length));
    steps.input.max = most;
    steps.set(Math.min(view.step, most));
    panel.replaceChildren(...state.sides.map(section));
  };
  const bar = element("div", { class: "gw-bar" }, steps.root, length);
  return { root: element("div", {}, text, bar, panel), update, draw };
}

function asCell(content) {
  return element("td", {}, content);
}

function render({ model, el }) {
  return mount(model, el, { name: "tokens", label: "Tokenizer microscope", make });
}

export default { render };
