// Building blocks of the page: elements and labelled controls.

/** An element with attributes, event listeners (`onclick`) and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Replace an element's children only where they would differ: screen readers read changes out. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A labelled checkbox. `hint` is shown on hover. */
export function toggle(label, checked, onchange, hint = "") {
  const input = element("input", { type: "checkbox" });
  input.checked = checked;
  input.addEventListener("change", () => onchange(input.checked));
  return { root: element("label", { class: "gw-control", title: hint }, input, label), input };
}

/** A labelled slider that shows its value; `format` turns a number into text. */
export function slider({ label, min, max, step, value, format = String, oninput }) {
  const input = element("input", { type: "range", min, max, step });
  const shown = element("output", {}, "");
  const set = (number) => {
    input.value = number;
    shown.textContent = format(Number(input.value));
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  set(value);
  input.addEventListener("input", () => {
    set(input.value);
    oninput(Number(input.value));
  });
  const root = element("label", { class: "gw-control" }, label, input, shown);
  return { root, input, set };
}

/** A labelled list to choose one entry from. */
export function choice(label, onchange) {
  const input = element("select");
  input.addEventListener("change", () => onchange(input.value));
  const set = (options, value) => {
    const same = options.length === input.options.length;
    if (!same || options.some((o, i) => input.options[i].value !== String(o))) {
      input.replaceChildren(...options.map((o) => element("option", { value: o }, String(o))));
    }
    input.value = value;
  };
  return { root: element("label", { class: "gw-control" }, label, input), input, set };
}
