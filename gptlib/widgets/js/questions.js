// Asking Python: one question at a time, and of those that wait only the newest.

let views = 0; // makes ids of several views of one widget different

/** Sends the newest question when the one before has been answered; the others are dropped. */
export class Questions {
  constructor(send) {
    this.send = send;
    this.view = `${Date.now().toString(36)}.${views++}`;
    this.count = 0;
    this.flying = null;
    this.waiting = null;
    this.timer = null;
  }

  /** Whether an answer is still to come. */
  get busy() {
    return this.flying !== null || this.waiting !== null;
  }

  /** Ask after `delay` milliseconds without another question. */
  ask(question, delay = 0) {
    this.waiting = question;
    clearTimeout(this.timer);
    this.timer = delay > 0 ? setTimeout(() => this.flush(), delay) : null;
    if (!this.timer) this.flush();
  }

  /** An answer came: to our question if `id` is its id. Returns whether it was. */
  answered(id) {
    if (id !== this.flying) return false;
    this.flying = null;
    if (!this.timer) this.flush();
    return true;
  }

  flush() {
    this.timer = null;
    if (this.waiting === null || this.flying !== null) return;
    this.flying = `${this.view}.${this.count++}`;
    const question = { ...this.waiting, id: this.flying };
    this.waiting = null;
    this.send(question);
  }

  stop() {
    clearTimeout(this.timer);
    this.waiting = null;
  }
}
