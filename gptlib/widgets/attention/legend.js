// Which colour stands for which weight.

import { element } from "../js/dom.js";
import { fit, sheet } from "../js/canvas.js";
import { shade } from "./scores.js";

const TICKS = [0, 0.05, 0.2, 0.5, 1];
const BAR = 8;
const MARGIN = 20;

/** The scale of weights below the thumbnails. */
export class Legend {
  constructor() {
    this.root = element("canvas", {
      role: "img",
      "aria-label": "Colours of the weights, from 0, dark blue, to 1, yellow.",
    });
  }

  draw(colours, width, ink) {
    const look = `${width}|${ink.faint}`;
    if (look === this.look) return;
    this.look = look;
    const length = Math.min(220, width - MARGIN - 12);
    const context = fit(this.root, MARGIN + length + 12, BAR + 30);
    context.drawImage(sheet(Uint32Array.from(colours), 256, 1), MARGIN, 12, length, BAR);
    context.font = ink.font;
    context.fillStyle = ink.faint;
    context.textAlign = "center";
    for (const weight of TICKS) {
      context.fillText(weight, MARGIN + (length * shade(weight)) / 255, 12 + BAR + 12);
    }
  }
}
