// Drawing: sharp on every screen, in the colours of the theme.

/** Size a canvas in CSS pixels; returns its context, cleared and scaled to the screen's pixels. */
export function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The theme's colours, as they hold for this element now. */
export function inks(root) {
  const style = getComputedStyle(root);
  const of = (name) => style.getPropertyValue(`--gw-${name}`).trim();
  return {
    text: of("text"),
    faint: of("faint"),
    line: of("line"),
    mark: of("mark"),
    stroke: of("stroke"),
    font: `11px ${style.fontFamily || "sans-serif"}`,
  };
}

/** 256 sequential and 256 diverging colours as pixels, from Python's 1536 bytes. */
export function palettes(bytes) {
  const pixels = new Uint32Array(512);
  const channels = new Uint8Array(pixels.buffer);
  for (let i = 0; i < 512; i++) {
    for (let c = 0; c < 3; c++) channels[4 * i + c] = bytes.getUint8(3 * i + c);
    channels[4 * i + 3] = 255;
  }
  return { sequential: pixels.subarray(0, 256), diverging: pixels.subarray(256) };
}

/** A small canvas with one pixel for each value; transparent where `pixels` is 0. */
export function sheet(pixels, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const bytes = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, 4 * width * height);
  canvas.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
  return canvas;
}

/** Text cut to a width, with an ellipsis. */
export function clip(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 0 && context.measureText(text.slice(0, end) + "…").width > width) end--;
  return text.slice(0, end) + "…";
}
