// The draft in the browser: what the server has, what is on its way to it, and the way back and forth.
import { useCallback, useEffect, useMemo, useReducer, useRef } from "react";
import { apply } from "$/public/external/ticket_console/designer/document/document.js";

const GATHER_MS = 350;
const SAME_BURST_MS = 1500;
const PATIENCE_MS = 12000;
const UNDO = "form_designer.did.undo";
const REDO = "form_designer.did.redo";

// Not every address of the console is a secure context, and crypto.randomUUID exists in those only.
export const freshId = () => {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
};

export const NOTHING = { draft: null, seq: 0, kept: null, document: null, pending: [], sent: 0, done: [], undone: [], refused: null };

const asMove = (gesture) => ({ label: gesture.label, ops: gesture.ops, inverse: gesture.inverse });

// Undo and redo over a log of gestures: an undo is itself a gesture, told from others by its label.
function stacks(log) {
  const done = [];
  const undone = [];
  for (const gesture of log) {
    if (gesture.label === UNDO && done.length) undone.push(done.pop());
    else if (gesture.label === REDO && undone.length) done.push(undone.pop());
    else {
      done.push(asMove(gesture));
      undone.length = 0;
    }
  }
  return { done, undone };
}

function opened(news) {
  return { ...NOTHING, draft: news.draft, seq: news.seq, kept: news.document, document: news.document, ...stacks(news.gestures ?? []) };
}

const after = (document, ops) => apply(document, ops).doc;

// The gesture as it changes the document: what stands afterwards, and the way back from there.
function applied(document, gesture) {
  const { doc, inverse } = apply(document, gesture.ops);
  return { document: doc, gesture: { ...gesture, inverse } };
}

// Letters typed one after the other into the same place are one gesture, as long as it has not left yet.
function joined(state, { label, ops, burst }) {
  const last = state.pending[state.pending.length - 1];
  if (!burst || !last || last.burst !== burst || state.pending.length <= state.sent || Date.now() - last.at > SAME_BURST_MS) return null;
  const { document, gesture } = applied(after(state.document, last.inverse), { ...last, label, ops, at: Date.now() });
  return { ...state, document, pending: [...state.pending.slice(0, -1), gesture], done: [...state.done.slice(0, -1), asMove(gesture)] };
}

function made(state, { label, ops, burst }) {
  if (ops.length === 0) return state;
  const grown = joined(state, { label, ops, burst });
  if (grown) return grown;
  const { document, gesture } = applied(state.document, { id: freshId(), label, ops, burst, at: Date.now() });
  return { ...state, document, pending: [...state.pending, gesture], done: [...state.done, asMove(gesture)], undone: [], refused: null };
}

function turned(state, from, to, label) {
  const move = state[from][state[from].length - 1];
  if (!move) return state;
  const { document, gesture } = applied(state.document, { id: freshId(), label, ops: label === UNDO ? move.inverse : move.ops, at: Date.now() });
  return { ...state, document, pending: [...state.pending, gesture], [from]: state[from].slice(0, -1), [to]: [...state[to], move], refused: null };
}

// The server has these gestures; what was made meanwhile is still on its way.
function acknowledged(state, news) {
  const known = new Set(news.ids);
  const arrived = state.pending.filter((gesture) => known.has(gesture.id));
  if (arrived.length === 0 || news.draft !== state.draft?.id) return state;
  const kept = arrived.reduce((document, gesture) => after(document, gesture.ops), state.kept);
  return { ...state, kept, seq: news.seq, pending: state.pending.filter((gesture) => !known.has(gesture.id)), sent: 0 };
}

// Another window of the same author was faster: its gestures come first, ours are made again after them.
// The server counts from then on, so what can be undone starts anew with our own.
function overtaken(state, news) {
  const kept = news.since.reduce((document, gesture) => after(document, gesture.ops), state.kept);
  const arrived = new Set(news.since.map((gesture) => gesture.id));
  const again = { document: kept, pending: [] };
  for (const gesture of state.pending.filter((each) => !arrived.has(each.id))) {
    try {
      const { document, gesture: own } = applied(again.document, gesture);
      again.document = document;
      again.pending.push(own);
    } catch {
      // What it spoke of is gone.
    }
  }
  return { ...state, ...again, kept, sent: 0, seq: news.seq, done: again.pending.map(asMove), undone: [] };
}

// What the server will not keep is taken back, and the user reads why.
function takenBack(state) {
  return { ...state, document: state.kept, pending: [], sent: 0, done: state.done.slice(0, Math.max(0, state.done.length - state.pending.length)), undone: [], refused: state.seq };
}

function reduce(state, event) {
  switch (event.kind) {
    case "opened": return opened(event);
    case "made": return state.document ? made(state, event) : state;
    case "undo": return turned(state, "done", "undone", UNDO);
    case "redo": return turned(state, "undone", "done", REDO);
    case "sent": return { ...state, sent: event.count };
    case "unsent": return { ...state, sent: 0 };
    case "saved": return acknowledged(state, event);
    case "moved": return event.draft === state.draft?.id ? overtaken(state, event) : state;
    case "refused": return event.draft === state.draft?.id ? takenBack(state) : state;
    default: return state;
  }
}

// `opened` carries the draft once; `saved` answers gestures: {kind: saved|moved|refused, draft, ids, seq, since}.
// `send` gets {draft_id, if_match, gestures}.
export function useDraft({ opened: news, saved, send }) {
  const [state, take] = useReducer(reduce, NOTHING);
  const latest = useRef(state);
  latest.current = state;
  const deliver = useRef(send);
  deliver.current = send;

  useEffect(() => {
    if (news?.draft) take({ kind: "opened", ...news });
  }, [news]);
  useEffect(() => {
    if (saved?.kind) take(saved);
  }, [saved]);

  const flush = useCallback(() => {
    const now = latest.current;
    if (now.sent > 0 || now.pending.length === 0) return;
    take({ kind: "sent", count: now.pending.length });
    deliver.current({
      draft_id: now.draft.id, if_match: now.seq,
      gestures: now.pending.map(({ id, label, ops }) => ({ id, label, ops })),
    });
  }, []);

  useEffect(() => {
    if (state.pending.length === 0) return undefined;
    if (state.sent > 0) {
      // No answer: the connection may have broken. Gestures carry their ids, so sending again does no harm.
      const timer = setTimeout(() => take({ kind: "unsent" }), PATIENCE_MS);
      return () => clearTimeout(timer);
    }
    const timer = setTimeout(flush, GATHER_MS);
    return () => clearTimeout(timer);
  }, [state.pending, state.sent, flush]);

  useEffect(() => {
    const leave = (event) => {
      if (latest.current.pending.length === 0) return;
      flush();
      event.preventDefault();
    };
    window.addEventListener("beforeunload", leave);
    return () => window.removeEventListener("beforeunload", leave);
  }, [flush]);

  const make = useCallback((label, ops, burst) => take({ kind: "made", label, ops, burst }), []);
  const undo = useCallback(() => take({ kind: "undo" }), []);
  const redo = useCallback(() => take({ kind: "redo" }), []);
  return useMemo(() => ({
    ...state, make, undo, redo, flush, isSaved: state.pending.length === 0, mayUndo: state.done.length > 0, mayRedo: state.undone.length > 0,
  }), [state, make, undo, redo, flush]);
}
