// Carrying a card with the mouse or a finger. The card under the hand is a copy that no list knows of, moved by
// the compositor; what lies under it is asked of the document. Nothing is drawn anew by React while a card is
// carried, so that it costs the same with fifty cards and with five thousand.

const FAR_ENOUGH = 5;
const LONG_PRESS = 350;
const TOUCH_SLACK = 10;
const EDGE = 56;
const FASTEST = 18;
const HANDS_OFF = "button, input, select, textarea, [data-no-drag]";

const speedAt = (at, from, to) => {
  if (at < from + EDGE) return -FASTEST * Math.min(1, (from + EDGE - at) / EDGE);
  if (at > to - EDGE) return FASTEST * Math.min(1, (at - to + EDGE) / EDGE);
  return 0;
};

// The copy: looks like the card and is nothing to a screen reader, a selector or the focus.
function copyOf(slot) {
  const copy = slot.cloneNode(true);
  const box = slot.getBoundingClientRect();
  copy.removeAttribute("data-card");
  copy.removeAttribute("tabindex");
  copy.removeAttribute("aria-label");
  copy.setAttribute("aria-hidden", "true");
  copy.inert = true;
  copy.className = "tb-slot tb-flying";
  Object.assign(copy.style, { width: `${box.width}px`, left: `${box.left}px`, top: `${box.top}px` });
  return copy;
}

