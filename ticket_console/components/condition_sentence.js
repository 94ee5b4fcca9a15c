// A condition in words while it is being written: what `kernel/condition_sentences.py` says of it on the server,
// from the same table of words.
const LISTED = new Set(["in", "notIn", "between"]);
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const INSTANT = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]+)?Z$/;

const put = (pattern, name, text) => pattern.replace(`{${name}}`, () => text);
const isGroup = (part) => part.rules !== undefined;
const partsOf = (tree) => (Array.isArray(tree.rules) ? tree.rules.filter((rule) => rule && typeof rule === "object") : []);

export function operandList(value) {
  if (typeof value === "string") return value.split(",").map((part) => part.trim()).filter(Boolean);
  return Array.isArray(value) ? value : [];
}

function grouped(number) {
  const [whole, behind = ""] = number.replace(/^-/, "").split(".");
  return `${number.startsWith("-") ? "-" : ""}${whole.replace(/(?<=[0-9])(?=([0-9]{3})+$)/g, ",")}.${behind.padEnd(2, "0")}`;
}

// An instant on the clock of a zone: its date as text, and hours and minutes; null for one that there is not.
function clockOf(text, zone) {
  const at = new Date(`${text.slice(0, 16)}:00Z`);
  // A browser would read the thirtieth of February as a day in March.
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 16) !== text.slice(0, 16)) return null;
  const options = { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  const part = Object.fromEntries(new Intl.DateTimeFormat("en", options).formatToParts(at).map(({ type, value }) => [type, value]));
  const day = `${part.year.padStart(4, "0")}-${part.month}-${part.day}`;
  return DATE.test(day) ? { day, time: `${part.hour}:${part.minute}` } : null;
}

// `labels` names fields by key and values by "field=value", as {zh, en}; `kinds` are the kinds of the fields, `zone`
// is where the clock hangs on which instants are read.
export function sentence(tree, { labels, kinds, zone = "UTC" }, locale, { words: tables, spoken_as: spokenAs }) {
  const words = tables[locale] ?? tables.en;
  const pick = (label) => label?.[locale] || ["zh", "en"].map((other) => label?.[other]).find(Boolean) || "";
  const quoted = (text) => put(words.quoted, "text", text);

  const joined = (said, joiner) => (said.length < 2 ? said.join("")
    : said.slice(0, -1).join(words[joiner]) + words[`${joiner}_last`] + said[said.length - 1]);

  const dateText = (text) => {
    const found = DATE.exec(text);
    if (!found || !(found[2] >= 1 && found[2] <= 12)) return null;
    const months = (words.months ?? "").split(" ").filter(Boolean);
    const month = months.length ? months[found[2] - 1] : String(Number(found[2]));
    return put(put(put(words.date, "year", found[1]), "month", month), "day", String(Number(found[3])));
  };

  const valueText = (field, kind, value) => {
    if (value === null || value === undefined || value === "") return words.nothing;
    if (typeof value === "boolean" || (kind === "yes_no" && (value === "true" || value === "false"))) return words[String(value)];
    const text = String(value);
    const label = pick(labels[`${field}=${text}`]);
    if (label) return quoted(label);
    if (NUMBER.test(text)) return kind === "money" ? grouped(text) : text;
    const clock = INSTANT.test(text) ? clockOf(text, zone) : null;
    if (clock) return put(put(put(words.datetime, "date", dateText(clock.day)), "time", clock.time), "zone", zone);
    return dateText(text) ?? quoted(text);
  };

  const ruleText = (rule) => {
    const field = String(rule.field || "");
    const operator = String(rule.operator || "=");
    const kind = kinds[field] ?? "text";
    const operands = LISTED.has(operator) ? operandList(rule.value) : [rule.value];
    const named = operands.length ? operands.map((each) => valueText(field, kind, each)) : [words.nothing];
    const pattern = words[`${operator}:${spokenAs[kind] ?? "text"}`] ?? words[operator] ?? `{field} ${operator} {value}`;
    const parts = {
      field: pick(labels[field]) || field || words.nothing,
      value: joined(named, "list"),
      low: named[0],
      high: named.length > 1 ? named[1] : words.nothing,
    };
    return pattern.replace(/\{(field|value|low|high)\}/g, (_, name) => parts[name]);
  };

  const inside = (part, isLast, alone) => {
    if (!isGroup(part)) return ruleText(part);
    const text = groupText(part);
    const parts = partsOf(part);
    if (alone || parts.length < 2 || part.not === true) return text;
    const plain = isLast && !parts.some(isGroup);
    const form = plain ? (part.combinator === "or" ? "either" : "both") : "group";
    return put(words[form], "group", text);
  };

  function groupText(group) {
    const parts = partsOf(group);
    const last = parts.length - 1;
    const said = parts.map((part, index) => inside(part, index === last, last === 0));
    const text = joined(said, group.combinator === "or" ? "or" : "and");
    return group.not === true ? put(words[said.length === 1 ? "not" : "not_group"], "group", text) : text;
  }

  return isGroup(tree) ? groupText(tree) : ruleText(tree);
}
