"""Text can be read in light and in dark, also while something is hovered, pressed or focused.

The rules of our own style sheets are cascaded as a browser does it, as far as one element alone decides:
a background and a text colour, both of them tokens.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

STYLES = Path(__file__).parents[2] / "assets" / "styles"
THEMES = ("light", "dark")
# WCAG 2.2, 1.4.3 for text, 1.4.11 for what else has to be seen.
TEXT = 4.5
SHAPE = 3.0

STATES = tuple(
    frozenset(state)
    for state in ((), ("hover",), ("active",), ("hover", "active"), ("focus",), ("focus", "hover"))
)
GROUNDS = ("bg", "surface", "raised")
# What is drawn and not written.
DRAWN = frozenset({".tc-bars", ".tc-rated", ".fm-stars", ".fm-grip"})
NEUTRAL = frozenset({*GROUNDS, "sunken", "hover", "active"})

RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
TOKEN = re.compile(r"var\(--tc-([a-z0-9-]+)\)")
PART = re.compile(r":not\(([^()]*)\)|(::?[\w-]+(?:\([^()]*\))?)|(\.[\w-]+)|(\[[^\]]+\])|([\w*-]+)")
UNUSABLE = re.compile(r"disabled|::|:(root|where|is|has|checked|empty|first|last|nth|placeholder|selection)")


@dataclass(frozen=True, slots=True)
class Compound:
    """A selector of one element: what it has to be, in which states, and how much the rule weighs."""

    name: frozenset[str]
    states: frozenset[str]
    weight: int

    def fits(self, name: frozenset[str], states: frozenset[str]) -> bool:
        return self.name <= name and self.states <= states


@dataclass(frozen=True, slots=True)
class Rule:
    compound: Compound
    said: Mapping[str, str]


def _tokens() -> dict[str, dict[str, str]]:
    plain = (STYLES / "tokens.css").read_text(encoding="utf-8")
    sheets = {"light": r":root \{(.*?)\n\}", "dark": r":root\.dark \{(.*?)\n\}"}
    found: dict[str, dict[str, str]] = {}
    for theme, pattern in sheets.items():
        body = re.search(pattern, plain, re.DOTALL)
        assert body is not None
        found[theme] = dict(re.findall(r"--tc-([a-z0-9-]+): (#[0-9a-f]{6});", body[1]))
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


TOKENS = _tokens()


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _compound(selector: str) -> Compound | None:
    """None for a selector that speaks of more than one element, or of what cannot be decided here."""
    without_enabled = selector.replace(":not(:disabled)", "")
    if re.search(r"[\s>+~]", selector) or UNUSABLE.search(without_enabled) or "." not in selector:
        return None
    name, states, weight = set[str](), set[str](), selector.count(":not(:disabled)")
    for denied, pseudo, is_class, attribute, _ in PART.findall(without_enabled):
        if denied or (pseudo and pseudo not in (":hover", ":active", ":focus", ":focus-visible")):
            return None
        weight += bool(pseudo or is_class or attribute)
        if pseudo:
            states.add(pseudo.strip(":").partition("-")[0])
        elif is_class or attribute:
            name.add(is_class or attribute)
    return Compound(frozenset(name), frozenset(states), weight)


def _said(body: str) -> dict[str, str]:
    """The tokens of text and background; another background than a token is said to be unknown."""
    said: dict[str, str] = {}
    for line in body.split(";"):
        key, _, value = (part.strip() for part in line.partition(":"))
        token = TOKEN.fullmatch(value)
        if key == "color" and token:
            said["text"] = token[1]
        elif key in ("background", "background-color"):
            said["ground"] = token[1] if token else "" if value in ("none", "transparent") else "unknown"
    return said


def _rules() -> list[Rule]:
    rules: list[Rule] = []
    for sheet in sorted(STYLES.glob("*.css")):
        plain = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        for selectors, body in RULE.findall(plain):
            said = _said(body)
            for selector in selectors.split(","):
                compound = _compound(selector.strip())
                if said and compound is not None:
                    rules.append(Rule(compound, said))
    return rules


RULES = _rules()


def _style(name: frozenset[str], states: frozenset[str]) -> dict[str, str]:
    style: dict[str, str] = {}
    for rule in sorted(RULES, key=lambda each: each.compound.weight):
        if rule.compound.fits(name, states):
            style |= rule.said
    return style


def _seen(theme: str, pairs: Iterable[tuple[str, str]], least: float) -> Iterator[str]:
    for text, ground in pairs:
        colours = TOKENS[theme]
        if text in colours and ground in colours:
            reached = contrast(colours[text], colours[ground])
            if reached < least:
                yield f"{text} on {ground}: {reached:.2f}"


def test_the_sheets_are_read() -> None:
    names = {name for rule in RULES for name in rule.compound.name}
    assert len(RULES) > 200
    assert {".tc-btn", '[data-tone="primary"]', ".tc-nav-item", ".tc-badge"} <= names
    pressed = _style(frozenset({".tc-btn", '[data-tone="primary"]'}), frozenset({"active"}))
    assert pressed["text"] == "text-on-solid"
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_every_element_can_be_read_in_every_state(theme: str) -> None:
    wrong: set[str] = set()
    for name in {rule.compound.name for rule in RULES}:
        for states in STATES:
            style = _style(name, states)
            text, ground = style.get("text", ""), style.get("ground", "")
            if not text and ground not in NEUTRAL:
                continue
            pairs = [(text or "text", each) for each in ((ground,) if ground else GROUNDS)]
            wrong |= {
                f"{'.'.join(sorted(name))} {':'.join(sorted(states))} {said}"
                for said in _seen(theme, pairs, SHAPE if name & DRAWN else TEXT)
            }
    assert sorted(wrong) == []


@pytest.mark.parametrize("theme", THEMES)
def test_text_of_every_meaning_can_be_read_on_every_ground(theme: str) -> None:
    meanings = ("ok", "warn", "danger", "violet", "teal")
    pairs = [
        *((text, ground) for text in ("text", "text-2", "text-3") for ground in sorted(NEUTRAL)),
        *((meaning, ground) for meaning in meanings for ground in (*GROUNDS, f"{meaning}-weak")),
        *(("accent-text", ground) for ground in (*GROUNDS, "hover", "accent-weak")),
        *(("text-on-solid", ground) for ground in ("accent", "accent-hover")),
    ]
    assert list(_seen(theme, pairs, TEXT)) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_focus_and_the_priorities_are_seen_on_every_ground(theme: str) -> None:
    shapes = ("focus", *(f"priority-{level}" for level in (1, 2, 3, 4)))
    assert list(_seen(theme, [(shape, ground) for shape in shapes for ground in GROUNDS], SHAPE)) == []
