// What every widget has around its own picture: the root, errors, questions, redrawing.

import { element, setText } from "./dom.js";
import { Questions } from "./questions.js";

const PATIENCE = 20000; // milliseconds until a silent kernel is mentioned

/**
 * Put a widget's frame into `el`.
 *
 * `make(frame)` builds the content and returns `{ root, update, draw }`: `update(state)` takes
 * what Python sent, `draw()` paints. The frame offers `ask(question, delay)` and `redraw()`.
 */
export function mount(model, el, { name, label, make }) {
  const problem = element("p", { class: "gw-problem", role: "alert", hidden: "" });
  const root = element("div", {
    class: `gw-root gw-${name}`,
    role: "group",
    "aria-label": label,
    // JupyterLab would take arrow keys and letters for its own commands.
    "data-lm-suppress-shortcuts": "true",
    "data-ready": "false",
    "data-rev": "0",
  });
  for (const kind of ["keydown", "keyup", "keypress"]) {
    root.addEventListener(kind, (event) => event.stopPropagation());
  }

  let wanted = false;
  let drawn = 0;
  const settle = () => root.setAttribute("data-ready", String(!wanted && !questions.busy));
  const paint = () => {
    wanted = false;
    if (!root.isConnected) return;
    const active = root.contains(document.activeElement) ? document.activeElement : null;
    content.draw();
    if (active && !active.isConnected) refocus(root, active);
    drawn += 1;
    root.setAttribute("data-rev", String(drawn));
    settle();
  };
  const redraw = () => {
    if (!wanted) requestAnimationFrame(paint);
    wanted = true;
    settle();
  };

  const say = (text) => {
    setText(problem, text);
    problem.hidden = !text;
  };
  let silence = null;
  const questions = new Questions((question) => {
    clearTimeout(silence);
    silence = setTimeout(
      () => say("The kernel does not answer: is it running, or busy?"),
      PATIENCE,
    );
    model.send(question);
  });
  const ask = (question, delay = 0) => {
    questions.ask(question, delay);
    settle();
  };

  const content = make({ model, root, ask, redraw });
  root.append(problem, content.root);
  el.replaceChildren(root);

  const receive = () => {
    const mine = questions.answered(model.get("answered"));
    if (mine) clearTimeout(silence);
    say(model.get("problem"));
    const state = model.get("state");
    // While a newer question waits, this answer is for a text that is no longer there.
    if (state && Object.keys(state).length && !model.get("problem")) {
      content.update(state, { stale: questions.busy });
    }
    redraw();
  };
  model.on("change:rev", receive);
  receive();

  const observer = new ResizeObserver(redraw);
  observer.observe(root);
  const theme = new MutationObserver(redraw);
  theme.observe(document.body, { attributes: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw);
  return () => {
    model.off("change:rev", receive);
    observer.disconnect();
    theme.disconnect();
    dark.removeEventListener("change", redraw);
    questions.stop();
    clearTimeout(silence);
  };
}

/** Tables are drawn anew: the keyboard stays at the place that has the same name. */
function refocus(root, lost) {
  const name = (one) => one.getAttribute("aria-label") ?? one.textContent;
  const alike = [...root.querySelectorAll(lost.tagName)];
  const place = alike.find((one) => name(one) === name(lost));
  (place ?? root.querySelector("table button, ul button") ?? root.querySelector("button"))?.focus();
}
