// The open branches of the viewer's regions, and the form that begins one.
import { createElement as h, useId, useState } from "react";
import { Link } from "react-router";
import { FlaskConical, Plus, Trash2 } from "lucide-react";
import { Ago, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

function Begin({ choices, onBegin }) {
  const speak = useLanguage();
  const id = useId();
  const [name, setName] = useState("");
  const [region, setRegion] = useState("");
  const submit = (event) => {
    event.preventDefault();
    if (name.trim()) onBegin(Number(region || choices[0]?.value || 0), name.trim());
  };
  return h("form", { className: "tc-card sb-begin", onSubmit: submit },
    h("h2", null, speak.t("sandbox.begin.title")),
    h("p", { className: "tc-help" }, speak.t("sandbox.begin.text")),
    h("div", { className: "sb-begin-fields" },
      h("div", { className: "tc-field" }, h("label", { htmlFor: `${id}-name` }, speak.t("sandbox.name")),
        h("input", { id: `${id}-name`, className: "tc-input", required: true, maxLength: 80, value: name, placeholder: speak.t("sandbox.name.hint"), onChange: (event) => setName(event.target.value) })),
      h("div", { className: "tc-field" }, h("label", { htmlFor: `${id}-region` }, speak.t("sandbox.region")),
        h("select", { id: `${id}-region`, className: "tc-select", value: region || choices[0]?.value, onChange: (event) => setRegion(event.target.value) },
          choices.map((choice) => h("option", { key: choice.value, value: choice.value }, speak.label(choice.label))))),
      h("button", { type: "submit", className: "tc-btn", "data-tone": "primary", disabled: !name.trim() || choices.length === 0 }, h(Plus, { "aria-hidden": true }), speak.t("sandbox.begin"))));
}

export function Branches({ branches, choices, onBegin, onDiscard }) {
  const speak = useLanguage();
  return h("div", { className: "sb-list" },
    h(Begin, { choices, onBegin }),
    branches.length === 0
      ? h("div", { className: "tc-empty" }, h(FlaskConical, { "aria-hidden": true }), h("h2", null, speak.t("sandbox.none")), h("p", null, speak.t("sandbox.none.text")))
      : h("ul", { className: "sb-branches" }, branches.map((each) => h("li", { key: each.id, className: "tc-card", "data-branch": each.id },
        h("div", { className: "sb-branch" },
          h(Link, { to: `/sandbox?branch=${each.id}`, className: "sb-branch-name" }, each.name),
          h("span", { className: "tc-help" }, speak.label(each.region), " · ", each.mine ? speak.t("sandbox.mine") : speak.t("sandbox.of", { who: each.owner }), " · ", h(Ago, { at: each.created }))),
        h("span", { className: "tc-badge", "data-tone": each.moves ? "accent" : undefined }, speak.t("sandbox.moves.n", { n: each.moves })),
        each.mine && h("button", { type: "button", className: "tc-btn", "data-tone": "quiet", "data-shape": "icon", "aria-label": speak.t("sandbox.discard.of", { name: each.name }), title: speak.t("sandbox.discard"), onClick: () => onDiscard(each.id) }, h(Trash2, { "aria-hidden": true }))))));
}
