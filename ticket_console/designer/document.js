// The keyed operations of kernel/documents.py, in the browser: the same documents, the same inverses.
// Sizes are checked by the server alone. Documents are values: nothing given is changed.

const KEYED = {
  nodes: "key",
  edges: "key",
  stages: "key",
  sections: "key",
  fields: "key",
  comments: "key",
  columns: "key",
  items: "key",
  checklist: "key",
  questions: "key",
  options: "value",
  parts: "sku",
};
const FORBIDDEN_NAME = "__proto__";

/** An operation that does not fit; `index` is its place in the gesture, `code` a key of the translations. */
export class Refused extends Error {
  constructor(code, params = {}) {
    super(`document.${code}`);
    this.code = `document.${code}`;
    this.params = params;
    this.index = null;
  }
}

/** `{doc, inverse}` after all operations, or `Refused` with nothing applied. */
export function apply(doc, operations) {
  if (!Array.isArray(operations)) throw new Refused("wrong_shape");
  const inverse = [];
  operations.forEach((operation, index) => {
    try {
      const applied = applyOne(doc, operation);
      doc = applied.doc;
      inverse.unshift(...applied.inverse);
    } catch (refusal) {
      if (refusal instanceof Refused) refusal.index = index;
      throw refusal;
    }
  });
  return { doc, inverse };
}

