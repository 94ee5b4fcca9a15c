// Definitions from a file: what would change, what is missing, and what became of each element of a process.
import { createElement as h, useRef, useState } from "react";
import { Link } from "react-router";
import { Download, Upload } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

const ROOT = "/api/v1/definitions";
const TONES = { new: "ok", changed: "warn", same: "neutral", converted: "warn", added: "ok", dropped: "danger", tool: "neutral" };

async function send(path, file, accepted) {
  const body = new FormData();
  body.append("file", file, file.name);
  if (accepted) body.append("accepted", JSON.stringify(accepted));
  const answer = await fetch(ROOT + path, { method: "POST", body });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw told;
  return told;
}

const HEADING = { fontSize: 16, fontWeight: 600 };
const slug = (name) => name.replace(/\.(bpmn|xml)$/i, "").replace(/[^A-Za-z0-9_.-]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 64) || "process";
const isBpmn = (file) => /\.(bpmn|xml)$/i.test(file.name);

function Problems({ problems }) {
  return problems.length > 0 && h("ul", { className: "tc-note", "data-tone": "danger", role: "alert" },
    problems.map((each, index) => h("li", { key: index }, each.path && h("code", null, each.path), " ", each.title)));
}

function Refusal({ told }) {
  const speak = useLanguage();
  return h("div", { className: "tc-stack", role: "alert" },
    h("div", { className: "tc-note", "data-tone": "danger" }, told.title ?? speak.t("exchange.failed")),
    h(Problems, { problems: told.problems ?? [] }));
}

function Change({ item }) {
  const speak = useLanguage();
  return h("li", { className: "tc-card", style: { padding: 12 } },
    h("div", { style: { display: "flex", gap: 8, flexWrap: "wrap", alignItems: "center" } },
      h("span", { className: "tc-badge", "data-tone": TONES[item.change] }, speak.t(`exchange.change.${item.change}`)),
      h("span", null, speak.t(`exchange.kind.${item.kind}`)),
      speak.label(item.name) && h("strong", null, speak.label(item.name)),
      h("code", null, item.code),
      h("code", { title: item.hash, className: "tc-help" }, item.hash.slice(0, 12))),
    item.diff.length > 0 && h("details", null,
      h("summary", null, speak.t("exchange.diff")),
      h("pre", { style: { overflowX: "auto", fontSize: 12, margin: 0 }, tabIndex: 0 }, item.diff.map((line, index) =>
        h("span", { key: index, "data-line": line[0], style: { display: "block", background: line[0] === "+" ? "var(--green-3)" : line[0] === "-" ? "var(--red-3)" : undefined } }, line)))));
}

// One line of how a ticket goes: where it stood and whereto it left, or who has a step.
const said = (part) => part && [part.node, part.how, part.who, part.stage, part.status, part.end, ...(part.edges ?? [])].filter(Boolean).join(" · ");

function Failing({ tests, reasons, onReason }) {
  const speak = useLanguage();
  return h("section", { className: "tc-note tc-stack", "data-tone": "danger", "data-test": "failing" },
    h("strong", null, speak.t("exchange.failing")),
    h("p", null, speak.t("exchange.failing.hint")),
    tests.map((each) => {
      const key = `${each.flow} ${each.name}`;
      return h("div", { key, className: "tc-stack" },
        h("p", null, speak.t("exchange.failing.expected"), ": ", h("code", null, said(each.expected) || speak.t("exchange.failing.nothing")),
          h("br"), speak.t("exchange.failing.actual"), ": ", h("code", null, said(each.actual) || speak.t("exchange.failing.nothing"))),
        h("label", { className: "tc-field" }, h("span", null, speak.t("exchange.failing.reason", { name: each.name, ticket: each.ticket_no })),
          h("input", { className: "tc-input", value: reasons[key] ?? "", maxLength: 300, required: true, onChange: (event) => onReason(key, event.target.value) })));
    }));
}

function acceptedOf(tests, reasons) {
  const accepted = {};
  for (const each of tests) (accepted[each.flow] ??= {})[each.name] = reasons[`${each.flow} ${each.name}`];
  return accepted;
}

