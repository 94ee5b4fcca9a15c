// The rules of a form as the server has them: conditions (kernel/conditions.py), formulas (forms/formulas.py) and
// which fields they hide (forms/visibility.py). A test runs both on the same cases.

const PLAIN_NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;

// A number as [digits, places], so that decimals compare exactly whatever their length.
function decimal(value) {
  if (typeof value === "number" && Number.isFinite(value)) return scaled(plainText(value));
  return typeof value === "string" && PLAIN_NUMBER.test(value) ? scaled(value) : null;
}

function plainText(number) {
  const [digits, exponent] = String(number).split("e");
  if (exponent === undefined) return digits;
  const [whole, part = ""] = digits.replace("-", "").split(".");
  const point = whole.length + Number(exponent);
  const all = (whole + part).padEnd(point, "0").padStart(whole.length + part.length + Math.max(0, 1 - point), "0");
  const at = Math.max(1, point);
  const text = all.length > at ? `${all.slice(0, at)}.${all.slice(at)}` : all;
  return number < 0 ? `-${text}` : text;
}

function scaled(text) {
  const [whole, part = ""] = text.split(".");
  return [BigInt(whole + part) * (text.startsWith("-") && BigInt(whole + part) > 0n ? -1n : 1n), part.length];
}

function compared(left, right) {
  const places = Math.max(left[1], right[1]);
  const [a, b] = [left, right].map(([digits, had]) => digits * 10n ** BigInt(places - had));
  return a < b ? -1 : a > b ? 1 : 0;
}

// By code point, as the server compares text.
function comparedText(left, right) {
  const [a, b] = [[...left], [...right]];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return a[at].codePointAt(0) < b[at].codePointAt(0) ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

const flag = (value) => (typeof value === "boolean" ? value : value === "true" ? true : value === "false" ? false : null);
const isNull = (fact) => fact === null || fact === undefined || fact === "" || (Array.isArray(fact) && fact.length === 0);
const folded = (text) => text.toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");
const listed = (value) => (typeof value === "string" ? value.split(",").map((part) => part.trim()).filter(Boolean) : Array.isArray(value) ? value : []);

function equals(fact, operand) {
  if (Array.isArray(fact)) return fact.length === 1 && equals(fact[0], operand);
  if (typeof fact === "boolean" || typeof operand === "boolean") return flag(operand) !== null && flag(fact) === flag(operand);
  if (typeof fact === "string" && fact === operand) return true;
  const [left, right] = [decimal(fact), decimal(operand)];
  return left !== null && right !== null && compared(left, right) === 0;
}

function ordered(fact, operand, holds) {
  const [left, right] = [decimal(fact), decimal(operand)];
  if (right !== null) return left !== null && holds(compared(left, right));
  return typeof fact === "string" && typeof operand === "string" && left === null && fact !== "" && holds(comparedText(fact, operand));
}

const among = (fact, operands) => (Array.isArray(fact) ? fact : [fact]).some((member) => !isNull(member) && operands.some((operand) => equals(member, operand)));

function contains(fact, operand) {
  if (Array.isArray(fact)) return fact.some((member) => equals(member, operand));
  return typeof fact === "string" && folded(fact).includes(folded(String(operand)));
}

function between(fact, value) {
  const [low, high] = listed(value);
  return ordered(fact, low, (sign) => sign >= 0) && ordered(fact, high, (sign) => sign <= 0);
}

const OPERATORS = {
  "=": equals,
  "!=": (fact, value) => !equals(fact, value),
  "<": (fact, value) => ordered(fact, value, (sign) => sign < 0),
  "<=": (fact, value) => ordered(fact, value, (sign) => sign <= 0),
  ">": (fact, value) => ordered(fact, value, (sign) => sign > 0),
  ">=": (fact, value) => ordered(fact, value, (sign) => sign >= 0),
  in: (fact, value) => among(fact, listed(value)),
  notIn: (fact, value) => !among(fact, listed(value)),
  between,
  contains,
  null: isNull,
  notNull: (fact) => !isNull(fact),
};

// Whether a condition holds; the server sends true or false for what nobody can change in this form.
export function holds(tree, facts) {
  if (typeof tree === "boolean") return tree;
  if (!("rules" in tree)) return OPERATORS[tree.operator](facts[tree.field], tree.value);
  const test = (rule) => holds(rule, facts);
  return (tree.combinator === "and" ? tree.rules.every(test) : tree.rules.some(test)) !== (tree.not === true);
}

// Numbers of formulas are whole numbers of the last of 12 places.
const PLACES = 12;
const ONE = 10n ** 12n;
const TOO_LARGE = 10n ** 30n;
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?$/;
const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d))?$/;

