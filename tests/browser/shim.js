// What a widget's script expects of Jupyter's widget manager, and nothing more.
(() => {
  const decode = (value) => {
    if (!value || typeof value !== "object" || !("$bytes" in value)) return value;
    return new DataView(Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0)).buffer);
  };
  const values = {};
  const listeners = {};
  const model = {
    get: (name) => values[name],
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    off: (event, listener) => {
      listeners[event] = (listeners[event] ?? []).filter((known) => known !== listener);
    },
    send: (content) => window.toPython(content).then(window.applyState),
  };
  window.applyState = (state) => {
    for (const [name, value] of Object.entries(state)) values[name] = decode(value);
    for (const listener of listeners["change:rev"] ?? []) listener();
  };
  window.showWidget = async (esm, state) => {
    window.applyState(state);
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    window.closeWidget = widget.render({ model, el: document.getElementById("here") });
  };
})();
