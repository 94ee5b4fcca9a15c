// Small parts of a ticket that need the browser: the way there, a signature, a link to copy.
import { createElement as h, useEffect, useRef, useState } from "react";
import { Check, Copy, Navigation } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

// Only Android opens geo: links with whatever map is installed; elsewhere they lead nowhere.
function wayTo(lat, lon) {
  const agent = typeof navigator === "undefined" ? "" : navigator.userAgent;
  if (/Android/.test(agent)) return `geo:${lat},${lon}?q=${lat},${lon}`;
  if (/iPhone|iPad|Macintosh/.test(agent)) return `https://maps.apple.com/?daddr=${lat},${lon}`;
  return `https://www.openstreetmap.org/directions?to=${lat}%2C${lon}`;
}

export function NavigateLink({ lat, lon, label, ...rest }) {
  const speak = useLanguage();
  const href = wayTo(lat, lon);
  const away = href.startsWith("https:") ? { target: "_blank", rel: "noopener" } : {};
  return h("a", { ...rest, ...away, className: "tc-btn", href }, h(Navigation, { "aria-hidden": true }), label ?? speak.t("ticket.navigate"));
}

export function SignatureImage({ strokes, label }) {
  return h("svg", { className: "tc-signed", viewBox: "0 0 1000 400", role: "img", "aria-label": label },
    h("path", { d: strokes, fill: "none", stroke: "currentColor", strokeWidth: 5, strokeLinecap: "round", strokeLinejoin: "round" }));
}

export function CopyText({ text, label }) {
  const speak = useLanguage();
  const [copied, setCopied] = useState(false);
  const timer = useRef(null);
  const field = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    // Without HTTPS a browser offers no clipboard; then the text is marked for the user's own keys.
    if (!navigator.clipboard) {
      field.current.select();
      return;
    }
    await navigator.clipboard.writeText(text);
    setCopied(true);
    timer.current = setTimeout(() => setCopied(false), 2000);
  };
  return h("div", { className: "tc-copy" },
    h("input", { ref: field, className: "tc-input", readOnly: true, value: text ?? "", "aria-label": label, onFocus: (event) => event.target.select() }),
    h("button", { type: "button", className: "tc-btn", onClick: copy },
      h(copied ? Check : Copy, { "aria-hidden": true }), h("span", { "aria-live": "polite" }, speak.t(copied ? "copy.done" : "copy.do"))));
}
