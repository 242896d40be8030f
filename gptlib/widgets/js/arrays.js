// The arrays that Python sends as bytes: see gptlib/widgets/arrays.py.

const TYPES = { f4: Float32Array, u1: Uint8Array, i4: Int32Array };

/** Typed arrays by name, each with its `shape`, out of a DataView and the places in it. */
export function unpack(view, places) {
  const arrays = {};
  for (const [name, { at, shape, type }] of Object.entries(places)) {
    const length = shape.reduce((product, n) => product * n, 1);
    const Type = TYPES[type];
    const start = view.byteOffset + at;
    // A view can only begin at a multiple of its number's size; a copy can begin anywhere.
    const aligned = start % Type.BYTES_PER_ELEMENT === 0;
    const array = aligned
      ? new Type(view.buffer, start, length)
      : new Type(view.buffer.slice(start, start + length * Type.BYTES_PER_ELEMENT));
    array.shape = shape;
    arrays[name] = array;
  }
  return arrays;
}
