// Curves over steps: a small chart with axes, in the theme's colours.

/** Round numbers that divide a range into about `count` parts. */
export function ticks(low, high, count) {
  const span = high - low || 1;
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw * 0.999);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-6; n++) {
    found.push(Number((n * step).toPrecision(12)));
  }
  return found;
}

/** A tick's text: short, and without a rounding error's digits. */
export function tickText(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e4) return `${Number((value / 1000).toPrecision(4))}k`;
  return size < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(4)));
}

/** The range of many arrays' finite numbers, or 0 to 1 when there are none. */
export function range(arrays) {
  let [low, high] = [Infinity, -Infinity];
  for (const array of arrays) {
    for (const value of array) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low > high ? [0, 1] : [low, high];
}

/**
 * Draw curves into the box { x, y, width, height } of a context.
 *
 * Each series: { x, y, colour, width, dots, faint }. `level` is a dashed horizontal line.
 */
export function drawChart(context, box, { series, title, level = null, zero = false, ink }) {
  const left = box.x + 44;
  const [top, bottom] = [box.y + 18, box.y + box.height - 18];
  const right = box.x + box.width - 8;
  const [fromX, toX] = range(series.map((one) => one.x));
  let [low, high] = range([...series.map((one) => one.y), level === null ? [] : [level]]);
  if (zero) low = Math.min(0, low);
  const margin = (high - low || Math.abs(high) || 1) * 0.06;
  [low, high] = [low - (zero ? 0 : margin), high + margin];
  const px = (value) => left + ((value - fromX) / (toX - fromX || 1)) * (right - left);
  const py = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);

  context.save();
  context.font = ink.font;
  context.lineWidth = 1;
  context.strokeStyle = ink.line;
  context.fillStyle = ink.faint;
  context.textBaseline = "middle";
  for (const value of ticks(low, high, Math.max(2, (bottom - top) / 40))) {
    context.textAlign = "right";
    context.fillText(tickText(value), left - 6, py(value));
    context.beginPath();
    context.moveTo(left, py(value));
    context.lineTo(right, py(value));
    context.stroke();
  }
  context.textAlign = "center";
  for (const value of ticks(fromX, toX, Math.max(2, (right - left) / 90))) {
    context.fillText(tickText(value), px(value), bottom + 10);
  }
  context.textAlign = "left";
  context.fillStyle = ink.text;
  context.fillText(title, box.x + 4, box.y + 8);
  if (level !== null) {
    context.setLineDash([5, 4]);
    context.strokeStyle = ink.text;
    context.beginPath();
    context.moveTo(left, py(level));
    context.lineTo(right, py(level));
    context.stroke();
    context.setLineDash([]);
  }
  for (const { x, y, colour, width = 1.5, dots = false, faint = false } of series) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = width;
    context.globalAlpha = faint ? 0.3 : 1;
    context.beginPath();
    for (let n = 0; n < x.length; n++) context.lineTo(px(x[n]), py(y[n]));
    context.stroke();
    for (let n = 0; dots && n < x.length; n++) {
      context.beginPath();
      context.arc(px(x[n]), py(y[n]), 2.5, 0, 7);
      context.fill();
    }
  }
  context.restore();
}
