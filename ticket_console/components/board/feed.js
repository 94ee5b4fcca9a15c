// What a board knows, and how snapshots, patches and pages change it. Pure: no React, no clock, no network.
//
// A board keeps the newest version of each card, so that order and repetition of patches do no harm;
// a patch that went missing is noticed by its number (`missed`), and the whole board is asked for again.

export const EMPTY = { board: null, seq: 0, at: null, by: "stage", rows: [], lanes: [], cards: new Map(), edges: new Map(), early: [], missed: false };

const MAX_EARLY = 200;

export const place = (card) => [card.priority_class, card.rank];

export function compare(one, other) {
  if (one[0] !== other[0]) return one[0] - other[0];
  if (one[1] !== other[1]) return one[1] < other[1] ? -1 : 1;
  return (one[2] ?? 0) - (other[2] ?? 0);
}

const isCell = /\u0000/;
export const cellOf = (lane, row) => `${lane}\u0000${row}`;
export const laneOfCell = (cell) => cell.split(isCell)[0];

// Cards beyond the edge of a window are counted and not shown: showing them would leave a hole before them.
const isBeyond = (edges, card) => {
  const edge = edges.get(cellOf(card.lane, card.row));
  return edge !== undefined && edge !== null && compare(place(card), edge) > 0;
};

const lastPlace = (cards) => cards.map(place).reduce((last, each) => (last === null || compare(each, last) > 0 ? each : last), null);

function edgesOf(lane) {
  if (!lane.cells) return lane.more ? [[cellOf(lane.key, ""), lastPlace(lane.cards)]] : [];
  return Object.entries(lane.cells).filter(([, cell]) => cell.more)
    .map(([row]) => [cellOf(lane.key, row), lastPlace(lane.cards.filter((card) => card.row === row))]);
}

const countsOf = (cells) => Object.fromEntries(Object.entries(cells).map(([row, cell]) => [row, cell.count]));

function fromSnapshot(state, feed) {
  const cards = new Map(feed.lanes.flatMap((lane) => lane.cards.map((card) => [card.id, card])));
  const edges = new Map(feed.lanes.flatMap(edgesOf));
  const held = new Map(state.by === feed.by ? state.lanes.map((lane) => [lane.key, lane]) : []);
  const lanes = feed.lanes.map(({ key, name, category, count, limit, load, on_duty, cells }) => ({
    key, name: held.get(key)?.name ?? name, category, count, limit: limit ?? null, load: load ?? null, onDuty: on_duty, counts: cells ? countsOf(cells) : null,
  }));
  const fresh = { board: feed.board, seq: feed.seq, at: feed.at, by: feed.by, rows: feed.rows, lanes, cards, edges, early: [], missed: false };
  return state.early.filter((patch) => patch.board === feed.board && patch.seq > feed.seq).reduce(absorb, fresh);
}

const sameLoad = (one, other) => one === other || (one && other && one.open === other.open && one.capacity === other.capacity);
const sameCounts = (one, other) => one === other
  || (one && other && Object.keys({ ...one, ...other }).every((row) => (one[row] ?? 0) === (other[row] ?? 0)));

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
    const counts = lane.counts && feed.cells ? feed.cells[lane.key] ?? {} : lane.counts;
    const load = feed.loads?.[lane.key] ?? lane.load;
    return count === lane.count && sameLoad(load, lane.load) && sameCounts(counts, lane.counts) ? lane : { ...lane, count, counts, load };
  });
  // A person or a stage that came later has no lane here yet.
  const known = new Set(state.lanes.map((lane) => lane.key));
  const isStrange = feed.cards.some((card) => !known.has(card.lane));
  return { ...state, seq: feed.seq, at: feed.at, cards, lanes, missed: state.missed || isStrange || feed.seq !== state.seq + 1 };
}

function fromPage(state, feed) {
  if (feed.board !== state.board) return state;
  const cards = new Map(state.cards);
  for (const card of feed.cards) {
    const held = cards.get(card.id);
    if (!held || held.version <= card.version) cards.set(card.id, card);
  }
  const edges = new Map(state.edges).set(cellOf(feed.lane, feed.row ?? ""), feed.more ? lastPlace(feed.cards) : null);
  return { ...state, cards, edges };
}

