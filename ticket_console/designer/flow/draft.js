// The draft in the browser: what the server has confirmed, what is on its way, and the way back through all of it.
import { apply } from "$/public/external/ticket_console/designer/document/document.js";

const BATCH = 20;
const PATIENCE_MS = 8000;
const RETRY_MS = 5000;
const UNDO = "flow_designer.did.undo";
const REDO = "flow_designer.did.redo";

// Not every address of the console is a secure context, and crypto.randomUUID exists in those only.
export function freshId() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

const tried = (document, ops) => {
  try {
    return apply(document, ops);
  } catch {
    return null;
  }
};

// Undo and redo over a log of gestures: an undo is itself a gesture, known by its label.
export function stacksOf(past) {
  const done = [];
  const undone = [];
  for (const gesture of past) {
    if (gesture.label === UNDO && done.length) undone.push(done.pop());
    else if (gesture.label === REDO && undone.length) done.push(undone.pop());
    else {
      done.push(gesture);
      undone.length = 0;
    }
  }
  return { done, undone };
}

export class Draft {
  constructor({ save, reopen, tell }) {
    Object.assign(this, { save, reopen, tell });
    this.listeners = new Set();
    this.id = null;
    this.seq = 0;
    this.newest = null;
    this.confirmed = null;
    this.document = null;
    this.pending = [];
    this.sent = 0;
    this.done = [];
    this.undone = [];
    this.isWaiting = false;
    this.view = null;
    this.look();
  }

  // A new value at every change, so that React sees it.
  look() {
    this.view = {
      id: this.id, seq: this.seq, document: this.document, waiting: this.pending.length, isWaiting: this.isWaiting,
      undoLabel: this.done.at(-1) ?? null, redoLabel: this.undone.at(-1) ?? null, canUndo: this.done.length > 0, canRedo: this.undone.length > 0,
    };
    this.listeners.forEach((listener) => listener());
  }

  subscribe = (listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = () => this.view;

  // What the server holds; own gestures it does not know yet come on top again.
  open({ draft_id: id, seq, document, past = [], newest_number: newest = null }) {
    const known = new Set(past.map((gesture) => gesture.id));
    const waiting = this.id === id ? this.pending : remembered(id);
    this.id = id;
    this.seq = seq;
    this.newest = newest;
    this.confirmed = document;
    this.document = document;
    this.sent = 0;
    ({ done: this.done, undone: this.undone } = stacksOf(past));
    const again = waiting.filter((gesture) => !known.has(gesture.id));
    this.pending = [];
    let lost = 0;
    for (const gesture of again) {
      const result = tried(this.document, gesture.ops);
      if (!result) {
        lost += 1;
        continue;
      }
      this.document = result.doc;
      const kept = { ...gesture, inverse: result.inverse };
      this.pending.push(kept);
      ({ done: this.done, undone: this.undone } = stacksOf([...past, ...this.pending]));
    }
    if (lost > 0) this.tell("flow_designer.rebase.lost", { n: lost });
    this.look();
    this.flush();
  }

  act(label, ops, params = {}) {
    if (!this.document || ops.length === 0) return false;
    const result = tried(this.document, ops);
    if (!result) {
      this.tell("flow_designer.rebase.lost", { n: 1 });
      return false;
    }
    this.keep({ id: freshId(), label, params, ops, inverse: result.inverse }, result.doc);
    this.undone = [];
    this.done.push(this.pending.at(-1));
    this.look();
    return true;
  }

  keep(gesture, document) {
    this.document = document;
    this.pending.push(gesture);
    this.flush();
  }

  undo() {
    return this.step(this.done, this.undone, UNDO, (gesture) => gesture.inverse);
  }

  redo() {
    return this.step(this.undone, this.done, REDO, (gesture) => gesture.ops);
  }

  step(from, to, label, opsOf) {
    const gesture = from.pop();
    if (!gesture || !this.document) return null;
    const result = tried(this.document, opsOf(gesture));
    if (!result) {
      this.tell("flow_designer.undo.gone", {});
      this.look();
      return null;
    }
    to.push(gesture);
    this.keep({ id: freshId(), label, params: { what: gesture.label }, ops: opsOf(gesture), inverse: result.inverse }, result.doc);
    this.look();
    return gesture;
  }

  flush() {
    if (this.sent > 0 || this.pending.length === 0 || this.id === null) return;
    const batch = this.pending.slice(0, BATCH);
    this.sent = batch.length;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.unanswered(), PATIENCE_MS);
    this.save(this.id, this.seq, batch);
  }

  // No answer: the line is down or the server busy. Gestures carry their ids, so sending again does no harm.
  unanswered() {
    this.isWaiting = true;
    this.sent = 0;
    this.look();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), RETRY_MS);
  }

  // {draft_id, ids, seq, ok, moved, code, params, problems}
  answered(verdict) {
    if (verdict.draft_id !== this.id || this.sent === 0 || verdict.ids?.[0] !== this.pending[0]?.id) return;
    clearTimeout(this.timer);
    const batch = this.pending.slice(0, this.sent);
    this.sent = 0;
    this.isWaiting = false;
    if (verdict.moved) {
      this.tell("flow_designer.moved", {});
      this.reopen();
    } else if (!verdict.ok) this.refused(batch);
    else if (verdict.seq === this.seq + batch.length) this.accept(batch, verdict.seq);
    else {
      this.pending = this.pending.slice(batch.length);
      this.reopen();
    }
    this.look();
    this.flush();
  }

  accept(batch, seq) {
    this.confirmed = batch.reduce((document, gesture) => apply(document, gesture.ops).doc, this.confirmed);
    this.pending = this.pending.slice(batch.length);
    this.seq = seq;
  }

  // What the server will not keep is taken back, and with it whatever was done on top of it.
  refused() {
    this.pending = [];
    this.reopen();
  }

  // Another window of the same author drew something, or somebody published.
  heard({ draft_id: id, seq, newest = null }) {
    if (newest !== null && this.id !== null && newest > (this.newest ?? 0)) this.reopen();
    else if (id === this.id && seq > this.seq && this.sent === 0 && this.pending.length === 0) this.reopen();
  }

  remember() {
    if (this.id === null) return;
    if (this.pending.length) window.sessionStorage.setItem(storeKey(this.id), JSON.stringify(this.pending));
    else window.sessionStorage.removeItem(storeKey(this.id));
  }
}

const storeKey = (id) => `tc_flow_draft_${id}`;

function remembered(id) {
  try {
    return JSON.parse(window.sessionStorage.getItem(storeKey(id))) ?? [];
  } catch {
    return [];
  }
}

