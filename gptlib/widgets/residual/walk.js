// The residual stream walk: lengths along the stream, contributions to a prediction.

import { choice, element, setText } from "../js/dom.js";
import { clip, fit, inks } from "../js/canvas.js";
import { tickText, ticks } from "../js/chart.js";
import { mount } from "../js/view.js";
import { percent, row, table } from "../js/table.js";

const TYPING = 80; // milliseconds without a key until the text is read
const LEFT = 46;
const PANELS = [
  { top: 20, height: 150 },
  { top: 210, height: 110 },
];

function make({ root, ask }) {
  const view = { text: "", position: null, target: null };
  let state = null;
  const send = (changes, delay = 0) => {
    Object.assign(view, changes);
    ask({ ...view }, delay);
  };
  const text = element("textarea", {
    rows: "2",
    spellcheck: "false",
    "aria-label": "Text to read",
    oninput: () => send({ text: text.value, position: null, target: null }, TYPING),
  });
  const chips = element("div", {
    class: "gw-chips",
    role: "group",
    "aria-label": "Token to follow",
  });
  const target = choice("explain the logit of", (id) => send({ target: Number(id) }));
  const note = element("span", { class: "gw-note" });
  const canvas = element("canvas", { role: "img" });
  const list = element("div");
  const content = element(
    "div",
    {},
    text,
    chips,
    element("div", { class: "gw-bar" }, target.root, note),
    canvas,
    list,
  );

  const update = (next, { stale }) => {
    state = next;
    if (stale) return;
    Object.assign(view, { text: next.text, position: next.position, target: next.target });
    if (document.activeElement !== text) text.value = next.text;
  };
  const token = (name, n) =>
    element(
      "button",
      {
        type: "button",
        class: "gw-token",
        "aria-pressed": String(n === state.position),
        onclick: () => send({ position: n, target: null }),
      },
      name,
    );
  const draw = () => {
    if (!state) return;
    chips.replaceChildren(...state.tokens.map(token));
    const known = state.likeliest.map(([id]) => id);
    const ids = known.includes(state.target) ? known : [...known, state.target];
    target.set(ids, state.target);
    ids.forEach((id, n) => {
      const [, name, p] = state.likeliest[n] ?? [id, state.targetText, null];
      setText(target.input.options[n], p === null ? name : `${name}  ${percent(p)}`);
    });
    const bias = state.bias.toFixed(2);
    const sum = `its logit ${state.logit.toFixed(2)} is the sum, with ${bias} of bias`;
    setText(note, `${sum}; ${state.tokens.length} of at most ${state.longest} tokens`);
    canvas.setAttribute("aria-label", `Bars of the table below. ${sum}.`);
    bars();
    const rows = state.steps.map(([name, added, stream, along, logit]) =>
      row(name, [added.toFixed(2), stream.toFixed(2), along.toFixed(2), logit.toFixed(3)]),
    );
    const heads = [
      "step",
      "length added",
      "stream after",
      "cosine with stream",
      "adds to the logit",
    ];
    list.replaceChildren(table("The steps in numbers", heads, rows));
  };

  const bars = () => {
    const ink = inks(root);
    const width = Math.max(300, content.clientWidth - 4);
    const context = fit(canvas, width, 400);
    const step = (width - LEFT - 6) / state.steps.length;
    const x = (n) => LEFT + n * step;
    const colour = (name) =>
      name.startsWith("attention") ? ink.stroke : name.startsWith("MLP") ? ink.mark : ink.faint;
    context.font = ink.font;
    context.textBaseline = "middle";
    const panel = ({ top, height }, values, title) => {
      const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
      const y = (value) => top + height - ((value - low) / (high - low || 1)) * height;
      context.lineWidth = 1;
      context.strokeStyle = ink.line;
      for (const value of ticks(low, high, 4)) {
        context.fillStyle = ink.faint;
        context.textAlign = "right";
        context.fillText(tickText(value), LEFT - 6, y(value));
        context.beginPath();
        context.moveTo(LEFT, y(value));
        context.lineTo(width, y(value));
        context.stroke();
      }
      context.fillStyle = ink.text;
      context.textAlign = "left";
      context.fillText(title, LEFT, top - 11);
      return y;
    };
    const fill = (y, values) =>
      values.forEach((value, n) => {
        context.fillStyle = colour(state.steps[n][0]);
        const [a, b] = [y(0), y(value)];
        context.fillRect(
          x(n) + step * 0.15,
          Math.min(a, b),
          step * 0.7,
          Math.max(1, Math.abs(a - b)),
        );
      });
    const [added, stream] = [1, 2].map((k) => state.steps.map((one) => one[k]));
    const lengths =
      "length: of the stream (line), of what is added (grey embedding, blue attention, orange MLP)";
    const above = panel(PANELS[0], [...added, ...stream], clip(context, lengths, width - LEFT));
    fill(above, added);
    context.strokeStyle = ink.text;
    context.lineWidth = 2;
    context.beginPath();
    stream.forEach((value, n) => context.lineTo(x(n) + step / 2, above(value)));
    context.stroke();
    const logits = state.steps.map((one) => one[4]);
    const title = `what each adds to the logit of “${state.targetText}”`;
    fill(panel(PANELS[1], logits, title), logits);
    const bottom = PANELS[1].top + PANELS[1].height + 10;
    state.steps.forEach(([name], n) => {
      context.save();
      context.translate(x(n) + step / 2, bottom);
      context.rotate(-Math.PI / 3);
      context.textAlign = "right";
      context.fillStyle = ink.text;
      context.fillText(name, 0, 0);
      context.restore();
    });
  };
  return { root: content, update, draw };
}

function render({ model, el }) {
  return mount(model, el, { name: "residual", label: "Residual stream walk", make });
}

export default { render };
