// The sampling studio: filters, candidates to click, the tree of paths.

import { element, setText, slider } from "../js/dom.js";
import { mount } from "../js/view.js";
import { bar, percent, table } from "../js/table.js";
import { Tree } from "./tree.js";

const TYPING = 120; // milliseconds without a key until the prompt is read

// A filter's slider runs over steps; `value` turns a step into the setting, null leaves it off.
const FILTERS = [
  {
    name: "repetition_penalty",
    label: "repetition penalty",
    max: 20,
    value: (n) => (n ? 1 + n / 20 : null),
    step: (value) => Math.round(((value ?? 1) - 1) * 20),
    format: (value) => (value ?? 1).toFixed(2),
  },
  {
    name: "temperature",
    label: "temperature",
    min: 1,
    max: 30,
    value: (n) => n / 10,
    step: (value) => Math.round((value ?? 1) * 10),
    format: (value) => value.toFixed(1),
  },
  {
    name: "top_k",
    label: "top-k",
    max: 50,
    value: (n) => n || null,
    step: (value) => value ?? 0,
    format: (value) => value ?? "off",
  },
  {
    name: "top_p",
    label: "top-p",
    min: 1,
    max: 20,
    value: (n) => (n < 20 ? n / 20 : null),
    step: (value) => Math.round((value ?? 1) * 20),
    format: (value) => value?.toFixed(2) ?? "off",
  },
  {
    name: "min_p",
    label: "min-p",
    max: 20,
    value: (n) => (n ? n / 40 : null),
    step: (value) => Math.round((value ?? 0) * 40),
    format: (value) => value?.toFixed(3) ?? "off",
  },
];

function make({ ask }) {
  const view = { prompt: "", path: [], settings: {} };
  let state = null;
  let tree = new Tree();
  let seed = 1;

  const send = (more = {}, delay = 0) => {
    const { prompt, path, settings } = view;
    ask({ prompt, path, settings, ...more }, delay);
  };
  const go = (path) => {
    view.path = path;
    send();
  };
  const prompt = element("textarea", {
    rows: "2",
    spellcheck: "false",
    "aria-label": "Prompt",
    oninput: () => {
      Object.assign(view, { prompt: prompt.value, path: [] });
      tree = new Tree();
      send({}, TYPING);
    },
  });
  const sliders = FILTERS.map(({ name, label, min = 0, max, value, step, format }) => {
    const made = slider({
      label,
      min,
      max,
      step: 1,
      value: step(null),
      format: (n) => format(value(n)),
      oninput: (n) => {
        view.settings = { ...view.settings, [name]: value(n) };
        send();
      },
    });
    return { ...made, show: (setting) => made.set(step(setting)) };
  });
  const button = (text, onclick) => element("button", { type: "button", onclick }, text);
  const sample = button("Draw a token", () => send({ sample: seed++ }));
  const back = button("Back", () => go(view.path.slice(0, -1)));
  const restart = button("From the prompt", () => go([]));
  const note = element("p", { class: "gw-note" });
  const written = element("p", { class: "gw-written", "aria-live": "polite" });
  const list = element("div", { class: "gw-candidates" });
  const branches = element("div", { class: "gw-branches" });
  const content = element(
    "div",
    {},
    prompt,
    element("div", { class: "gw-bar" }, ...sliders.map((s) => s.root)),
    element("div", { class: "gw-bar" }, sample, back, restart, note),
    written,
    element("div", { class: "gw-columns" }, list, branches),
  );

  const update = (next, { stale }) => {
    state = next;
    if (stale) return;
    Object.assign(view, { prompt: next.prompt, settings: next.settings });
    view.path = next.path.map(([id]) => id);
    tree.add(next.path);
    if (document.activeElement !== prompt) prompt.value = next.prompt;
  };
  const candidate = ([id, text, chances]) => {
    const [first, last] = [chances[0], chances.at(-1)];
    const cut = chances.findIndex((chance) => chance === 0);
    const take = button(text, () => go([...view.path, id]));
    take.classList.add("gw-token");
    const label = `take ${text}, ${percent(last)}`;
    take.setAttribute("aria-label", label);
    const bars = element("td", { class: "gw-bars", "aria-hidden": "true" }, bar(last, "gw-now"));
    bars.append(bar(first, "gw-was"));
    const after = cut < 0 ? percent(last) : `cut by ${state.stages[cut][0].replace("_", "-")}`;
    return element(
      "tr",
      { class: cut < 0 ? "" : "gw-cut" },
      element("th", { scope: "row" }, take),
      bars,
      element("td", {}, after),
      element("td", { class: "gw-note" }, percent(first)),
    );
  };
  const draw = () => {
    if (!state) return;
    FILTERS.forEach(({ name }, n) => sliders[n].show(view.settings[name]));
    back.disabled = restart.disabled = !view.path.length;
    const kept = state.stages.map(
      ([name, n]) => `${name.replace("_", "-")} ${n.toLocaleString("en")}`,
    );
    setText(note, `tokens left: ${kept.join(" → ")}; at most ${state.longest} in all`);
    const text = state.path.map(([, token]) => token).join("");
    setText(written, text ? `${state.prompt}${text.replaceAll("·", " ")}` : "");
    const rows = state.candidates.map(candidate);
    const heads = ["token", "", "after filters", "model"];
    list.replaceChildren(table("Candidates for the next token", heads, rows));
    const drawn = tree.draw(view.path, go);
    const title = element("h4", {}, "What might have been");
    branches.replaceChildren(title, tree.root.children.size ? drawn : "Take a token to begin.");
  };
  return { root: content, update, draw };
}

function render({ model, el }) {
  return mount(model, el, { name: "sampling", label: "Sampling studio", make });
}

export default { render };
