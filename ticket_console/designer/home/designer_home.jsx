// Every form and flow of the company: found by name, opened, copied, begun.
import { createElement as h, useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { Ago, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { Dialog, MenuButton } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { Bilingual, Icon, Row, Segmented, Select, TextBox, useInAddress } from "$/public/external/ticket_console/designer/form/form_designer/parts.jsx";
import { freeKey, isKey, slug } from "$/public/external/ticket_console/designer/form/form_designer/fields.js";

const address = (card) => `/designer/${card.kind}s/${card.code}`;

function NewDialog({ asked, cards, shelf, onCreate, onClose }) {
  const speak = useLanguage();
  const [name, setName] = useState({});
  const [code, setCode] = useState("");
  const [source, setSource] = useState("");
  const [start, setStart] = useState("empty");
  const kind = asked?.kind ?? "form";
  const codes = cards.filter((card) => card.kind === kind).map((card) => card.code);
  const copies = cards.filter((card) => card.kind === kind && card.number).map((card) => ({ value: `copy:${card.code}`, label: card.name, is_standard: card.is_standard }));
  const standards = copies.filter((copy) => copy.is_standard);
  const choices = { copy: copies, library: [...standards, ...shelf] };
  useEffect(() => {
    if (!asked) return;
    setName({});
    setCode("");
    setStart(asked.source ? "copy" : "empty");
    setSource(asked.source ?? "");
  }, [asked]);
  const own = code || freeKey(slug(name.en) || kind, codes);
  const isTaken = codes.includes(own);
  const isReady = Object.values(name).some((text) => text?.trim()) && isKey(own) && !isTaken && (start === "empty" || source);
  const from = (next) => {
    setStart(next);
    setSource(next === "empty" ? "" : choices[next][0]?.value ?? "");
  };
  return h(Dialog, { open: Boolean(asked), title: speak.t(kind === "form" ? "designer.new.form" : "designer.new.flow"), onClose },
    h("form", {
      noValidate: true, style: { padding: 0 },
      onSubmit: (event) => {
        event.preventDefault();
        if (isReady) onCreate?.({ kind, code: own, name, source: start === "empty" ? "" : source });
      },
    },
      h(Bilingual, { label: speak.t("designer.new.name"), value: name, limit: 120, onChange: (locale, text) => setName({ ...name, [locale]: text }) }),
      h(Row, { label: speak.t("designer.new.from"), grouped: true }, h(Segmented, {
        label: speak.t("designer.new.from"), value: start, onChange: from,
        options: [{ value: "empty", label: speak.t("designer.new.empty"), icon: "file_text" }, ...(copies.length ? [{ value: "copy", label: speak.t("designer.new.copy"), icon: "copy" }] : []), ...(kind === "form" && choices.library.length ? [{ value: "library", label: speak.t("designer.new.library"), icon: "square_stack" }] : [])],
      })),
      start !== "empty" && h(Row, { label: speak.t("designer.new.which") }, h(Select, { value: source, options: choices[start], onChange: setSource })),
      h(Row, { label: speak.t("designer.new.code"), help: speak.t("designer.new.code.help"), problem: isTaken ? speak.t("designer.new.code.taken", { code: own }) : isKey(own) ? "" : speak.t("form_designer.key.bad") },
        h(TextBox, { value: code, placeholder: own, mono: true, maxLength: 64, onChange: setCode })),
      h("div", { className: "tc-dialog-foot" },
        h("button", { type: "button", className: "tc-btn", onClick: onClose }, speak.t("common.cancel")),
        h("button", { type: "submit", className: "tc-btn", "data-tone": "primary", disabled: !isReady, "data-test": "create" }, speak.t("designer.new.create")))));
}

function Card({ card, lines, onCopy }) {
  const speak = useLanguage();
  const name = speak.label(card.name) || card.code;
  const line = lines.find((each) => each.value === card.line);
  const items = [
    { key: "open", label: speak.t("designer.open"), href: address(card), icon: h(Icon, { name: "square_pen" }) },
    ...(card.number ? [
      { key: "copy", label: speak.t("designer.copy"), icon: h(Icon, { name: "copy" }), onSelect: () => onCopy(card) },
      { key: "yaml", label: speak.t("designer.export"), icon: h(Icon, { name: "download" }), onSelect: () => window.location.assign(`/api/v1/definitions/${card.kind}/${encodeURIComponent(card.code)}`) },
      ...(card.kind === "flow" ? [{ key: "bpmn", label: speak.t("designer.export_bpmn"), icon: h(Icon, { name: "download" }), onSelect: () => window.location.assign(`/api/v1/definitions/flow/${encodeURIComponent(card.code)}?format=bpmn`) }, { key: "bundle", label: speak.t("designer.export_bundle"), icon: h(Icon, { name: "boxes" }), onSelect: () => window.location.assign(`/api/v1/definitions/bundle?flow=${encodeURIComponent(card.code)}`) }] : []),
    ] : []),
  ];
  return h("li", { className: "dh-card", "data-card-code": card.code, "data-kind": card.kind },
    h("header", null, h("span", { className: "fm-kind" }, h(Icon, { name: card.icon || (card.kind === "flow" ? "workflow" : "clipboard_list") })),
      h(Link, { to: address(card), className: "dh-name" }, name),
      h(MenuButton, { label: speak.t("designer.menu", { name }), items, shape: "icon" }, h(Icon, { name: "ellipsis" }))),
    h("p", { className: "dh-facts" },
      card.number ? h("span", { className: "tc-badge" }, speak.t("form_designer.version", { n: card.number })) : h("span", { className: "tc-badge", "data-tone": "warn" }, speak.t("form_designer.unpublished")),
      card.is_standard && h("span", { className: "tc-badge", "data-tone": "violet" }, h(Icon, { name: "bookmark_plus" }), speak.t("designer.standard")),
      line && h("span", { className: "tc-badge", "data-tone": "teal" }, speak.label(line.label)),
      card.kind === "form" && card.number && !card.flow && h("span", { className: "tc-badge", "data-tone": "danger" }, speak.t("designer.no_flow"))),
    h("p", { className: "dh-line" }, h(Icon, { name: "ticket" }), speak.t("form_designer.versions.tickets", { n: card.open_tickets })),
    card.kind === "flow" && h("p", { className: "dh-line" }, h(Icon, { name: "clipboard_list" }), card.used_by.length ? card.used_by.map((each) => speak.label(each)).join(", ") : speak.t("designer.unused")),
    card.at && h("p", { className: "dh-line" }, h(Icon, { name: "rocket" }), h("span", null, h(Ago, { at: card.at }), card.by && ` · ${card.by}`)),
    card.drafts.map((each) => h("p", { key: each.author, className: "dh-line dh-draft" }, h(Icon, { name: "square_pen" }), h("span", null, each.is_mine ? speak.t("designer.my_draft") : speak.t("designer.draft_of", { name: each.author }), " · ", h(Ago, { at: each.at })))));
}

export function DesignerHome({ cards = [], lines = [], shelf = [], onCreate }) {
  const speak = useLanguage();
  const [kind, setKind] = useInAddress("kind");
  const [line, setLine] = useInAddress("line");
  const [wanted, setWanted] = useInAddress("q");
  const [making, setMaking] = useState(null);
  const showAll = () => [setKind, setLine, setWanted].forEach((set) => set(""));
  const found = useMemo(() => {
    const needle = wanted.trim().toLowerCase();
    return cards.filter((card) => (!kind || card.kind === kind) && (!line || card.line === line)
      && (!needle || [card.code, card.name?.zh, card.name?.en].some((text) => text?.toLowerCase().includes(needle))));
  }, [cards, kind, line, wanted]);
  const begin = (of, source) => setMaking({ kind: of, source });
  const groups = (kind ? [kind] : ["form", "flow"]).map((of) => [of, found.filter((card) => card.kind === of)]).filter(([, members]) => members.length > 0);
  const count = (of) => cards.filter((card) => card.kind === of).length;

  return h("div", { className: "dh", "data-test": "designer-home" },
    h("div", { className: "dh-bar", role: "search", "aria-label": speak.t("designer.find") },
      h("label", { className: "tc-search" }, h(Icon, { name: "search" }), h("input", { type: "search", className: "tc-input", "data-search": true, value: wanted, placeholder: speak.t("designer.find"), "aria-label": speak.t("designer.find"), onChange: (event) => setWanted(event.target.value) })),
      h(Segmented, {
        label: speak.t("designer.kind"), value: kind, onChange: setKind,
        options: [{ value: "", label: speak.t("designer.all") }, { value: "form", label: speak.t("designer.forms", { n: count("form") }), icon: "clipboard_list" }, { value: "flow", label: speak.t("designer.flows", { n: count("flow") }), icon: "workflow" }],
      }),
      h("span", { className: "dh-lines" }, h(Select, { value: line, empty: speak.t("designer.every_line"), options: lines, "aria-label": speak.t("form_designer.face.line"), onChange: setLine })),
      h("span", { className: "fm-gap" }),
      h("button", { type: "button", className: "tc-btn", onClick: () => begin("flow"), "data-test": "new-flow" }, h(Icon, { name: "workflow" }), speak.t("designer.new.flow")),
      h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => begin("form"), "data-test": "new-form" }, h(Icon, { name: "plus" }), speak.t("designer.new.form"))),
    found.length > 0
      ? groups.map(([of, members]) => h("section", { key: of, className: "dh-group", "aria-label": speak.t(`designer.kind.${of}`) },
        h("h2", null, speak.t(`designer.kind.${of}`), h("span", { className: "fm-count" }, members.length)),
        h("ul", { className: "dh-cards" }, members.map((card) => h(Card, { key: `${card.kind}:${card.code}`, card, lines, onCopy: (each) => begin(each.kind, `copy:${each.code}`) })))))
      : cards.length === 0
        ? h("div", { className: "tc-empty" }, h(Icon, { name: "clipboard_list" }), h("strong", null, speak.t("designer.none")), h("p", null, speak.t("designer.none.text")),
          h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => begin("form") }, h(Icon, { name: "plus" }), speak.t("designer.new.form")))
        : h("div", { className: "tc-empty" }, h(Icon, { name: "search" }), h("strong", null, speak.t("designer.nothing_found")),
          h("button", { type: "button", className: "tc-btn", onClick: showAll }, speak.t("designer.show_all"))),
    h(NewDialog, { asked: making, cards, shelf, onCreate, onClose: () => setMaking(null) }));
}