// What lies under a point: a person of the rail, or a place in a lane between two cards.
export function targetAt(x, y, held) {
  const under = document.elementFromPoint(x, y);
  const person = under?.closest("[data-person]");
  if (person) return { kind: "person", key: person.dataset.person, element: person };
  const rail = under?.closest("[data-rail]");
  if (rail) return { kind: "rail", key: "", element: rail };
  const lane = under?.closest("[data-lane]");
  if (!lane) return null;
  const slots = [...lane.querySelectorAll("[data-card]")].filter((slot) => Number(slot.dataset.card) !== held);
  const below = slots.find((slot) => {
    const box = slot.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
  const above = below ? slots[slots.indexOf(below) - 1] : slots[slots.length - 1];
  const idOf = (slot) => (slot ? Number(slot.dataset.card) : null);
  return { kind: "lane", key: lane.dataset.lane, row: lane.dataset.row ?? "", before: idOf(above), after: idOf(below), element: lane, above, below };
}

export function drawLine(line, target) {
  const near = target?.below ?? target?.above;
  if (!line) return;
  line.hidden = !near;
  if (!near) return;
  const box = near.getBoundingClientRect();
  const y = target.below ? box.top : box.bottom;
  line.style.width = `${box.width - 8}px`;
  line.style.transform = `translate(${box.left + 4}px, ${y - 1}px)`;
}

export function markOver(root, element) {
  for (const each of root.querySelectorAll("[data-over]")) if (each !== element) each.removeAttribute("data-over");
  element?.setAttribute("data-over", "true");
}

// `hand` is what the board gives and is read at each event:
// {root, line, mayLift(id), mayOrder(), onLift(id, how), onOver(target), onDrop(target, box), onCancel(box), onLongPress(id) -> bool}
export function followPointer(hand) {
  let press = null;
  let carry = null;

  const end = () => {
    clearTimeout(press?.timer);
    press = null;
    if (!carry) return null;
    cancelAnimationFrame(carry.frame);
    const box = carry.copy.getBoundingClientRect();
    carry.copy.remove();
    hand.line.hidden = true;
    markOver(hand.root, null);
    document.documentElement.removeAttribute("data-carrying");
    carry = null;
    return box;
  };

  const look = () => {
    const target = targetAt(carry.x, carry.y, carry.id);
    const same = carry.target?.element === target?.element;
    carry.target = target;
    drawLine(hand.line, hand.mayOrder() ? target : null);
    if (same) return;
    markOver(hand.root, target?.element);
    hand.onOver(target);
  };

  // One look in a frame, however many moves the mouse tells; at the edges the board runs along.
  const tick = () => {
    if (!carry) return;
    carry.frame = requestAnimationFrame(tick);
    const sheet = hand.root.querySelector("[data-sheet]");
    const list = carry.target?.element?.querySelector("[data-virtuoso-scroller]") ?? carry.target?.element?.closest("[data-scrolls]");
    const area = sheet?.getBoundingClientRect();
    const sideways = area && carry.target?.kind === "lane" ? speedAt(carry.x, area.left, area.right) : 0;
    if (sideways) sheet.scrollLeft += sideways;
    const down = (each) => {
      const box = each.getBoundingClientRect();
      const speed = speedAt(carry.y, box.top, box.bottom);
      if (speed) each.scrollTop += speed;
      return speed;
    };
    const moved = (list && down(list)) || (sheet && sheet.scrollHeight > sheet.clientHeight && down(sheet));
    if (!carry.dirty && !sideways && !moved) return;
    carry.dirty = false;
    carry.copy.style.transform = `translate3d(${carry.x - carry.startX}px, ${carry.y - carry.startY}px, 0) rotate(1.2deg)`;
    look();
  };

  const lift = (how) => {
    const { slot, id, x, y } = press;
    clearTimeout(press.timer);
    const copy = copyOf(slot);
    hand.root.append(copy);
    carry = { id, copy, x, y, startX: x, startY: y, target: null, dirty: true, frame: 0 };
    document.documentElement.setAttribute("data-carrying", "true");
    hand.onLift(id, how);
    carry.frame = requestAnimationFrame(tick);
  };

  const onDown = (event) => {
    if (carry || event.button !== 0 || !event.isPrimary || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const slot = event.target.closest("[data-card]");
    if (!slot || !hand.root.contains(slot) || event.target.closest(HANDS_OFF)) return;
    const id = Number(slot.dataset.card);
    const isTouch = event.pointerType !== "mouse";
    press = { slot, id, x: event.clientX, y: event.clientY, pointer: event.pointerId, isTouch, timer: null };
    if (isTouch) {
      press.timer = setTimeout(() => {
        if (hand.onLongPress(id)) press = null;
        else if (hand.mayLift(id)) lift("touch");
      }, LONG_PRESS);
    }
  };

  const onMove = (event) => {
    if (carry) {
      carry.x = event.clientX;
      carry.y = event.clientY;
      carry.dirty = true;
      return;
    }
    if (!press || event.pointerId !== press.pointer) return;
    const far = Math.hypot(event.clientX - press.x, event.clientY - press.y);
    if (press.isTouch) {
      if (far > TOUCH_SLACK) end();
      return;
    }
    if (far < FAR_ENOUGH) return;
    if (!hand.mayLift(press.id)) {
      press = null;
      return;
    }
    lift("mouse");
    onMove(event);
  };

  // The click that ends a drag is no click on the card's title.
  const swallowClick = () => {
    const stop = (event) => {
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener("click", stop, { capture: true, once: true });
    setTimeout(() => window.removeEventListener("click", stop, { capture: true }), 0);
  };

  const onUp = (event) => {
    if (!carry) {
      end();
      return;
    }
    carry.x = event.clientX;
    carry.y = event.clientY;
    look();
    const { target } = carry;
    swallowClick();
    hand.onDrop(target, end());
  };

  const cancel = () => {
    if (!carry) {
      end();
      return;
    }
    hand.onCancel(end());
  };

  const onKey = (event) => {
    if (!carry || event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    cancel();
  };

  const holdStill = (event) => carry && event.cancelable && event.preventDefault();
  const noMenu = (event) => (carry || press?.isTouch) && event.preventDefault();

  hand.root.addEventListener("pointerdown", onDown);
  hand.root.addEventListener("contextmenu", noMenu);
  hand.root.addEventListener("touchmove", holdStill, { passive: false });
  window.addEventListener("pointermove", onMove);
  window.addEventListener("pointerup", onUp);
  window.addEventListener("pointercancel", cancel);
  window.addEventListener("blur", cancel);
  window.addEventListener("keydown", onKey, true);
  return {
    cancel,
    stop: () => {
      cancel();
      hand.root.removeEventListener("pointerdown", onDown);
      hand.root.removeEventListener("contextmenu", noMenu);
      hand.root.removeEventListener("touchmove", holdStill);
      window.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", onUp);
      window.removeEventListener("pointercancel", cancel);
      window.removeEventListener("blur", cancel);
      window.removeEventListener("keydown", onKey, true);
    },
  };
}
