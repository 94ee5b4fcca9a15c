"""Every page, as everybody sees it: in both languages, light and dark, on a phone, a tablet and a desk."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, expect

from tests.browser.who_works import Work, finished_work, somebody_at_work
from tests.fixtures.browsers import PATIENCE_MS, LogIn, Server
from ticket_console.i18n import catalog
from ticket_console.pages import every_page

WIDTHS: Final = ((1440, 900), (768, 1024), (390, 844))
LANGUAGES: Final = ("zh", "en")
THEMES: Final = ("light", "dark")

OFFICE: Final = ("manager", "dispatcher", "agent", "finance", "auditor")
TECHNICIAN: Final = "technician"
VISITOR: Final = "visitor"
WHO_SEES: Final[Mapping[str, tuple[str, ...]]] = {
    "/": OFFICE,
    "/board": OFFICE,
    "/tickets": OFFICE,
    "/returns": OFFICE,
    "/tickets/new": ("manager", "dispatcher", "agent"),
    "/tickets/[ticket]": (*OFFICE, TECHNICIAN),
    "/my": (TECHNICIAN,),
    "/my/map": (TECHNICIAN,),
    "/map": OFFICE,
    "/sites": OFFICE,
    "/intake": ("manager", "dispatcher", "agent", "auditor"),
    "/intake/import": ("manager", "agent"),
    "/waiting": ("manager", "dispatcher"),
    "/handover": ("manager", "dispatcher", TECHNICIAN),
    "/dispatch": ("manager", "dispatcher"),
    "/timeline": ("manager", "dispatcher"),
    "/roster": ("manager", "dispatcher"),
    "/sandbox": ("manager", "dispatcher"),
    "/radar": OFFICE,
    "/settlement": ("manager", "finance", "auditor"),
    "/settlement/disputes": ("manager", "finance", "auditor"),
    "/pay": (TECHNICIAN,),
    "/settlement/daily": ("manager", "finance", "auditor"),
    "/pay/day": (TECHNICIAN,),
    "/settlement/reconcile": ("manager", "finance", "auditor"),
    "/settlement/rules": ("manager", "finance", "auditor"),
    "/reports": ("manager", "finance", "auditor"),
    "/reports/lines": ("manager", "finance", "auditor"),
    "/invariants": ("manager", "finance", "auditor"),
    "/audit": ("manager", "auditor"),
    "/operations": ("manager", "auditor"),
    "/notices": (*OFFICE, TECHNICIAN),
    "/designer": ("manager",),
    "/designer/exchange": ("manager",),
    "/designer/flows/new": ("manager",),
    "/designer/flows/[code]": ("manager",),
    "/designer/forms/[form_code]": ("manager",),
    "/designer/rules": ("manager",),
    "/login": (VISITOR,),
    "/request": (VISITOR,),
    "/request/[template]": (VISITOR,),
    "/track/[link]": (VISITOR,),
    "/404": (VISITOR,),
}
SETTLED_WITHIN_SECONDS: Final = 10
NOWHERE: Final = "/nothing/here"
EVERYBODY: Final = (*OFFICE, TECHNICIAN, VISITOR)

IS_COMPLETE = """() => document.querySelector("h1")
  && !document.querySelector(".tc-bone, .tc-spin, [aria-busy=true]") && document.fonts.status === "loaded"
"""
SPEAK = """language => {
  localStorage.setItem("tc_locale", language);
  window.dispatchEvent(new StorageEvent("storage", {key: "tc_locale", newValue: language}));
}"""
VISIBLE_TEXTS = """() => {
  const texts = new Set([document.title]);
  const add = (text) => texts.add((text ?? "").trim());
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!parentElement.closest("script, style, noscript, template, code, pre")) add(data);
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    for (const name of ["aria-label", "title", "placeholder", "alt"]) add(element.getAttribute(name));
  }
  texts.delete("");
  return [...texts];
}"""
TOO_WIDE = """() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return null;
  const reaches = (each) => each.getBoundingClientRect().right > innerWidth + 1;
  const culprits = [...document.querySelectorAll("body *")].filter(reaches).slice(0, 3);
  return `${over} px too wide: ${culprits.map((each) => `${each.tagName}.${each.className}`).join(", ")}`;
}"""
STANDS_STILL = """() => {
  const look = `${document.documentElement.scrollHeight} ${document.querySelectorAll("*").length}`;
  const isSame = window.lookedLast === look;
  window.lookedLast = look;
  return isSame;
}"""
STAND_STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
# What is focused, and whether it or what it belongs to looks different from when it is not.
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return ["the page itself", true];
  const frames = [element.closest("label"), element.closest("tr"), element.parentElement];
  const around = [element, element.firstElementChild, ...frames].filter(Boolean);
  const look = () => around.flatMap((each) => [null, "::before", "::after"].map((part) => {
    const style = getComputedStyle(each, part);
    return [style.outline, style.boxShadow, style.borderColor, style.backgroundColor].join();
  })).join("|");
  const focused = look();
  const name = (element.ariaLabel ?? element.innerText ?? "").slice(0, 40);
  element.blur();
  const plain = look();
  element.focus();
  return [`${element.tagName}.${element.className} ${name}`, focused !== plain];
}"""


