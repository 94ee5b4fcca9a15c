"""How pressing a ticket is, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

NORMAL, URGENT, EMERGENCY = 1, 2, 3
# The class of tickets that are complaints.
COMPLAINT: Final = "complaint"
URGENCY_NAMES: Final = {NORMAL: "normal", URGENT: "urgent", EMERGENCY: "emergency"}

# Priority by urgency + impact, each 1 to 3; 1 is the most pressing.
_BY_SUM: Final = {2: 4, 3: 3, 4: 2, 5: 1, 6: 1}

# Words that make a request more pressing whoever reports it. The longest hit is the one shown.
_URGENT_WORDS: Final[dict[str, int]] = {
    "被困": EMERGENCY,
    "困人": EMERGENCY,
    "漏电": EMERGENCY,
    "触电": EMERGENCY,
    "起火": EMERGENCY,
    "冒烟": EMERGENCY,
    "燃气泄漏": EMERGENCY,
    "爆管": EMERGENCY,
    "trapped": EMERGENCY,
    "gas leak": EMERGENCY,
    "electric shock": EMERGENCY,
    "on fire": EMERGENCY,
    "smoke": EMERGENCY,
    "burst pipe": EMERGENCY,
    "漏水": URGENT,
    "停机": URGENT,
    "停电": URGENT,
    "加急": URGENT,
    "紧急": URGENT,
    "投诉": URGENT,
    "water leak": URGENT,
    "power outage": URGENT,
    "no power": URGENT,
    "urgent": URGENT,
    "asap": URGENT,
}


_LONGEST_FIRST: Final = sorted(_URGENT_WORDS, key=len, reverse=True)
_LATIN: Final = "|".join(re.escape(word) for word in _LONGEST_FIRST if word.isascii())
_CHINESE: Final = "|".join(word for word in _LONGEST_FIRST if not word.isascii())
# Latin words count where a word begins: something on fire, but not the door of the station fire brigade.
# The look-ahead lets hits overlap.
_PRESSING: Final = re.compile(f"(?=((?<![a-z])(?:{_LATIN})|{_CHINESE}))")


@dataclass(frozen=True, slots=True)
class Priority:
    """`reasons` are codes with their figures, in the order in which they counted."""

    priority: int
    urgency: int
    impact: int
    reasons: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        return {"urgency": self.urgency, "impact": self.impact, "reasons": list(self.reasons)}


def priority_of(
    *,
    texts: Sequence[str],
    urgency: int | None,
    impact: int | None,
    is_vip: bool,
    is_complaint: bool = False,
    base_urgency: int = NORMAL,
) -> Priority:
    """Decide the priority from what was said, what was chosen, and who asks.

    An urgency or impact chosen by a person is never lowered by a word, only raised. A complaint of an
    important customer is an emergency whatever it says.
    """
    reasons: list[dict[str, Any]] = []
    level = base_urgency if urgency is None else urgency
    if urgency is not None:
        reasons.append({"code": "priority_reason.chosen", "urgency": urgency})
    word = _most_pressing_word(texts)
    if word is not None and _URGENT_WORDS[word] > level:
        level = _URGENT_WORDS[word]
        reasons.append({"code": "priority_reason.word", "word": word, "urgency": level})
    if is_vip and is_complaint and level < EMERGENCY:
        level = EMERGENCY
        reasons.append({"code": "priority_reason.vip_complaint", "urgency": level})
    width = 1 if impact is None else impact
    if impact is not None:
        reasons.append({"code": "priority_reason.impact", "impact": impact})
    priority = _BY_SUM[level + width]
    if is_vip and priority > 1:
        priority -= 1
        reasons.append({"code": "priority_reason.vip"})
    if not reasons:
        reasons.append({"code": "priority_reason.standard"})
    return Priority(priority, level, width, tuple(reasons))


def _most_pressing_word(texts: Sequence[str]) -> str | None:
    said = "\n".join(texts).casefold()
    hits = set(_PRESSING.findall(said))
    return max(hits, key=lambda word: (_URGENT_WORDS[word], len(word), word), default=None)
