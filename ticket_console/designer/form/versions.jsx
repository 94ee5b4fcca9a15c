// Every version that was in use: when, by whom, what changed between any two, and the tickets that follow it.
import { createElement as h, useEffect, useState } from "react";
import { Moment, useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { ReasonDialog } from "$/public/external/ticket_console/components/overlay/overlay.jsx";
import { Changes } from "./changes.jsx";
import { Icon, Select } from "./parts.jsx";
import { freshId } from "./use_draft.js";

const DRAFT = "draft";

export function VersionsTab({ draft, answers, onVersions, onCompare, onRollBack, onStandard }) {
  const speak = useLanguage();
  const [pair, setPair] = useState(null);
  const [returning, setReturning] = useState(null);
  const told = answers.versions?.code === draft.draft.code ? answers.versions : null;
  const versions = told?.versions ?? [];
  useEffect(() => {
    onVersions?.({ code: draft.draft.code });
  }, [draft.draft.id, answers.published]);
  useEffect(() => {
    if (!pair && versions.length > 0) setPair({ left: String(versions[0].id), right: DRAFT });
  }, [told]);
  useEffect(() => {
    if (pair && draft.isSaved) onCompare?.({ draft_id: draft.draft.id, left: pair.left, right: pair.right });
  }, [pair, draft.isSaved, draft.seq]);
  const diff = answers.compare && pair && answers.compare.left === pair.left && answers.compare.right === pair.right ? answers.compare : null;
  const options = [{ value: DRAFT, label: speak.t("form_designer.versions.draft") }, ...versions.map((version) => ({ value: String(version.id), label: speak.t("form_designer.version", { n: version.number }) }))];

  if (told && versions.length === 0) {
    return h("div", { className: "fm-page" }, h("div", { className: "tc-empty" }, h(Icon, { name: "history" }), h("strong", null, speak.t("form_designer.versions.none")), h("p", null, speak.t("form_designer.versions.none.text"))));
  }
  return h("div", { className: "fm-page fm-versions" },
    h("section", { className: "tc-card" }, h("header", null, h("h2", null, speak.t("form_designer.tab.versions"))),
      h("div", { className: "tc-card-body", "data-flush": "true" }, !told ? h("div", { className: "tc-card-body" }, h("div", { className: "tc-bone", style: { "--height": "60px" } })) : h("ol", { className: "fm-version-list" }, versions.map((version, at) => h("li", { key: version.id, "data-current": version.is_current || undefined },
        h("div", { className: "fm-version-line" },
          h("strong", null, speak.t("form_designer.version", { n: version.number })),
          version.is_current && h("span", { className: "tc-badge", "data-tone": "ok" }, speak.t("form_designer.versions.current")),
          h("span", { className: "fm-gap" }),
          h("span", { className: "fm-version-tickets", title: speak.t("form_designer.versions.tickets.title") }, h(Icon, { name: "ticket" }), speak.t("form_designer.versions.tickets", { n: version.open_tickets }))),
        h("p", { className: "tc-help" }, h(Moment, { at: version.at }), version.by && ` · ${version.by}`, version.authors?.length > 0 && ` · ${speak.t("form_designer.publish.authors", { names: version.authors.join(", ") })}`),
        version.note && h("p", null, version.note),
        version.again?.at && h("p", { className: "fm-version-again" }, h(Icon, { name: "rotate_ccw" }), h("span", null, speak.t("form_designer.versions.again"), " ", h(Moment, { at: version.again.at }), ` · ${version.again.by}`, version.again.note && ` · ${version.again.note}`)),
        h("div", { className: "tc-row" },
          versions[at + 1] && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => setPair({ left: String(versions[at + 1].id), right: String(version.id) }) }, h(Icon, { name: "git_compare_arrows" }), speak.t("form_designer.versions.changes")),
          !version.is_current && h("button", { type: "button", className: "tc-btn", "data-size": "small", onClick: () => setReturning({ ...version, command: freshId() }) }, h(Icon, { name: "rotate_ccw" }), speak.t("form_designer.versions.roll_back")))))))),
    h("section", { className: "tc-card" }, h("header", null, h("h2", null, speak.t("form_designer.versions.compare"))),
      h("div", { className: "tc-card-body" },
        pair && h("div", { className: "fm-compare" },
          h(Select, { value: pair.left, options, "aria-label": speak.t("form_designer.versions.left"), onChange: (left) => setPair({ ...pair, left }) }),
          h(Icon, { name: "arrow_right" }),
          h(Select, { value: pair.right, options, "aria-label": speak.t("form_designer.versions.right"), onChange: (right) => setPair({ ...pair, right }) })),
        pair && (diff ? h(Changes, { changes: diff.changes }) : h("div", { className: "tc-bone", style: { "--height": "60px" } })))),
    h("section", { className: "tc-card" }, h("header", null, h("h2", null, speak.t("form_designer.reuse"))),
      h("div", { className: "tc-card-body tc-stack" }, h("p", { className: "tc-help" }, speak.t("form_designer.reuse.text")),
        h("div", { className: "tc-row" },
          h("button", { type: "button", className: "tc-btn", onClick: onStandard }, h(Icon, { name: "bookmark_plus" }), speak.t("form_designer.standard"))))),
    h(ReasonDialog, {
      open: returning !== null, title: speak.t("form_designer.versions.roll_back.title", { n: returning?.number ?? 0 }), text: speak.t("form_designer.versions.roll_back.text"), reasonLabel: speak.t("form_designer.publish.note"), confirmLabel: speak.t("form_designer.versions.roll_back"),
      onConfirm: (note) => {
        onRollBack?.({ code: draft.draft.code, version_id: returning.id, command_id: returning.command, note });
        setReturning(null);
      },
      onCancel: () => setReturning(null),
    }));
}
