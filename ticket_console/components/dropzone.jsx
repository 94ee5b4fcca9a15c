// A large area to drop one file on, or to choose it; it is sent at once, and what was answered is told.
import { createElement as h, useRef, useState } from "react";
import { FileSpreadsheet, Upload } from "lucide-react";
import { useLanguage } from "$/public/external/ticket_console/components/text/language.jsx";

function send(url, file, onProgress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? done(request.response) : failed(request.response ?? {}));
    request.onerror = () => failed({});
    const body = new FormData();
    body.append("file", file, file.name);
    request.send(body);
  });
}

// `refusal` is {code, params}: what is said of a file that is too large to be sent at all.
export function Dropzone({ uploadUrl, accept, maxBytes, refusal, label, hint, chooseLabel, failedCode, onUploaded }) {
  const speak = useLanguage();
  const input = useRef(null);
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState(null);
  const [problem, setProblem] = useState(null);

  const take = async (file) => {
    if (!file || sent !== null) return;
    setProblem(null);
    if (file.size > maxBytes) {
      setProblem(refusal);
      return;
    }
    setSent(0);
    try {
      onUploaded?.(await send(uploadUrl, file, setSent));
    } catch (told) {
      setProblem(speak.known(told.code) ? { code: told.code, params: told.params ?? told } : { code: failedCode });
    } finally {
      setSent(null);
    }
  };

  const busy = sent !== null;
  return h("div", { className: "tc-stack", style: { "--gap": "10px" } },
    h("div", {
      className: "tc-dropzone", "data-over": over, "data-busy": busy,
      onDragOver: (event) => {
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: (event) => !event.currentTarget.contains(event.relatedTarget) && setOver(false),
      onDrop: (event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files[0]);
      },
    },
      h("span", { className: "tc-dropzone-icon", "aria-hidden": true }, h(FileSpreadsheet, { size: 26, strokeWidth: 1.6 })),
      h("strong", null, label),
      h("span", { className: "tc-help" }, hint),
      h("input", {
        ref: input, type: "file", accept, className: "tc-sr", tabIndex: -1, "aria-label": chooseLabel,
        onChange: (event) => {
          const [file] = event.target.files;
          event.target.value = "";
          take(file);
        },
      }),
      busy
        ? h("progress", { className: "tc-dropzone-bar", max: 1, value: sent, "aria-label": label })
        : h("button", { type: "button", className: "tc-btn", "data-tone": "primary", onClick: () => input.current.click() },
          h(Upload, { "aria-hidden": true }), chooseLabel)),
    problem && h("div", { className: "tc-note", "data-tone": "danger", role: "alert" }, speak.t(problem.code, problem.params ?? {})));
}
