// What a field will look like, in small and without doing anything: it stands on the cards of the canvas.
import { createElement as h } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Icon } from "./parts.jsx";

const SHOWN = 6;
const IN_BOX = { date: "calendar", datetime: "calendar_clock", person: "user_round", customer: "contact_round", asset: "hard_drive", part: "package", address: "map_pin_house", scan: "scan_line", phone: "phone", location: "map_pin", duration: "timer" };

function Chips({ options = [] }) {
  const speak = useLanguage();
  const more = options.length - SHOWN;
  return h("span", { className: "fm-chips" },
    options.slice(0, SHOWN).map((option) => h("span", { key: option.value, className: "fm-chip", "data-colour": option.colour }, speak.label(option.label) || option.value)),
    more > 0 && h("span", { className: "fm-chip", "data-more": true }, `+${more}`),
    options.length === 0 && h("span", { className: "fm-chip", "data-more": true }, speak.t("form_designer.options.none")));
}

function Box({ icon, text, tall }) {
  return h("span", { className: "fm-box", "data-tall": tall || undefined }, h("span", null, text), icon && h(Icon, { name: icon }));
}

const shownDefault = (field) => (field.default === undefined || field.default === null || typeof field.default === "object" ? "" : String(field.default));

export function Sketch({ field, icon }) {
  const speak = useLanguage();
  switch (field.kind) {
    case "heading":
      return speak.label(field.help) ? h("span", { className: "fm-sketch-text" }, speak.label(field.help)) : null;
    case "long_text":
      return h(Box, { text: shownDefault(field), tall: true });
    case "choice":
    case "multi_choice":
      return h(Chips, { options: field.options });
    case "yes_no":
      return h("span", { className: "fm-chips" }, h("span", { className: "fm-chip" }, speak.t("common.yes")), h("span", { className: "fm-chip" }, speak.t("common.no")));
    case "rating":
      return h("span", { className: "fm-stars" }, [1, 2, 3, 4, 5].map((each) => h(Icon, { key: each, name: "star" })));
    case "photo":
    case "file":
    case "signature":
      return h("span", { className: "fm-drop" }, h(Icon, { name: icon }));
    case "checklist":
      return h("span", { className: "fm-ticks" }, (field.items ?? []).slice(0, SHOWN).map((item) => h("span", { key: item.key }, h("i"), speak.label(item.text))));
    case "table":
      return h("span", { className: "fm-columns" }, (field.columns ?? []).map((column) => h("span", { key: column.key }, speak.label(column.label))));
    case "formula":
      return h("span", { className: "fm-formula" }, h("b", null, "="), field.formula || "…", field.unit);
    case "lookup":
      return h(Box, { icon: "radio_tower", text: field.lookup?.url ?? "" });
    default:
      return h(Box, { icon: IN_BOX[field.kind], text: [shownDefault(field), field.unit].filter(Boolean).join(" ") });
  }
}
