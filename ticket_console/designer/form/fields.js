// What a gesture on the form means as operations on its document. Nothing here changes anything.

export const SECTIONS = ["definition", "sections"];
const KEY = /^[A-Za-z0-9_.-]{1,64}$/;

export const sectionsOf = (document) => document?.definition?.sections ?? [];
export const fieldsOf = (document) => sectionsOf(document).flatMap((section) => section.fields ?? []);
export const sectionOf = (document, key) => sectionsOf(document).find((section) => section.key === key);
export const homeOf = (document, key) => sectionsOf(document).find((section) => (section.fields ?? []).some((field) => field.key === key));
export const fieldOf = (document, key) => fieldsOf(document).find((field) => field.key === key);

// Whether a section is another department's. Who is bound to none may change them all.
export const isForeign = (section, department) => Boolean(department) && (section?.owner ?? "") !== department;

export const sectionPath = (section, ...rest) => [...SECTIONS, section, ...rest];
export const fieldPath = (document, key, ...rest) => sectionPath(homeOf(document, key).key, "fields", key, ...rest);

const put = (path, value) => ({ op: "put", path, value });
const remove = (path) => ({ op: "remove", path });

const isBlank = (value) => value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

// One setting of a thing that stands at `path`. An empty one is left out of the document, so that "never set"
// and "cleared" are the same, and nothing is done where nothing changes.
export function setting(path, thing, name, value) {
  if (isBlank(value)) return thing[name] === undefined ? [] : [remove([...path, name])];
  return JSON.stringify(thing[name]) === JSON.stringify(value) ? [] : [put([...path, name], value)];
}

export const isKindName = (field, kind) => Boolean(kind) && ["zh", "en"].every((name) => field.label?.[name] === kind.label?.[name]);

export const isKey = (text) => KEY.test(text);

export function slug(text) {
  return (text ?? "").normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 48);
}

// A key nobody else has: `base`, or `base_2`, `base_3`...
export function freeKey(base, taken) {
  const used = new Set(taken);
  if (!used.has(base)) return base;
  let number = 2;
  while (used.has(`${base}_${number}`)) number += 1;
  return `${base}_${number}`;
}

const keysOf = (document) => fieldsOf(document).map((field) => field.key);

// Keys a field of a kind cannot have: those of this form, and those that are another kind anywhere else.
export const takenKeys = (document, kind, known = {}) => [...keysOf(document), ...Object.keys(known).filter((key) => known[key] !== kind)];

export function freshField(document, kind, known) {
  const field = { key: freeKey(kind.key, takenKeys(document, kind.key, known)), kind: kind.key, label: kind.label, required: false, at_opening: true };
  return kind.starts_with ? { ...field, ...structuredClone(kind.starts_with) } : field;
}

// Put a whole member into a keyed list so that it stands before the member now at `index`.
function putAt(listPath, members, member, index) {
  return [{ op: "put", path: [...listPath, member.key], value: member, before: members[index]?.key ?? null }];
}

export function addField(document, field, sectionKey, index) {
  const section = sectionOf(document, sectionKey);
  const fields = section?.fields ?? [];
  return putAt(sectionPath(sectionKey, "fields"), fields, field, index ?? fields.length);
}

export function freshSection(document, title, owner) {
  const section = { key: freeKey("section", sectionsOf(document).map((each) => each.key)), title, fields: [] };
  return owner ? { ...section, owner } : section;
}

export const addSection = (document, section, index) => putAt(SECTIONS, sectionsOf(document), section, index ?? sectionsOf(document).length);

// `index` is where the field shall stand in the target once it has left its old place.
export function moveField(document, key, toSection, index) {
  const from = homeOf(document, key);
  const others = (sectionOf(document, toSection)?.fields ?? []).filter((field) => field.key !== key);
  return [{ op: "move", path: sectionPath(from.key, "fields", key), before: others[index]?.key ?? null, to: sectionPath(toSection, "fields") }];
}

export function moveSection(document, key, index) {
  const others = sectionsOf(document).filter((section) => section.key !== key);
  return [{ op: "move", path: sectionPath(key), before: others[index]?.key ?? null, to: SECTIONS }];
}

export function copyOf(document, key) {
  const field = structuredClone(fieldOf(document, key));
  return { ...field, key: freeKey(field.key.replace(/_\d+$/, ""), keysOf(document)) };
}

export const removeField = (document, key) => [remove(fieldPath(document, key))];
export const removeSection = (key) => [remove(sectionPath(key))];

// Conditions name fields in {"field": key}; everything else of a tree stays.
function renamedTree(tree, from, to) {
  if (Array.isArray(tree)) return tree.map((each) => renamedTree(each, from, to));
  if (tree === null || typeof tree !== "object") return tree;
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [
    name, (name === "field" || (name === "value" && tree.valueSource === "field")) && value === from ? to : renamedTree(value, from, to),
  ]));
}

const WITH_CONDITIONS = ["visible_when", "required_when", "behaviours"];

function referring(member, from, to) {
  const changed = { ...member };
  for (const name of WITH_CONDITIONS) if (member[name]) changed[name] = renamedTree(member[name], from, to);
  if (member.formula) changed.formula = member.formula.replace(new RegExp(`(?<![A-Za-z0-9_.-])${from.replace(/[.-]/g, "\\$&")}(?![A-Za-z0-9_.-])`, "g"), to);
  return changed;
}

const differs = (one, other) => JSON.stringify(one) !== JSON.stringify(other);

// A field gets another key, and everything that speaks of it follows.
export function renameField(document, from, to) {
  const home = homeOf(document, from);
  const at = home.fields.findIndex((field) => field.key === from);
  const own = { ...referring(home.fields[at], from, to), key: to };
  const ops = [remove(fieldPath(document, from)), ...putAt(sectionPath(home.key, "fields"), home.fields.filter((field) => field.key !== from), own, at)];
  for (const section of sectionsOf(document)) {
    if (section.visible_when) {
      const tree = renamedTree(section.visible_when, from, to);
      if (differs(tree, section.visible_when)) ops.push(put(sectionPath(section.key, "visible_when"), tree));
    }
    for (const field of section.fields ?? []) {
      if (field.key === from) continue;
      const changed = referring(field, from, to);
      for (const name of [...WITH_CONDITIONS, "formula"]) {
        if (field[name] !== undefined && differs(changed[name], field[name])) ops.push(put(sectionPath(section.key, "fields", field.key, name), changed[name]));
      }
    }
  }
  return ops;
}

// Options from a pasted list: one a line, "value | label" or only the label; known values are left alone.
export function pastedOptions(text, known) {
  const taken = new Set(known.map((option) => option.value));
  const found = [];
  for (const line of text.split(/\r?\n/)) {
    const [first, second] = line.split(/\t|\|/).map((part) => part.trim());
    const label = second || first;
    if (!label) continue;
    const value = freeKey(second ? first.slice(0, 100) : slug(label) || label.slice(0, 100), taken);
    taken.add(value);
    found.push({ value, label });
  }
  return found;
}

// Problems by what they belong to: "fields.price.min" is a problem of the field "price".
export function problemsOf(problems, place, key) {
  const start = `${place}.${key}`;
  return problems.filter((problem) => problem.path === start || problem.path.startsWith(`${start}.`));
}