def _words(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.@/:-])[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+(?![\w.@/:-])", text))


def _forms(locale: str) -> set[str]:
    """Every text of ours in a language, without those that are put together from parts."""
    told = catalog(locale).values()
    return {form for text in told for form in ((text,) if isinstance(text, str) else text) if "{" not in form}


OUR_KEYS: Final = frozenset(key.partition(".")[0] for key in catalog("en"))
# Customers also name things by single words, and one character is the face of a name: phrases are only ours.
OUR_CHINESE: Final = frozenset(
    text for text in _forms("zh") - _forms("en") if len(text) > 1 and re.search("[\u4e00-\u9fff]", text)
)
OUR_ENGLISH: Final = frozenset(text for text in _forms("en") - _forms("zh") if " " in text)


@dataclass
class Complaints:
    """What browsers complained about on their consoles, and answers that nobody should get."""

    heard: list[str] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        # A refused answer is told below, with its address.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.heard.append(f"console: {message.text[:300]}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.heard.append(f"{response.status} {response.url}")


SeenBy = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def at_work(server: Server) -> Work:
    return somebody_at_work(server)


@pytest.fixture(scope="module")
def addresses(server: Server) -> dict[str, str]:
    """Where each page is found; those of one thing among many show one that exists."""
    token = Path(server.environ["DATA_DIR"], "demo_token").read_text(encoding="ascii").strip()
    answer = httpx.post(
        f"{server.url}/api/v1/intake/api",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex},
        json={"template": "repair", "title": "No hot water", "customer": {"name": "Ann"}},
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    return {
        **{route: route for route in WHO_SEES},
        "/tickets/[ticket]": f"/tickets/{finished_work(server).ticket_id}",
        "/request/[template]": "/request/repair",
        "/designer/flows/[code]": "/designer/flows/repair",
        "/designer/forms/[form_code]": "/designer/forms/general",
        "/track/[link]": answer.json()["tracking_url"].removeprefix(server.url),
        "/404": NOWHERE,
    }


@pytest.fixture
def log_in(context_as: LogIn, at_work: Work) -> LogIn:
    """`log_in("technician", dark=True)`: the browser of somebody who plays a part."""

    def open_browser(who: str, **options: Any) -> BrowserContext:
        return context_as({TECHNICIAN: at_work.login, VISITOR: None}.get(who, who), **options)

    return open_browser


@pytest.fixture
def seen_by(addresses: Mapping[str, str], at_work: Work) -> SeenBy:
    """`seen_by("technician")`: the pages somebody sees, with their addresses."""

    def pages(who: str) -> dict[str, str]:
        own = {"/tickets/[ticket]": f"/tickets/{at_work.ticket_id}"} if who == TECHNICIAN else {}
        return {route: (addresses | own)[route] for route, seers in WHO_SEES.items() if who in seers}

    return pages


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(IS_COMPLETE, timeout=PATIENCE_MS)


def test_this_file_knows_every_page() -> None:
    assert {page.route for page in every_page()} == set(WHO_SEES)


@pytest.mark.parametrize("who", EVERYBODY)
def test_pages_fit_and_speak_one_language_at_every_width_in_light_and_dark(
    who: str, seen_by: SeenBy, log_in: LogIn
) -> None:
    context, complaints = log_in(who), Complaints()
    complaints.listen(context)
    page = context.new_page()
    wrong: list[str] = []
    for route, address in seen_by(who).items():
        _open(page, address)
        wrong += [f"{route}: {each}" for each in _wrong_in(page)]
    wrong += [each for each in complaints.heard if not each.endswith(NOWHERE)]
    assert not wrong, "\n".join(wrong)


def _wrong_in(page: Page) -> Iterator[str]:
    for language in LANGUAGES:
        page.evaluate(SPEAK, language)
        expect(page.locator("html")).to_have_attribute("lang", {"zh": "zh-CN", "en": "en"}[language])
        yield from _wrong_words(page, language)
        for width, height in WIDTHS:
            page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                if wrong := page.evaluate(TOO_WIDE):
                    yield f"{language} {theme} {width}: {wrong}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("who", ["manager", "agent", TECHNICIAN, VISITOR])
def test_pages_have_no_serious_barrier(who: str, theme: str, seen_by: SeenBy, log_in: LogIn) -> None:
    page = log_in(who, dark=theme == "dark", locale="en", reduced_motion="reduce").new_page()
    barriers: list[str] = []
    for route, address in _only(who, seen_by(who)).items():
        _open(page, address)
        barriers += [
            f"{route}: {rule['id']} ({rule['impact']}) {rule['help']}: "
            + "; ".join(f"{node['target']} {node['failureSummary'][:200]}" for node in rule["nodes"][:3])
            for rule in _serious(page)
        ]
    assert not barriers, "\n".join(barriers)


def _serious(page: Page) -> list[dict[str, Any]]:
    # While a page is still being laid out its parts are where nobody will ever meet them.
    page.wait_for_function(STANDS_STILL, polling=300, timeout=PATIENCE_MS)
    found = Axe().run(page).response["violations"]
    return [rule for rule in found if rule["impact"] in {"serious", "critical"}]


def _only(who: str, pages: Mapping[str, str]) -> dict[str, str]:
    """The pages of somebody that the manager does not see as well; a ticket shows each their own side."""
    return {
        route: address
        for route, address in pages.items()
        if who == "manager" or "manager" not in WHO_SEES[route] or route == "/tickets/[ticket]"
    }


@pytest.mark.parametrize("who", ["manager", TECHNICIAN, VISITOR])
def test_what_has_the_focus_is_seen(who: str, seen_by: SeenBy, log_in: LogIn) -> None:
    page = log_in(who).new_page()
    unseen: list[str] = []
    for route, address in _only(who, seen_by(who)).items():
        _open(page, address)
        page.add_style_tag(content=STAND_STILL)
        for _ in range(20):
            page.keyboard.press("Tab")
            name, is_seen = page.evaluate(FOCUSED)
            unseen += [] if is_seen else [f"{route}: {name}"]
    assert not unseen, "\n".join(unseen)


@pytest.mark.parametrize("who", ["manager", TECHNICIAN])
def test_a_question_mark_opens_the_keys_of_every_page(who: str, seen_by: SeenBy, log_in: LogIn) -> None:
    page = log_in(who, locale="en").new_page()
    for address in _only(who, seen_by(who)).values():
        _open(page, address)
        _ask_for_the_keys(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def _wrong_words(page: Page, language: str) -> list[str]:
    """What is not in the language chosen. A map that is still opening is named in it when it is open."""
    strange = OUR_CHINESE if language == "en" else OUR_ENGLISH
    deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
    while True:
        texts = set(page.evaluate(VISIBLE_TEXTS))
        keys = {word for text in texts for word in _words(text) if word.partition(".")[0] in OUR_KEYS}
        wrong = [f"the text {text!r} is of the other language" for text in sorted(texts & strange)]
        wrong += [f"the key {key!r} has no text" for key in sorted(keys)]
        if not wrong or time.monotonic() > deadline:
            return [f"{language}: {each}" for each in wrong]
        page.wait_for_timeout(200)


def _ask_for_the_keys(page: Page) -> None:
    """Some pages begin in a field, a moment after they are shown; there it is only a question mark."""
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not keys.is_visible() and time.monotonic() < deadline:
        page.evaluate("document.activeElement?.blur()")
        page.keyboard.press("?")
        page.wait_for_timeout(300)
    expect(keys).to_be_visible()


def test_the_keys_lead_to_every_place(log_in: LogIn) -> None:
    page = log_in("manager").new_page()
    _open(page, "/")
    for keys, address in (("gb", "/board"), ("gi", "/intake"), ("gs", "/settlement"), ("gd", "/")):
        # Keys are heard once the page before has come up, which its address is ahead of.
        page.wait_for_function(IS_COMPLETE, timeout=PATIENCE_MS)
        here = page.locator('.tc-nav [aria-current="page"]')
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while here.get_attribute("href") != address and time.monotonic() < deadline:
            for key in keys:
                page.keyboard.press(key)
            page.wait_for_timeout(500)
        expect(here).to_have_attribute("href", address, timeout=PATIENCE_MS)
