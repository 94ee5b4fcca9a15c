// A condition in words, as the builder says it below itself.
import { sentence } from "$/public/external/ticket_console/components/condition_builder/condition_sentence.js";
import tables from "$/public/external/ticket_console/components/condition_builder/condition_words.json";

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const NONE = Object.freeze([]);
const namings = new WeakMap();

// How fields and their values are called, worked out once for a list of fields.
function naming(fields) {
  if (!namings.has(fields)) {
    const labels = {};
    const kinds = {};
    for (const field of fields) {
      labels[field.value] = field.label;
      kinds[field.value] = field.kind;
      for (const option of field.options ?? []) labels[`${field.value}=${option.value}`] = option.label;
    }
    namings.set(fields, { labels, kinds, zone: OWN_ZONE });
  }
  return namings.get(fields);
}

export const guardText = (speak, tree, words = {}) => (tree?.rules?.length ? sentence(tree, naming(words.conditions ?? NONE), speak.name, tables) : "");