const size = (value) => (value < 0n ? -value : value);
const limited = (value) => (value === null || size(value) >= TOO_LARGE ? null : value);

function divided(dividend, divisor) {
  const whole = size(dividend) / size(divisor);
  const up = 2n * (size(dividend) % size(divisor)) >= size(divisor) ? 1n : 0n;
  return dividend < 0n === divisor < 0n ? whole + up : -(whole + up);
}

function fixed(text) {
  const found = text.length <= 40 ? text.match(NUMBER) : null;
  if (!found || !(found[2] || found[3])) return null;
  const value = divided(BigInt(found[2] + (found[3] ?? "")) * ONE, 10n ** BigInt((found[3] ?? "").length));
  return limited(found[1] === "-" ? -value : value);
}

function typed(fact, kind) {
  const value = fact !== null && typeof fact === "object" && !Array.isArray(fact) ? fact.value : fact;
  if (kind === "flag") return typeof value === "boolean" ? value : null;
  if (kind === "number") return typeof value === "string" || Number.isSafeInteger(value) ? fixed(String(value)) : null;
  return typeof value === "string" && value !== "" ? value : null;
}

function gathered(parts, facts) {
  const values = parts.flatMap((part) => {
    if (part[0] !== "column") return [valueOf(part, facts)];
    const rows = Array.isArray(facts[part[1]]) ? facts[part[1]] : [];
    return rows.map((row) => (row && typeof row === "object" ? typed(row[part[2]], "number") : null));
  });
  return values.filter((value) => typeof value === "bigint");
}

// Days since 1970 in the calendar that everybody uses, also before it was used.
function dayNumber(year, month, day) {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719468;
}

// Microseconds since 1970, and whether it is a moment or a mere day.
function instant(text) {
  const found = text.match(MOMENT);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const last = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  if (year < 1 || last === undefined || day < 1 || day > last || hour > 23 || minute > 59 || second > 59) return null;
  const days = BigInt(dayNumber(year, month, day));
  const isMoment = found[8] !== undefined;
  const away = !isMoment || found[8] === "Z" ? 0 : (found[8][0] === "-" ? -1 : 1) * (Number(found[8].slice(1, 3)) * 60 + Number(found[8].slice(4)));
  const seconds = days * 86400n + BigInt((hour * 60 + minute - away) * 60 + second);
  return { isMoment, at: seconds * 1000000n + BigInt((found[7] ?? "").padEnd(6, "0") || 0) };
}

function span(since, until, unit) {
  const [first, last] = [instant(since), instant(until)];
  if (!first || !last || first.isMoment !== last.isMoment) return null;
  return divided((last.at - first.at) * ONE, unit);
}

const OPERATIONS = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => divided(left * right, ONE),
  "/": (left, right) => (right === 0n ? null : divided(left * ONE, right)),
  abs: size,
  round: (value, places = 0n) => {
    const unit = 10n ** (BigInt(PLACES) - places / ONE);
    return divided(value, unit) * unit;
  },
  days: (since, until) => span(since, until, 86400000000n),
  minutes: (since, until) => span(since, until, 60000000n),
};

