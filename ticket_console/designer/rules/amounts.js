// Amounts as rules keep them, in minor units, and as people write them. Exact: numbers stay text throughout.
const PLAIN = /^-?[0-9]+(\.[0-9]+)?$/;

// Digits, points and signs as Chinese input methods and spreadsheets write them.
export const tidy = (text) => String(text ?? "").trim().replace(/[０-９]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0)).replace(/[。．]/g, ".").replace(/[−－–]/g, "-").replace(/[,，\s]/g, "").replace(/^[¥￥$€]/, "");

function shifted(text, by) {
  const number = tidy(text);
  // What is no number stays as it was written: the server says what is wrong with it.
  if (!PLAIN.test(number)) return number;
  const sign = number.startsWith("-") ? "-" : "";
  const [whole, behind = ""] = number.replace("-", "").split(".");
  const digits = whole + behind;
  const point = whole.length + by;
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const place = Math.max(point, 1);
  const left = padded.slice(0, place).replace(/^0+(?=[0-9])/, "");
  const right = padded.slice(place).replace(/0+$/, "");
  const shown = right ? `${left}.${right}` : left;
  return /^0(\.0*)?$/.test(shown) ? "0" : sign + shown;
}

export const placesOf = (currency) => new Intl.NumberFormat("en", { style: "currency", currency: currency || "CNY" }).resolvedOptions().maximumFractionDigits;
export const toMajor = (minor, currency) => shifted(minor, -placesOf(currency));
export const toMinor = (major, currency) => shifted(major, placesOf(currency));

// With the places of the currency, as an amount is read.
export function written(minor, currency) {
  const places = placesOf(currency);
  const major = toMajor(minor, currency);
  if (!PLAIN.test(major) || !places) return major;
  const [whole, behind = ""] = major.split(".");
  return `${whole}.${behind.padEnd(places, "0")}`;
}

const ITEMS = new Set(["parts", "tools"]);
// Whether the value of an operation is money; else it is a factor or a percentage.
export const isMoney = (op, unit) => ["add", "cap", "floor", "tier"].includes(op) || (op === "per_unit" && !ITEMS.has(unit));