export function absorb(state, feed) {
  if (feed?.kind === "snapshot") return fromSnapshot(state, feed);
  if (feed?.kind === "patch") return fromPatch(state, feed);
  if (feed?.kind === "page") return fromPage(state, feed);
  return state;
}

// Where a card stands that was dropped between two others, until the server tells its real rank. Classes of
// priority stay apart: a neighbour of another class says nothing but that the card is first or last of its own.
export function placeBetween(card, above, below) {
  if (above && above.priority_class === card.priority_class) return [card.priority_class, above.rank, 1];
  if (below && below.priority_class === card.priority_class) return [card.priority_class, below.rank, -1];
  return place(card);
}

const sameItems = (one, other) => one.length === other.length && one.every((each, at) => each === other[at]);

const sameCell = (one, other) => one.count === other.count && one.more === other.more
  && sameItems(one.cards, other.cards) && sameItems(one.pending, other.pending);

const sameLane = (one, other) => one.count === other.count && one.name === other.name && one.load === other.load
  && one.limit === other.limit && one.category === other.category && sameItems(one.cells, other.cells);

// The lanes as they are drawn, each with one cell for every row of the board (one cell "" where there are no
// rows). `moved` is what this browser's user did and nobody confirmed yet: a Map of card id ->
// {to, place, version, pending}. A lane or a cell that is as it was in `before` is that very object, so that
// only what changed is drawn again.
export function lanesOf(state, moved = new Map(), before = []) {
  const rows = state.rows.length ? state.rows.map((row) => row.key) : [""];
  const found = new Map(state.lanes.flatMap((lane) => rows.map((row) => [cellOf(lane.key, row), []])));
  const shift = new Map();
  const shifted = (key, by) => shift.set(key, (shift.get(key) ?? 0) + by);
  for (const card of state.cards.values()) {
    const move = moved.get(card.id);
    const lane = move ? move.to : card.lane;
    if (lane !== card.lane) {
      for (const key of [card.lane, cellOf(card.lane, card.row)]) shifted(key, -1);
      for (const key of [lane, cellOf(lane, card.row)]) shifted(key, 1);
    }
    found.get(cellOf(lane, card.row))?.push(card);
  }
  const placeOf = (card) => moved.get(card.id)?.place ?? place(card);
  const inOrder = moved.size
    ? (one, other) => compare(placeOf(one), placeOf(other))
    : (one, other) => one.priority_class - other.priority_class || (one.rank < other.rank ? -1 : one.rank > other.rank ? 1 : 0);
  const old = new Map(before.map((lane) => [lane.key, lane]));
  return state.lanes.map((lane) => {
    const was = old.get(lane.key);
    const count = Math.max(lane.count + (shift.get(lane.key) ?? 0), 0);
    const cells = rows.map((row, at) => {
      const key = cellOf(lane.key, row);
      const cards = found.get(key).sort(inOrder);
      const pending = cards.filter((card) => moved.get(card.id)?.pending).map((card) => card.id);
      const own = !row ? count : lane.counts ? Math.max((lane.counts[row] ?? 0) + (shift.get(key) ?? 0), 0) : cards.length;
      const cell = { key, lane: lane.key, row, cards, pending, count: own, more: (state.edges.get(key) ?? null) !== null };
      return was?.cells[at]?.key === key && sameCell(was.cells[at], cell) ? was.cells[at] : cell;
    });
    const drawn = { ...lane, count, cells };
    return was && sameLane(was, drawn) ? was : drawn;
  });
}

// A move is settled once the board shows the card in a newer version than it had when it was dropped.
export function unsettled(moved, cards) {
  const still = [...moved].filter(([id, move]) => {
    const card = cards.get(id);
    return card !== undefined && card.version <= move.version;
  });
  return still.length === moved.size ? moved : new Map(still);
}

// Whether a card changed since its reader last looked; `seen` is {since, versions: {id: version}}.
export const isUnread = (card, seen) => Boolean(seen?.since) && card.updated_at > seen.since && card.version > (seen.versions?.[card.id] ?? 0);
