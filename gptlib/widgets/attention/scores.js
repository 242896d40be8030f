// Attention of one head, from its queries and keys: the browser computes it by itself.

/** The scores before mask and softmax, T x T, as the model's `hook_attn_scores` has them. */
export function headScores(side, layer, head, { scaled, temperature }) {
  const [, H, T, D] = side.q.shape;
  const start = (layer * H + head) * T * D;
  const q = side.q.subarray(start, start + T * D);
  const k = side.k.subarray(start, start + T * D);
  const scale = scaled ? 1 / Math.sqrt(D) : 1;
  const slope = side.slopes[head]; // ALiBi's; 0 for every other scheme of positions
  const scores = new Float32Array(T * T);
  for (let i = 0; i < T; i++) {
    for (let j = 0; j < T; j++) {
      const product = dot(q, k, i * D, j * D, D);
      scores[i * T + j] = (product * scale - slope * (i - j)) / temperature;
    }
  }
  return scores;
}

/** The product of two rows of D numbers, one at `i` in `a`, the other at `j` in `b`. */
export function dot(a, b, i, j, D) {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += a[i + d] * b[j + d];
  return sum;
}

/** Softmax over each row of T x T scores; with a causal mask, over the keys up to the query. */
export function softmaxRows(scores, T, causal) {
  const weights = new Float32Array(T * T);
  for (let i = 0; i < T; i++) {
    const end = causal ? i + 1 : T;
    let largest = -Infinity;
    for (let j = 0; j < end; j++) largest = Math.max(largest, scores[i * T + j]);
    let sum = 0;
    for (let j = 0; j < end; j++) {
      const e = Math.exp(scores[i * T + j] - largest);
      weights[i * T + j] = e;
      sum += e;
    }
    for (let j = 0; j < end; j++) weights[i * T + j] /= sum;
  }
  return weights;
}

/** The colour of a weight, 0 to 255. The square root lets small weights show. */
export function shade(weight) {
  return Math.min(255, Math.round(255 * Math.sqrt(weight)));
}
