// The attention explorer. What the browser can compute (another head, mask, scale, temperature of
// the scores it holds) it draws at once; what runs through the model follows from Python.

import { element, choice, setText, slider, toggle } from "../js/dom.js";
import { inks, palettes } from "../js/canvas.js";
import { unpack } from "../js/arrays.js";
import { mount } from "../js/view.js";
import { Side } from "./side.js";

const TYPING = 40; // milliseconds without a key until the text is read

function make({ model, root, ask, redraw }) {
  const colours = palettes(model.get("palettes"));
  const view = {
    text: "",
    layer: 0,
    head: 0,
    row: null,
    column: null,
    position: null,
    causal: true,
    scaled: true,
    temperature: 1,
    off: new Set(),
  };
  let sides = [];
  let begun = false;

  const send = (delay) => {
    const { text, position, causal, scaled, temperature } = view;
    const off = [...view.off].map((key) => key.split(".").map(Number));
    ask({ text, position, causal, scaled, temperature, off }, delay);
  };
  const change = (changes, delay = 0) => {
    Object.assign(view, changes);
    send(delay);
    redraw();
  };
  const look = (changes) => {
    Object.assign(view, changes);
    redraw();
  };
  const act = {
    pick: (layer, head) => look({ layer, head }),
    flip: (layer, head) => {
      const key = `${layer}.${head}`;
      if (!view.off.delete(key)) view.off.add(key);
      change({ layer, head });
    },
    hover: (row, column) => {
      if (row !== view.row || column !== view.column) look({ row, column });
    },
    pin: (position) => change({ position }),
  };

  const text = element("textarea", {
    rows: "2",
    spellcheck: "false",
    "aria-label": "Text to read",
    oninput: () => change({ text: text.value, position: null }, TYPING),
  });
  const length = element("span", { class: "gw-note" });
  const layer = choice("layer", (n) => look({ layer: Number(n) }));
  const head = choice("head", (n) => look({ head: Number(n) }));
  const causal = toggle(
    "causal mask",
    true,
    (on) => change({ causal: on }),
    "no token sees the next",
  );
  const scaled = toggle("divide by √dₖ", true, (on) => change({ scaled: on }));
  const temperature = slider({
    label: "temperature",
    min: 0.1,
    max: 4,
    step: 0.1,
    value: 1,
    format: (n) => n.toFixed(1),
    oninput: (n) => change({ temperature: n }),
  });
  const alive = toggle("this head is on", true, () => act.flip(view.layer, view.head));
  const reset = element(
    "button",
    {
      type: "button",
      onclick: () => {
        view.off.clear();
        change({ causal: true, scaled: true, temperature: 1 });
      },
    },
    "As trained",
  );
  const controls = [layer, head, alive, causal, scaled, temperature].map((c) => c.root);
  const panel = element("div", { class: "gw-sides" });
  const content = element(
    "div",
    {},
    text,
    element("div", { class: "gw-bar" }, ...controls, reset, length),
    panel,
  );

  const update = (state, { stale }) => {
    const arrays = unpack(model.get("data"), state.arrays);
    if (sides.length !== state.sides.length) {
      sides = state.sides.map(() => new Side(act));
      panel.replaceChildren(...sides.map((side) => side.root));
    }
    sides.forEach((side, n) => side.load(state.sides[n], arrays, n, state.settings, colours));
    if (!begun) [view.layer, view.head] = state.shown;
    begun = true;
    if (!stale) {
      const { causal, scaled, temperature, off } = state.settings;
      Object.assign(view, { text: state.text, causal, scaled, temperature });
      view.off = new Set(off.map((pair) => pair.join(".")));
      // The reader's own typing is never overwritten.
      if (text.value !== state.text && document.activeElement !== text) text.value = state.text;
    }
    const n = state.sides[0].tokens.length;
    setText(length, `${n} of at most ${state.longest} tokens`);
  };

  const draw = () => {
    for (const { input } of [layer, head, alive, causal, scaled, temperature, { input: reset }]) {
      input.disabled = !sides.length;
    }
    if (!sides.length) return;
    const { data } = sides[0];
    layer.set([...Array(data.nLayer).keys()], view.layer);
    head.set([...Array(data.nHead).keys()], view.head);
    const key = `${view.layer}.${view.head}`;
    alive.input.checked = !view.off.has(key);
    causal.input.checked = view.causal;
    scaled.input.checked = view.scaled;
    temperature.set(view.temperature);
    const plain = view.causal && view.scaled && view.temperature === 1;
    view.changed = !plain || view.off.size > 0;
    reset.disabled = !view.changed;
    const ink = inks(root);
    const widths = measure(panel.clientWidth, sides.length);
    sides.forEach((side) => side.draw(view, ink, widths));
  };
  return { root: content, update, draw };
}

/** How wide each picture may be: three beside each other, or heads above the other two. */
function measure(width, nSides) {
  const room = (width || 900) / nSides - (nSides > 1 ? 12 : 0);
  if (room > 780) {
    const heads = Math.min(320, room * 0.32);
    const matrix = Math.min(420, room * 0.4);
    return { heads, matrix, lines: Math.min(340, room - heads - matrix - 40), detail: room };
  }
  const heads = Math.min(360, room);
  const matrix = room > 520 ? room * 0.56 : room;
  return { heads, matrix, lines: room > 520 ? room - matrix - 16 : room, detail: room };
}

function render({ model, el }) {
  return mount(model, el, { name: "attention", label: "Attention explorer", make });
}

export default { render };
