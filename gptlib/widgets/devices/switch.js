// The device switch: a choice of device and format, and a table of what each can do.

import { choice, element, setText } from "../js/dom.js";
import { mount } from "../js/view.js";
import { bar, row, table } from "../js/table.js";

/** A number of bytes, operations or tokens with its unit, in three digits. */
export function short(number, unit) {
  const steps = ["", "k", "M", "G", "T", "P"];
  let n = 0;
  while (number >= 1000 && n < steps.length - 1) {
    number /= 1000;
    n += 1;
  }
  return `${number.toPrecision(number >= 100 ? 3 : 2)} ${steps[n]}${unit}`;
}

function make({ ask }) {
  const device = choice("device", (name) => ask({ device: name }));
  const dtype = choice("matrix products in", (name) =>
    ask({ device: device.input.value, dtype: name }),
  );
  const measure = element(
    "button",
    { type: "button", onclick: () => ask({ measure: true }) },
    "Measure again",
  );
  const note = element("p", { class: "gw-status", "aria-live": "polite" });
  const list = element("div");
  const controls = element("div", { class: "gw-bar" }, device.root, dtype.root, measure);
  let state = null;

  const speed = (value, unit, most) => {
    const cell = element("td", {}, value ? short(value, unit) : "–");
    if (value) cell.prepend(bar(value / most));
    return cell;
  };
  const update = (next) => {
    state = next;
  };
  const draw = () => {
    if (!state) return;
    device.set(state.devices, state.device);
    dtype.set(state.dtypes, state.dtype);
    device.input.disabled = state.devices.length < 2;
    setText(note, state.note);
    const most = (key) => Math.max(...state.rows.map((r) => r[key] ?? 0), 1);
    const [flops, tokens] = [most("flops"), most("tokens")];
    const rows = state.rows.map((r) => {
      const used = r.memory ? `${short(r.used, "B")} of ${short(r.memory, "B")}` : "not told";
      const current = r.device === state.device && r.dtype === state.dtype;
      return row(
        `${r.device}, ${r.dtype}`,
        [speed(r.flops, "FLOP/s", flops), speed(r.tokens, "/s", tokens), used, r.note],
        { class: current ? "gw-current" : "", "aria-current": current ? "true" : null },
      );
    });
    const heads = ["device", "matrix product", "tokens, forward", "memory in use", "remark"];
    list.replaceChildren(table("Speed and memory of each device", heads, rows));
  };
  return { root: element("div", {}, controls, note, list), update, draw };
}

function render({ model, el }) {
  return mount(model, el, { name: "devices", label: "Device switch", make });
}

export default { render };
