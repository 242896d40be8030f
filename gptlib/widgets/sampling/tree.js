// The tree of what might have been: every path that was taken, branches kept.

import { element } from "../js/dom.js";
import { percent } from "../js/table.js";

/** Paths by their tokens. Each node: id, text, chance, children in the order they were taken. */
export class Tree {
  constructor() {
    this.root = { children: new Map() };
  }

  /** Remember a path: [[id, text, chance], ...]. */
  add(path) {
    let node = this.root;
    for (const [id, text, chance] of path) {
      if (!node.children.has(id)) node.children.set(id, { id, children: new Map() });
      node = node.children.get(id);
      Object.assign(node, { text, chance });
    }
  }

  /** A list of lists: a run of tokens stands in one line, a branching opens new lines. */
  draw(current, go) {
    return this.level(this.root, [], current, go);
  }

  level(node, path, current, go) {
    const list = element("ul", { class: "gw-tree" });
    for (const child of node.children.values()) {
      const line = element("li");
      let [at, here] = [child, [...path, child.id]];
      line.append(button(at, here, current, go));
      while (at.children.size === 1) {
        [at] = at.children.values();
        here = [...here, at.id];
        line.append(button(at, here, current, go));
      }
      if (at.children.size) line.append(this.level(at, here, current, go));
      list.append(line);
    }
    return list;
  }
}

function button(node, path, current, go) {
  const on = path.every((id, n) => id === current[n]);
  const attributes = {
    type: "button",
    class: on ? "gw-token gw-on" : "gw-token",
    title: percent(node.chance),
    "aria-label": `${node.text}, ${percent(node.chance)}`,
    "aria-current": on && path.length === current.length ? "step" : null,
    onclick: () => go(path),
  };
  return element("button", attributes, node.text);
}