const COMPARISONS = {
  "=": (left, right) => left === right,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

const GATHERERS = {
  count: (values) => BigInt(values.length) * ONE,
  sum: (values) => limited(values.reduce((sum, value) => sum + value, 0n)),
  min: (values) => (values.length === 0 ? null : values.reduce((least, value) => (value < least ? value : least))),
  max: (values) => (values.length === 0 ? null : values.reduce((most, value) => (value > most ? value : most))),
};

function valueOf(tree, facts) {
  const [kind, ...parts] = tree;
  if (kind === "number") return BigInt(parts[0]);
  if (kind === "text" || kind === "flag") return parts[0];
  if (kind === "field") return typed(facts[parts[0]], parts[1]);
  if (kind === "if") return valueOf(valueOf(parts[0], facts) === true ? parts[1] : parts[2], facts);
  if (kind in GATHERERS) return GATHERERS[kind](gathered(parts, facts));
  if (kind === "and") return parts.every((part) => valueOf(part, facts) === true);
  if (kind === "or") return parts.some((part) => valueOf(part, facts) === true);
  const values = parts.map((part) => valueOf(part, facts));
  const isKnown = values.every((value) => value !== null);
  if (kind === "not") return values[0] !== true;
  if (kind === "!=") return !(isKnown && values[0] === values[1]);
  if (kind in COMPARISONS) return isKnown && COMPARISONS[kind](...values);
  return isKnown ? limited(OPERATIONS[kind](...values)) : null;
}

// What the tree of a formula comes to, as decimal text, or null where something it needs is missing.
export function formulaValue(tree, facts) {
  const value = valueOf(tree, facts);
  if (typeof value !== "bigint") return null;
  const text = `${size(value) / ONE}.${String(size(value) % ONE).padStart(PLACES, "0")}`.replace(/\.?0+$/, "");
  return value < 0n ? `-${text}` : text;
}

const DURATION_CLOCK = /^(\d{1,6}):([0-5]\d)$/;
const DURATION_WORDS = /^(?:P?T?)(?:(\d{1,6})\s*(?:h|H|hours?|小时|时))?\s*(?:(\d{1,7})\s*(?:m|M|min|minutes?|分钟|分))?$/;

// Minutes of what somebody typed, or the text itself where it is no duration.
export function minutesOf(typedText) {
  const text = String(typedText ?? "").trim();
  const clock = text.match(DURATION_CLOCK);
  if (clock) return 60 * Number(clock[1]) + Number(clock[2]);
  const words = text.match(DURATION_WORDS);
  if (words && (words[1] || words[2])) return 60 * Number(words[1] ?? 0) + Number(words[2] ?? 0);
  return /^\d{1,7}$/.test(text) ? Number(text) : typedText;
}

// What the server will make of an entry, as far as conditions and formulas ask for it.
export function keptValue(kind, value) {
  if (typeof value === "string") {
    const text = value.trim();
    if (text === "") return null;
    if (kind === "number" || kind === "money") {
      const number = fixed(text);
      return number === null ? text : formulaValue(["number", String(number)], {});
    }
    return kind === "duration" ? minutesOf(text) : text;
  }
  if (Array.isArray(value) && (kind === "photo" || kind === "file")) return value.map((each) => each?.id ?? each);
  return isNull(value) ? null : value;
}

// A row of a table with what its formulas come to.
export function rowFacts(columns, row) {
  const facts = Object.fromEntries(columns.map((column) => [column.key, column.formula ? null : keptValue(column.kind, row[column.key] ?? null)]));
  const formulas = columns.filter((column) => column.formula).sort((one, other) => one.formula_order - other.formula_order);
  for (const column of formulas) facts[column.key] = formulaValue(column.formula, facts);
  return facts;
}

function fieldFact(field, value) {
  if (field.columns && Array.isArray(value)) return value.length ? value.map((row) => rowFacts(field.columns, row)) : null;
  return keptValue(field.kind, value);
}

const ROUNDS = 20;

// A form may call a field otherwise than conditions do.
export const nameOf = (field) => field.name ?? field.key;

function factsOf(fields, entered, hidden) {
  const facts = {};
  for (const field of fields) {
    const isEntered = field.key in entered && !hidden.has(field.key);
    facts[nameOf(field)] = fieldFact(field, isEntered ? entered[field.key] : (field.known ?? null));
  }
  const formulas = fields.filter((field) => field.formula).sort((one, other) => one.formula_order - other.formula_order);
  for (const field of formulas) facts[nameOf(field)] = formulaValue(field.formula, facts);
  return facts;
}

const shows = (condition, facts) => condition === undefined || condition === null || holds(condition, facts);

// Facts and hidden fields once `entered` is added to what the fields know (`known`); formulas are worked out by
// `formula_order`, each after those it needs.
export function answersOf(fields, entered) {
  let hidden = new Set();
  let facts = factsOf(fields, entered, hidden);
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = new Set(fields.filter((field) => !shows(field.section?.visible_when, facts) || !shows(field.visible_when, facts)).map((field) => field.key));
    if (found.size === hidden.size && [...found].every((key) => hidden.has(key))) break;
    hidden = found;
    facts = factsOf(fields, entered, hidden);
  }
  return { facts, hidden };
}