/** What stands at a path; `undefined` where there is nothing. */
export function partAt(doc, path) {
  let part = doc;
  let name = "";
  for (const step of path) {
    const slot = slotOf(part, name, step);
    if (slot === null) return undefined;
    part = part[slot];
    name = step;
  }
  return part;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keyedBy(name) {
  return Object.hasOwn(KEYED, name) ? KEYED[name] : null;
}

function memberKey(name, value) {
  const key = keyedBy(name);
  if (key === null || !Array.isArray(value)) return null;
  const found = value.map((member) => (isObject(member) ? own(member, key) : undefined));
  const isKeyed = found.every((each) => typeof each === "string") && new Set(found).size === found.length;
  return isKeyed ? key : null;
}

function own(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function slotOf(container, name, step) {
  if (isObject(container)) return Object.hasOwn(container, step) ? step : null;
  const key = memberKey(name, container);
  if (key === null) return null;
  const index = container.findIndex((member) => member[key] === step);
  return index < 0 ? null : index;
}

function applyOne(doc, operation) {
  if (!isObject(operation)) throw new Refused("wrong_shape");
  const path = checkedPath(operation.path);
  if (operation.op === "put") {
    refuseOtherNames(operation, ["op", "path", "value", "before"]);
    if (!Object.hasOwn(operation, "value")) throw new Refused("wrong_shape");
    return put(doc, path, checkedValue(operation.value), operation);
  }
  if (operation.op === "remove") {
    refuseOtherNames(operation, ["op", "path"]);
    return remove(doc, path);
  }
  if (operation.op === "move") {
    refuseOtherNames(operation, ["op", "path", "to", "before"]);
    const to = (operation.to ?? null) === null ? path.slice(0, -1) : checkedPath(operation.to);
    return move(doc, path, to, beforeOf(operation));
  }
  throw new Refused("unknown_operation");
}

function refuseOtherNames(operation, known) {
  if (Object.keys(operation).some((name) => !known.includes(name))) throw new Refused("wrong_shape");
}

function checkedPath(path) {
  if (!Array.isArray(path) || path.length === 0) throw new Refused("bad_path");
  for (const step of path) {
    if (typeof step !== "string" || step === "" || step === FORBIDDEN_NAME) throw new Refused("bad_path");
  }
  return path;
}

function beforeOf(operation) {
  const before = operation.before ?? null;
  if (before !== null && typeof before !== "string") throw new Refused("wrong_shape");
  return before;
}

function checkedValue(value) {
  if (Array.isArray(value)) {
    value.forEach(checkedValue);
  } else if (isObject(value)) {
    if (Object.hasOwn(value, FORBIDDEN_NAME)) throw new Refused("bad_value");
    Object.values(value).forEach(checkedValue);
  } else if (value === undefined || (typeof value === "number" && !Number.isFinite(value))) {
    throw new Refused("bad_value");
  }
  return value;
}

function descend(doc, path) {
  const spine = [];
  let part = doc;
  for (let done = 0; done < path.length; done += 1) {
    const slot = slotOf(part, done ? path[done - 1] : "", path[done]);
    if (slot === null) return { spine, part, done };
    spine.push([part, slot]);
    part = part[slot];
  }
  return { spine, part, done: path.length };
}

function reach(doc, path) {
  const { spine, part, done } = descend(doc, path);
  if (done < path.length) throw new Refused("unknown_part", { part: path.slice(0, done + 1).join(".") });
  return { spine, part };
}

function rebuilt(spine, part) {
  for (const [container, slot] of spine.toReversed()) {
    const copy = Array.isArray(container) ? [...container] : { ...container };
    copy[slot] = part;
    part = copy;
  }
  return part;
}

function put(doc, path, value, operation) {
  refuseRekeying(doc, path, value);
  const { spine, part, done } = descend(doc, path);
  const isInsertion = Object.hasOwn(operation, "before");
  const last = path[path.length - 1];
  if (done === path.length) {
    if (isInsertion) throw new Refused("already_there", { part: last });
    refuseOtherKey(spine[spine.length - 1][0], path, value);
    return { doc: rebuilt(spine, value), inverse: [{ op: "put", path: [...path], value: part }] };
  }
  const name = done ? path[done - 1] : "";
  if (isObject(part)) {
    const rest = path.slice(done);
    if (isInsertion && (operation.before !== null || !startsList(rest, value))) {
      throw new Refused("unknown_part", { part: String(operation.before) });
    }
    const made = { ...part, [path[done]]: madeFor(rest, value) };
    return { doc: rebuilt(spine, made), inverse: [{ op: "remove", path: path.slice(0, done + 1) }] };
  }
  if (done < path.length - 1 || memberKey(name, part) === null) {
    throw new Refused("unknown_part", { part: path[done] });
  }
  refuseOtherKey(part, path, value);
  const members = inserted(part, KEYED[name], value, beforeOf(operation));
  return { doc: rebuilt(spine, members), inverse: [{ op: "remove", path: [...path] }] };
}

function startsList(rest, value) {
  const key = rest.length > 1 ? keyedBy(rest[rest.length - 2]) : null;
  return key !== null && isObject(value) && own(value, key) === rest[rest.length - 1];
}

function madeFor(rest, value) {
  if (rest.length === 1) return value;
  let made = startsList(rest, value) ? [value] : { [rest[rest.length - 1]]: value };
  for (const step of rest.slice(1, -1).toReversed()) made = { [step]: made };
  return made;
}

function refuseOtherKey(container, path, value) {
  if (!Array.isArray(container)) return;
  const last = path[path.length - 1];
  if (!isObject(value) || own(value, KEYED[path[path.length - 2]]) !== last) {
    throw new Refused("key_mismatch", { key: last });
  }
}

function refuseRekeying(doc, path, value) {
  if (path.length < 3) return;
  const [list, member, name] = path.slice(-3);
  if (keyedBy(list) !== name || value === member) return;
  if (memberKey(list, partAt(doc, path.slice(0, -2))) !== null) throw new Refused("key_fixed", { key: member });
}

function inserted(members, key, member, before) {
  if (before === null) return [...members, member];
  const index = members.findIndex((each) => each[key] === before);
  if (index < 0) throw new Refused("unknown_part", { part: before });
  return members.toSpliced(index, 0, member);
}

function nextKey(members, index, key) {
  return index + 1 < members.length ? members[index + 1][key] : null;
}

function without(container, slot) {
  if (Array.isArray(container)) return container.toSpliced(slot, 1);
  const { [slot]: _, ...left } = container;
  return left;
}

function remove(doc, path) {
  refuseRekeying(doc, path, undefined);
  const { spine, part } = reach(doc, path);
  const [container, slot] = spine.pop();
  const back = { op: "put", path: [...path], value: part };
  if (Array.isArray(container)) back.before = nextKey(container, slot, KEYED[path[path.length - 2]]);
  return { doc: rebuilt(spine, without(container, slot)), inverse: [back] };
}

function move(doc, path, to, before) {
  const last = path[path.length - 1];
  const from = reach(doc, path);
  const [members, index] = from.spine.pop();
  const key = Array.isArray(members) ? KEYED[path[path.length - 2]] : null;
  if (key === null || keyedBy(to[to.length - 1] ?? "") !== key) throw new Refused("not_movable", { part: last });
  if (path.every((step, at) => to[at] === step)) throw new Refused("into_itself", { part: last });
  const back = { op: "move", path: [...to, last], to: path.slice(0, -1), before: nextKey(members, index, key) };
  const left = rebuilt(from.spine, without(members, index));
  const { spine, part: target, done } = descend(left, to);
  if (done < to.length) {
    if (!isObject(target) || before !== null) throw new Refused("unknown_part", { part: to[done] });
    const made = { ...target, [to[done]]: madeFor([...to.slice(done), last], from.part) };
    const undo = { op: "remove", path: to.slice(0, done + 1) };
    return { doc: rebuilt(spine, made), inverse: [back, undo] };
  }
  if (memberKey(to[to.length - 1], target) === null) throw new Refused("not_movable", { part: last });
  if (target.some((each) => each[key] === last)) throw new Refused("already_there", { part: last });
  return { doc: rebuilt(spine, inserted(target, key, from.part, before)), inverse: [back] };
}
