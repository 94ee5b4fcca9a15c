// The form as somebody will meet it: any role, at any node of its flow, on a desk or in a hand.
import { createElement as h, useEffect, useRef, useState } from "react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";
import { TemplateForm } from "$/public/external/ticket_console/components/form/form.jsx";
import { Icon, Segmented, Select } from "./parts.jsx";

const KEPT = "tc_form_preview";
const kept = () => {
  try {
    return JSON.parse(window.sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
};

export function PreviewTab({ draft, choices, preview, onPreview }) {
  const speak = useLanguage();
  const [asked, setAsked] = useState(() => ({ role: "agent", node: "", device: "desk", ...kept() }));
  const [sent, setSent] = useState(null);
  const ask = useRef(onPreview);
  ask.current = onPreview;
  const set = (change) => {
    setSent(null);
    setAsked((before) => {
      const next = { ...before, ...change };
      window.sessionStorage.setItem(KEPT, JSON.stringify(next));
      return next;
    });
  };
  // What is shown is what the server would show of what it has, so it is asked once it has everything.
  useEffect(() => {
    if (draft.isSaved) ask.current?.({ draft_id: draft.draft.id, role: asked.role, node: asked.node });
  }, [draft.isSaved, draft.seq, asked.role, asked.node]);

  const isReady = preview.role === asked.role && preview.node === asked.node && preview.draft_id === draft.draft.id;
  const isFresh = isReady && preview.seq === draft.seq && draft.isSaved;
  const nodes = [{ value: "", label: speak.t("form_designer.preview.opening") }, ...(preview.nodes ?? [])];
  const fields = isReady ? preview.fields ?? [] : [];
  const shown = fields.filter((field) => !field.aid);
  return h("div", { className: "fm-preview" },
    h("div", { className: "fm-preview-bar", role: "toolbar", "aria-label": speak.t("form_designer.tab.preview") },
      h("label", null, h("span", null, speak.t("form_designer.preview.role")), h(Select, { value: asked.role, options: choices.viewers ?? [], onChange: (role) => set({ role }) })),
      h("label", null, h("span", null, speak.t("form_designer.preview.node")), h(Select, { value: asked.node, options: nodes, onChange: (node) => set({ node }) })),
      h(Segmented, {
        label: speak.t("form_designer.preview.device"), value: asked.device, onChange: (device) => set({ device }),
        options: [{ value: "desk", label: speak.t("form_designer.preview.desk"), icon: "monitor" }, { value: "phone", label: speak.t("form_designer.preview.phone"), icon: "smartphone" }],
      }),
      h("span", { className: "fm-gap" }),
      isReady && h("span", { className: "fm-preview-sum" }, speak.t("form_designer.preview.sum", { shown: shown.length, writable: shown.filter((field) => field.writable !== false).length, hidden: (preview.unseen ?? []).length }))),
    h("div", { className: "fm-stage", "data-device": asked.device, "aria-busy": !isFresh },
      h("div", { className: "fm-device" },
        asked.device === "phone" && h("div", { className: "fm-notch", "aria-hidden": true }),
        h("div", { className: "fm-screen" },
          h("header", null, h("span", { className: "fm-kind" }, h(Icon, { name: draft.document.face?.icon || "clipboard_list" })), h("strong", null, speak.label(draft.document.face?.name) || draft.draft.code)),
          !isReady
            ? h("div", { className: "tc-stack" }, [0, 1, 2].map((each) => h("div", { key: each, className: "tc-bone", style: { "--height": "48px" } })))
            : shown.length === 0
              ? h("div", { className: "tc-empty" }, h(Icon, { name: "eye_off" }), h("strong", null, speak.t("form_designer.preview.nothing")), h("p", null, speak.t("form_designer.preview.nothing.text")))
              : h(TemplateForm, {
                key: `${asked.role}:${asked.node}`, fields, draftKey: `preview:${draft.draft.id}:${asked.role}:${asked.node}`, uploadUrl: "", searchUrl: "/api/v1/records", problems: {},
                actions: [{ key: "send", label: speak.t("form_designer.preview.send"), tone: "primary" }], onSubmit: ({ values }) => setSent(values),
              }),
          sent && h("div", { className: "tc-note", "data-tone": "ok", role: "status" }, h(Icon, { name: "circle_check" }), h("div", null, h("strong", null, speak.t("form_designer.preview.sent")), h("pre", { className: "fm-sent" }, JSON.stringify(sent, null, 2))))))),
    isReady && (preview.unseen ?? []).length > 0 && h("footer", { className: "fm-unseen" }, h(Icon, { name: "eye_off" }), h("span", null, speak.t("form_designer.preview.unseen")),
      preview.unseen.map((each) => h("span", { key: each.key, className: "fm-chip", title: each.key }, speak.label(each.label) || each.key))));
}
