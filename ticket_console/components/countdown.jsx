// The time that is left to answer, in minutes and seconds; it counts in the browser and asks nobody.
import { createElement } from "react";
import { useLanguage, useNow } from "$/public/external/ticket_console/components/text/language.jsx";

const SOON_SECONDS = 60;

export function Countdown({ at, className = "", ...rest }) {
  const speak = useLanguage();
  const now = useNow(1);
  if (!at) return null;
  const left = Math.max(0, Math.ceil((new Date(at).getTime() - now) / 1000));
  const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  return createElement(
    "time",
    {
      ...rest,
      className: `tc-countdown ${className}`,
      dateTime: at,
      role: "timer",
      "data-tone": left === 0 ? "over" : left <= SOON_SECONDS ? "soon" : "fine",
      title: speak.when(at, undefined, "full"),
    },
    left === 0 ? speak.t("time.up") : clock,
  );
}
