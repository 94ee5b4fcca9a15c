// A condition in words, short enough for an edge. The server says the same in `kernel/conditions.py`.
const listed = (value) => (Array.isArray(value) ? value : String(value ?? "").split(","));

export function guardText(speak, tree, words = {}) {
  if (!tree?.rules?.length) return "";
  const parts = tree.rules.map((rule) => (rule.rules ? `(${guardText(speak, rule, words)})` : ruleText(speak, rule, words)));
  const text = parts.join(speak.t(`flow_designer.condition.${tree.combinator === "or" ? "or" : "and"}`));
  return tree.not ? speak.t("flow_designer.condition.not", { what: text }) : text;
}

function ruleText(speak, { field, operator, value }, words) {
  const known = words.fields?.find((each) => each.value === field);
  const label = speak.label(known?.label) || field;
  const said = (each) => speak.label(known?.options?.find((option) => option.value === each)?.label) || (typeof each === "boolean" ? speak.t(each ? "flow_designer.answer.yes" : "flow_designer.answer.no") : String(each ?? ""));
  const shown = operator === "between" ? listed(value).map(said).join(" – ") : listed(value).map(said).join(", ");
  const sign = { "=": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥" }[operator];
  if (sign) return `${label} ${sign} ${typeof value === "object" ? shown : said(value)}`;
  return speak.t(`flow_designer.operator.${operator}`, { field: label, value: shown });
}
