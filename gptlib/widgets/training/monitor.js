// The training monitor: the loss and its floor, what drives it, samples, a stop button.

import { element, setText } from "../js/dom.js";
import { fit, inks } from "../js/canvas.js";
import { unpack } from "../js/arrays.js";
import { drawChart, tickText } from "../js/chart.js";
import { mount } from "../js/view.js";

const LARGE = 260; // pixels of height
const SMALL = 110;

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function make({ model, root, ask, redraw }) {
  let state = null;
  let curves = null;
  let stopping = false;
  const stop = element(
    "button",
    {
      type: "button",
      class: "gw-stop",
      onclick: () => {
        stopping = true;
        ask({ stop: true });
        // Most kernels hear no message while a cell runs; an interrupt they do, and the trainer
        // ends at it after the current step, cleanly.
        model.widget_manager?.kernel?.interrupt?.();
        redraw();
      },
    },
    "Stop after this step",
  );
  const status = element("p", { role: "status" });
  const meter = element("progress", { "aria-label": "Steps done", max: "1", value: "0" });
  const canvas = element("canvas", { role: "img" });
  const samples = element("ol", { class: "gw-samples", "aria-label": "Samples" });
  const content = element(
    "div",
    {},
    element("div", { class: "gw-bar" }, stop, meter, status),
    canvas,
    samples,
  );

  const update = (next) => {
    state = next;
    curves = unpack(model.get("data"), next.arrays);
    if (!next.running) stopping = false;
  };
  const describe = () => {
    const { step, steps, running, stopped, gap, seconds } = state;
    if (!step) return running ? "Training begins." : "Hand this monitor to train(callbacks=[...]).";
    const parts = [`step ${step} of ${steps}`, `loss ${curves.smooth.at(-1).toFixed(3)}`];
    if (curves.validation_loss.length) {
      parts.push(`validation ${curves.validation_loss.at(-1).toFixed(3)}`);
    }
    if (gap !== null) parts.push(`${gap.toFixed(3)} above the floor`);
    parts.push(`${tickText(Math.round(curves.speed.at(-1)))} tokens/s`);
    if (running) {
      parts.push(`${duration((seconds / step) * (steps - step))} to go`);
      if (stopping) parts.push("stopping after this step");
    } else parts.push(`${stopped || "ended"} after ${duration(seconds)}`);
    return parts.join(" · ");
  };
  const draw = () => {
    if (!state) return;
    stop.disabled = !state.running || stopping;
    meter.value = state.steps ? state.step / state.steps : 0;
    const text = describe();
    setText(status, text);
    canvas.setAttribute("aria-label", `Curves of the training. ${text}`);
    canvas.hidden = !state.step;
    if (state.step) charts();
    samples.hidden = !state.samples.length;
    samples.replaceChildren(
      ...state.samples.map(([step, text]) => element("li", { value: step }, text)),
    );
  };
  const charts = () => {
    const ink = inks(root);
    const width = Math.max(260, content.clientWidth - 4);
    const third = Math.floor(width / 3);
    const context = fit(canvas, width, LARGE + SMALL + 8);
    const { step, loss, smooth, validation_step, validation_loss } = curves;
    const series = [
      { x: step, y: loss, colour: ink.stroke, width: 1, faint: true },
      { x: step, y: smooth, colour: ink.stroke, width: 2 },
      { x: validation_step, y: validation_loss, colour: ink.mark, width: 2, dots: true },
    ];
    const floor = state.floor === null ? "" : ", dashed: floor";
    const title = `loss in nats per token (blue: training, orange: validation${floor})`;
    const box = { x: 0, y: 0, width, height: LARGE };
    drawChart(context, box, { series, title, level: state.floor, ink });
    const small = [
      ["learning rate", curves.lr],
      ["gradient norm", curves.gradient],
      ["tokens per second", curves.speed],
    ];
    small.forEach(([title, y], n) => {
      const box = { x: n * third, y: LARGE + 8, width: third, height: SMALL };
      drawChart(context, box, {
        series: [{ x: step, y, colour: ink.stroke }],
        title,
        zero: true,
        ink,
      });
    });
  };
  return { root: content, update, draw };
}

function render({ model, el }) {
  return mount(model, el, { name: "training", label: "Training monitor", make });
}

export default { render };
