// What a board knows, and how snapshots, patches and pages change it. Pure: no React, no clock, no network.
//
// A board keeps the newest version of each card, so that order and repetition of patches do no harm;
// a patch that went missing is noticed by its number (`missed`), and the whole board is asked for again.

export const EMPTY = { board: null, seq: 0, at: null, lanes: [], cards: new Map(), edges: new Map(), early: [], missed: false };

const MAX_EARLY = 200;

export const place = (card) => [card.priority_class, card.rank];

export function compare(one, other) {
  if (one[0] !== other[0]) return one[0] - other[0];
  return one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0;
}

const byPlace = (one, other) => compare(place(one), place(other));

// Cards beyond the edge of a lane's last window are counted and not shown: showing them would leave a hole before them.
const isBeyond = (edges, card) => {
  const edge = edges.get(card.stage);
  return edge !== undefined && edge !== null && compare(place(card), edge) > 0;
};

function fromSnapshot(state, feed) {
  const cards = new Map();
  const edges = new Map();
  for (const lane of feed.lanes) {
    for (const card of lane.cards) cards.set(card.id, card);
    edges.set(lane.key, lane.more && lane.cards.length ? place(lane.cards[lane.cards.length - 1]) : null);
  }
  const held = new Map(state.lanes.map((lane) => [lane.key, lane]));
  const lanes = feed.lanes.map(({ key, name, category, count }) => ({ key, name: held.get(key)?.name ?? name, category, count }));
  const fresh = { board: feed.board, seq: feed.seq, at: feed.at, lanes, cards, edges, early: [], missed: false };
  return state.early.filter((patch) => patch.board === feed.board && patch.seq > feed.seq).reduce(absorb, fresh);
}

function fromPatch(state, feed) {
  if (feed.board !== state.board) {
    return { ...state, early: [...state.early.slice(-MAX_EARLY), feed] };
  }
  if (feed.seq <= state.seq) return state;
  const cards = new Map(state.cards);
  for (const id of feed.gone) cards.delete(id);
  for (const card of feed.cards) {
    const held = cards.get(card.id);
    if (held && held.version > card.version) continue;
    if (isBeyond(state.edges, card)) cards.delete(card.id);
    else cards.set(card.id, card);
  }
  const lanes = state.lanes.map((lane) => {
    const count = feed.counts[lane.key] ?? 0;
    return count === lane.count ? lane : { ...lane, count };
  });
  return { ...state, seq: feed.seq, at: feed.at, cards, lanes, missed: state.missed || feed.seq !== state.seq + 1 };
}

function fromPage(state, feed) {
  if (feed.board !== state.board) return state;
  const cards = new Map(state.cards);
  for (const card of feed.cards) {
    const held = cards.get(card.id);
    if (!held || held.version <= card.version) cards.set(card.id, card);
  }
  const last = feed.cards[feed.cards.length - 1];
  const edges = new Map(state.edges).set(feed.lane, feed.more && last ? place(last) : null);
  return { ...state, cards, edges };
}

export function absorb(state, feed) {
  if (feed?.kind === "snapshot") return fromSnapshot(state, feed);
  if (feed?.kind === "patch") return fromPatch(state, feed);
  if (feed?.kind === "page") return fromPage(state, feed);
  return state;
}

const sameItems = (one, other) => one.length === other.length && one.every((each, at) => each === other[at]);

const sameLane = (one, other) => one.count === other.count && one.more === other.more && one.name === other.name
  && sameItems(one.cards, other.cards) && sameItems(one.pending, other.pending);

// The lanes as they are drawn. `moved` is what this browser's user did and nobody confirmed yet: a Map of
// card id -> {to, version, pending}. A lane that is as it was in `before` is that very object, so that
// only what changed is drawn again.
export function lanesOf(state, moved = new Map(), before = []) {
  const byLane = new Map(state.lanes.map((lane) => [lane.key, []]));
  const shift = new Map();
  for (const card of state.cards.values()) {
    const move = moved.get(card.id);
    if (move && move.to !== card.stage) {
      shift.set(card.stage, (shift.get(card.stage) ?? 0) - 1);
      shift.set(move.to, (shift.get(move.to) ?? 0) + 1);
    }
    byLane.get(move ? move.to : card.stage)?.push(card);
  }
  return state.lanes.map((lane, at) => {
    const cards = byLane.get(lane.key).sort(byPlace);
    const pending = cards.filter((card) => moved.get(card.id)?.pending).map((card) => card.id);
    const count = Math.max(lane.count + (shift.get(lane.key) ?? 0), 0);
    const drawn = { ...lane, cards, pending, count, more: (state.edges.get(lane.key) ?? null) !== null };
    return before[at]?.key === lane.key && sameLane(before[at], drawn) ? before[at] : drawn;
  });
}

// A move is settled once the board shows the card in a newer version than the one that was moved.
export function unsettled(moved, cards) {
  const still = [...moved].filter(([id, move]) => {
    const card = cards.get(id);
    return card !== undefined && card.version <= move.version;
  });
  return still.length === moved.size ? moved : new Map(still);
}
