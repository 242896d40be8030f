// The position viewer: a scheme's table, its products with one diagonal marked, its rank.

import { choice, element, setText, slider } from "../js/dom.js";
import { fit, inks, palettes, sheet } from "../js/canvas.js";
import { unpack } from "../js/arrays.js";
import { drawChart } from "../js/chart.js";
import { mount } from "../js/view.js";

const TOP = 22;
const SIDE = 240; // of the two pictures
const GAP = 30;
const LEFT = 20;
const SMALLEST = 1e-8; // below, a singular value is rounding error

function make({ model, root, ask, redraw }) {
  const colours = palettes(model.get("palettes")).diverging;
  const view = { scheme: "", width: 16, shift: 4 };
  let state = null;
  let arrays = null;
  const send = (changes) => {
    Object.assign(view, changes);
    ask({ scheme: view.scheme, width: view.width });
  };
  const scheme = choice("scheme", (name) => send({ scheme: name }));
  const width = choice("dimensions", (n) => send({ width: Number(n) }));
  const shift = slider({
    label: "shift",
    min: 1,
    max: 24,
    step: 1,
    value: view.shift,
    oninput: (n) => {
      view.shift = n;
      redraw();
    },
  });
  const says = element("p");
  const facts = element("p", { class: "gw-facts", "aria-live": "polite" });
  const pictures = element("canvas", { role: "img" });
  const charts = element("canvas", {
    role: "img",
    "aria-label": "Two curves, told in words above.",
  });
  const bar = element("div", { class: "gw-bar" }, scheme.root, width.root, shift.root);
  const panels = element("div", { class: "gw-panels" }, pictures, charts);
  const content = element("div", {}, bar, says, facts, panels);

  const update = (next, { stale }) => {
    state = next;
    arrays = unpack(model.get("data"), next.arrays);
    if (!stale) Object.assign(view, { scheme: next.scheme, width: next.width });
  };
  const heatmap = (context, array, x) => {
    const [rows, columns] = array.shape;
    const largest = array.reduce((most, n) => Math.max(most, Math.abs(n)), 1e-12);
    const pixels = new Uint32Array(array.length);
    array.forEach((n, k) => {
      pixels[k] = colours[Math.round(127.5 + (127.5 * n) / largest)];
    });
    context.imageSmoothingEnabled = false;
    context.drawImage(sheet(pixels, columns, rows), x, TOP, SIDE, SIDE);
  };
  /** The products of all positions with the one `shift` before. */
  const diagonal = () => {
    const [n] = arrays.products.shape;
    const [x, y] = [[], []];
    for (let i = view.shift; i < n; i++) {
      x.push(i);
      y.push(arrays.products[i * n + i - view.shift]);
    }
    return { x, y };
  };
  const tell = (along) => {
    const [low, high] = [Math.min(...along), Math.max(...along)];
    const used = arrays.singular.filter((value) => value > 1e-5).length;
    const error = arrays.errors[view.shift - 1];
    const spread =
      high - low < 1e-4 ? "the same everywhere" : `from ${low.toFixed(3)} to ${high.toFixed(3)}`;
    const missed = `${(100 * error).toFixed(1)}%`;
    return (
      `Products at distance ${view.shift}: ${spread}. ` +
      `${used} of ${arrays.singular.length} directions count (above a hundred-thousandth). ` +
      `The best matrix that moves the table by ${view.shift} misses it by ${missed}.`
    );
  };
  const draw = () => {
    if (!state) return;
    scheme.set(state.schemes, view.scheme);
    width.set(state.widths, view.width);
    setText(says, state.says);
    const ink = inks(root);
    const along = diagonal();
    const text = tell(along.y);
    setText(facts, text);
    pictures.setAttribute("aria-label", `Left ${state.title}, right the products of positions.`);
    const context = fit(pictures, LEFT + 2 * SIDE + GAP + 4, TOP + SIDE + 20);
    heatmap(context, arrays.table, LEFT);
    heatmap(context, arrays.products, LEFT + SIDE + GAP);
    context.font = ink.font;
    context.fillStyle = ink.text;
    context.fillText(state.title, LEFT, 14);
    context.fillText("products of two positions", LEFT + SIDE + GAP, 14);
    context.fillStyle = ink.faint;
    context.fillText(`${state.columns} →`, LEFT, TOP + SIDE + 14);
    context.fillText("key →", LEFT + SIDE + GAP, TOP + SIDE + 14);
    for (const [label, x] of [
      ["position →", LEFT],
      ["query →", LEFT + SIDE + GAP],
    ]) {
      context.save();
      context.translate(x - 6, TOP);
      context.rotate(Math.PI / 2);
      context.fillText(label, 0, 8);
      context.restore();
    }
    const cell = SIDE / arrays.products.shape[0];
    context.strokeStyle = ink.text;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(LEFT + SIDE + GAP + cell / 2, TOP + (view.shift + 0.5) * cell);
    context.lineTo(LEFT + SIDE + GAP + SIDE - (view.shift + 0.5) * cell, TOP + SIDE - cell / 2);
    context.stroke();
    curves(along, ink);
  };
  const curves = (along, ink) => {
    const room = content.clientWidth - (LEFT + 2 * SIDE + GAP + 24);
    const width = room > 240 ? Math.min(room, 460) : Math.max(260, content.clientWidth - 8);
    const height = (TOP + SIDE + 20) / 2;
    const context = fit(charts, width, 2 * height);
    const line = { ...along, colour: ink.stroke, width: 2 };
    const title = `products at distance ${view.shift}, by position`;
    const box = { x: 0, y: 0, width, height };
    drawChart(context, box, { series: [line], title, level: 0, ink });
    const y = [...arrays.singular].map((value) => Math.log10(Math.max(value, SMALLEST)));
    const dots = { x: y.map((_, n) => n + 1), y, colour: ink.mark, dots: true };
    const below = { ...box, y: height };
    const rank = "singular values / largest, powers of ten";
    drawChart(context, below, { series: [dots], title: rank, level: 0, ink });
  };
  return { root: content, update, draw };
}

function render({ model, el }) {
  return mount(model, el, { name: "positions", label: "Position viewer", make });
}

export default { render };
