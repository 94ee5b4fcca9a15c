// Cards that changed their place fly from where they were to where they are. What flies is a copy above the board:
// a lane shows only what lies within it.
import { useCallback, useLayoutEffect, useRef } from "react";

const FLIGHT = { duration: 260, easing: "cubic-bezier(0.2, 0.8, 0.2, 1)" };
const MAX_FLIGHTS = 30;
const NEAR_ENOUGH = 4;
// A list that was empty takes some pictures to come to its cards.
const TRIES = 8;

const isStill = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

function fly(root, slot, from) {
  const card = slot.firstElementChild;
  const to = slot.getBoundingClientRect();
  if (!card || Math.hypot(from.left - to.left, from.top - to.top) < NEAR_ENOUGH) return;
  const copy = slot.cloneNode(true);
  copy.removeAttribute("data-card");
  copy.removeAttribute("tabindex");
  copy.setAttribute("aria-hidden", "true");
  copy.inert = true;
  copy.className = "tb-slot tb-flying";
  Object.assign(copy.style, { width: `${to.width}px`, left: `${to.left}px`, top: `${to.top}px` });
  root.append(copy);
  const flight = copy.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: "none" }], FLIGHT);
  card.animate([{ opacity: 0 }, { opacity: 0 }], FLIGHT);
  const land = () => copy.remove();
  flight.addEventListener("finish", land);
  flight.addEventListener("cancel", land);
}

// `start(ids)` is called before the cards' places change, `startFrom(id, box)` for one that was carried; `land()`
// where nothing changes and the card only goes home.
export function useFlights(root, lanes) {
  const boxes = useRef(new Map());
  const start = useCallback((ids) => {
    if (ids.length > MAX_FLIGHTS || isStill()) return;
    for (const id of ids) {
      const slot = root.current?.querySelector(`[data-card="${id}"]`);
      if (slot && !boxes.current.has(id)) boxes.current.set(id, slot.getBoundingClientRect());
    }
  }, [root]);
  const startFrom = useCallback((id, box) => {
    if (!isStill()) boxes.current.set(id, box);
  }, []);
  const take = useCallback((tries = TRIES) => {
    for (const [id, box] of [...boxes.current]) {
      const slot = root.current?.querySelector(`[data-card="${id}"]`);
      if (slot || !tries) boxes.current.delete(id);
      if (slot) fly(root.current, slot, box);
    }
    if (boxes.current.size) requestAnimationFrame(() => take(tries - 1));
  }, [root]);
  // The lists put their cards in place after the board has drawn itself, and before the next picture.
  const land = useCallback(() => requestAnimationFrame(() => take()), [take]);
  useLayoutEffect(() => {
    if (boxes.current.size) land();
  }, [lanes, land]);
  return { start, startFrom, land };
}