function Preview({ file, shown, onDone, onRefused }) {
  const speak = useLanguage();
  const [busy, setBusy] = useState(false);
  const [reasons, setReasons] = useState({});
  const isAccepted = shown.failing.every((each) => reasons[`${each.flow} ${each.name}`]?.trim());
  const isNews = shown.items.some((item) => item.change !== "same");
  const confirm = async () => {
    setBusy(true);
    try {
      onDone(await send(`?token=${shown.token}`, file, shown.failing.length > 0 && acceptedOf(shown.failing, reasons)));
    } catch (told) {
      onRefused(told);
    } finally {
      setBusy(false);
    }
  };
  return h("section", { className: "tc-stack", "data-test": "preview" },
    h("h2", { style: HEADING }, speak.t("exchange.preview")),
    h("ul", { className: "tc-stack", style: { listStyle: "none", padding: 0 } }, shown.items.map((item) => h(Change, { key: `${item.kind} ${item.code}`, item }))),
    shown.missing.length > 0 && h("ul", { className: "tc-note", "data-tone": "danger", role: "alert" },
      shown.missing.map((each, index) => h("li", { key: index }, speak.t("exchange.missing_for", { kind: `exchange.kind.${each.kind}`, code: each.code, by: each.wanted_by })))),
    h(Problems, { problems: shown.problems }),
    shown.failing.length > 0 && h(Failing, { tests: shown.failing, reasons, onReason: (key, text) => setReasons({ ...reasons, [key]: text }) }),
    isNews
      ? h("button", { type: "button", className: "tc-btn", style: { alignSelf: "start" }, "data-tone": "primary", disabled: busy || !shown.is_possible || !isAccepted, onClick: confirm, "data-test": "import" }, speak.t("exchange.import"))
      : h("p", { className: "tc-note" }, speak.t("exchange.nothing_new")));
}

function Report({ made }) {
  const speak = useLanguage();
  return h("section", { className: "tc-stack", "data-test": "report" },
    h("h2", { style: HEADING }, speak.t("exchange.report")),
    h("p", null, speak.t(made.is_whole ? "exchange.report.whole" : "exchange.report.remarks", { n: made.remarks.length, nodes: made.nodes }), " ",
      h(Link, { className: "tc-btn", to: `/designer/flows/${made.code}` }, speak.t("exchange.report.open"))),
    made.remarks.length > 0 && h("div", { style: { overflowX: "auto" }, tabIndex: 0 }, h("table", { className: "tc-table", style: { minWidth: 560 } },
      h("thead", null, h("tr", null, ["what", "element", "name", "happened"].map((column) => h("th", { key: column, scope: "col" }, speak.t(`exchange.report.${column}`))))),
      h("tbody", null, made.remarks.map((each, index) => h("tr", { key: index },
        h("td", null, h("span", { className: "tc-badge", "data-tone": TONES[each.outcome] }, speak.t(`exchange.outcome.${each.outcome}`))),
        h("td", null, h("code", null, each.element), each.line && h("span", { className: "tc-help" }, ` ${speak.t("exchange.report.line", { line: each.line })}`)),
        h("td", null, each.name || each.id),
        h("td", null, each.title)))))),
    made.problems.length > 0 && h("h3", { style: HEADING }, speak.t("exchange.report.problems")),
    h(Problems, { problems: made.problems }));
}

export function Exchange() {
  const speak = useLanguage();
  const input = useRef(null);
  const [state, setState] = useState({});
  const [code, setCode] = useState("");
  const take = async (file) => {
    if (!file) return;
    setState({ busy: true });
    try {
      if (isBpmn(file)) setState({ made: await send(`/flow/${encodeURIComponent(code || slug(file.name))}/bpmn`, file) });
      else setState({ file, shown: await send("/preview", file) });
    } catch (told) {
      setState({ refused: told });
    }
  };
  return h("div", { className: "tc-stack", style: { "--gap": "16px" } },
    h("section", { className: "tc-card tc-stack", style: { padding: 16 } },
      h("h2", { style: HEADING }, speak.t("exchange.take_in")),
      h("p", { className: "tc-help" }, speak.t("exchange.take_in.hint")),
      h("label", { className: "tc-field" }, h("span", null, speak.t("exchange.code")),
        h("input", { className: "tc-input", value: code, maxLength: 64, pattern: "[A-Za-z0-9_.\\-]*", onChange: (event) => setCode(event.target.value) })),
      h("input", {
        ref: input, type: "file", accept: ".yaml,.yml,.zip,.bpmn,.xml", className: "tc-sr", tabIndex: -1, "aria-label": speak.t("exchange.choose"),
        onChange: (event) => {
          const [file] = event.target.files;
          event.target.value = "";
          take(file);
        },
      }),
      h("div", { style: { display: "flex", gap: 8, flexWrap: "wrap" } },
        h("button", { type: "button", className: "tc-btn", "data-tone": "primary", disabled: Boolean(state.busy), onClick: () => input.current.click() }, h(Upload, { "aria-hidden": true, size: 16 }), speak.t("exchange.choose")),
        h("a", { className: "tc-btn", href: `${ROOT}/bundle`, download: "" }, h(Download, { "aria-hidden": true, size: 16 }), speak.t("exchange.everything")))),
    h("div", { "aria-live": "polite" },
      state.refused && h(Refusal, { told: state.refused }),
      state.shown && h(Preview, { file: state.file, shown: state.shown, onDone: (items) => setState({ done: items }), onRefused: (told) => setState({ refused: told }) }),
      state.done && h("p", { className: "tc-note", "data-tone": "ok" }, speak.t("exchange.done", { n: state.done.filter((item) => item.change !== "same").length })),
      state.made && h(Report, { made: state.made })));
}
