"""Every text a user reads stands in both catalogs, and nowhere else."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ticket_console.components.shell import PLACES
from ticket_console.desk.routing import WhyLeft
from ticket_console.desk.sandbox.committing import Came, Choice
from ticket_console.dispatch.tables import SandboxState
from ticket_console.flows.bpmn.report import Outcome
from ticket_console.flows.elements import LinkKind
from ticket_console.i18n import catalog, negotiate, translate
from ticket_console.jobs.kinds import RunState, ScheduleKind, TaskKind, TaskState
from ticket_console.kernel.actor import Role
from ticket_console.kernel.conditions import OPERATORS
from ticket_console.kernel.text import LOCALES
from ticket_console.packs.exchange.importing import Change
from ticket_console.packs.exchange.kinds import KIND
from ticket_console.settlement.comparing import Turn
from ticket_console.settlement.kinds import Party, Side
from ticket_console.settlement.rules import Op, Rounding
from ticket_console.settlement.sentences import Missed
from ticket_console.tickets.path import How

PACKAGE = Path(__file__).parents[2] / "ticket_console"
SCREENS = ("pages", "components", "designer", "state")

# Keys that are put together while running: every member must be there, and none beside them.
FAMILIES: Mapping[str, frozenset[str]] = {
    "priority.": frozenset("1234"),
    "operations.schedule.": frozenset(ScheduleKind),
    "operations.run.": frozenset(RunState),
    "operations.task.": frozenset(TaskKind),
    "operations.task_state.": frozenset(TaskState),
    "nav.group.": frozenset(place.group for place in PLACES if place.group),
    "role.": frozenset(role.value for role in Role),
    "shell.theme.": frozenset({"light", "dark", "system"}),
    "sandbox.came.": frozenset(Came),
    "routes.why_left.": frozenset(WhyLeft),
    "sandbox.choice.": frozenset(Choice),
    "sandbox.state.": frozenset(SandboxState),
    "rulebook.op.": frozenset({*Op, *(f"{op}.help" for op in Op)}),
    "rulebook.side.": frozenset(Side),
    "rulebook.party.": frozenset(Party),
    "rulebook.rounding.": frozenset(Rounding),
    "rulebook.turn.": frozenset(Turn),
    "rulebook.miss.": frozenset(Missed),
    "rulebook.state.": frozenset({"draft", "upcoming", "in_force", "retired"}),
    "rules.urgency.": frozenset("123"),
    "rules.impact.": frozenset("123"),
    "rules.outcome.": frozenset({"decides", "beside", "late", "no", "rests"}),
    "rules.matches.": frozenset({"open", "last_month"}),
    "condition.combinator.": frozenset({"and", "or"}),
    "condition.operator.": OPERATORS
    | frozenset({"<.time", "<=.time", ">.time", ">=.time", "in.list", "notIn.list", "contains.list"}),
    "exchange.kind.": frozenset({*KIND, "role", "part"}),
    "exchange.change.": frozenset(change.value for change in Change),
    "exchange.outcome.": frozenset(outcome.value for outcome in Outcome),
    "ticket.path.how.": frozenset(How),
    "ticket.link.": frozenset(kind.value for kind in LinkKind),
    "board.needs.": frozenset({"form", "reason"}),
    "flow_designer.act.": frozenset({"complete", "return", "reject", "cancel", "reassign", "skip"}),
    "flow_designer.category.": frozenset({"todo", "doing", "waiting", "done", "cancelled"}),
    "flow_designer.mode.": frozenset({"technician", "queue", "customer", "system"}),
    "flow_designer.channel.": frozenset({"console", "sms", "email"}),
    "flow_designer.level.": frozenset({"usual", "none", "read", "write"}),
    "board.filter.": frozenset(
        {"region", "template", "priority", "assignee", "overdue", "late", "vip", "unread", "mine", "clear"}
    ),
    "board.by.": frozenset({"stage", "person", "territory", "due"}),
    "board.rows.": frozenset({"none", "priority", "region", "template", "assignee"}),
    "board.shape.": frozenset({"by", "rows"}),
    "board.tone.": frozenset({"green", "amber", "red"}),
    "board.truth.": frozenset({"green", "amber", "red", "override"}),
    "board.move_to.": frozenset({"stage", "territory", "due"}),
}

# What takes a key as its first argument; a FieldProblem takes it as its second, after the path.
# `draft.say` writes the history of a ticket, which is read on its page.
SPEAKING = {"t", "translate", "done", "told", "draft.say", "FieldProblem", "BadValue", "BadFormula"}
KEY_ARGUMENTS = {"title"}
PAGE_MAKERS = {"console_page", "visitor_page"}
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
KEY_START = re.compile(r"[\"'`]((?:[a-z0-9_]+\.)+)(?:[\"'`]|\$?\{)")
PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w+))?\}")

SHOWN_ARGUMENTS = {
    "title", "placeholder", "aria_label", "alt", "label", "hint", "text", "caption", "help", "confirm_label",
}  # fmt: skip
# What these take as text is an icon's name, a column's type or a piece of CSS.
MUTE = {
    "icon",
    "asset",
    "Var",
    "create",
    "script",
    "meta",
    "link",
    "style",
    "match",
    "redirect",
    "call_script",
}
LETTER = re.compile(r"[^\W\d_]")
SMALL = re.compile(r"[a-z][a-z0-9_-]*")
CHINESE = re.compile(r"[\u3400-\u9fff]")


def _python() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _scripts() -> Iterator[tuple[Path, str]]:
    for path in sorted([*PACKAGE.rglob("*.jsx"), *PACKAGE.rglob("*.js")]):
        yield path, path.read_text(encoding="utf-8")


def _called(call: ast.Call) -> str:
    name = call.func
    return name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""


def _is_speaking(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return any(name == each or name.endswith(f".{each}") for each in SPEAKING)


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keys_of(tree: ast.Module) -> Iterator[str]:
    """The keys a module asks for, and the codes of the refusals it defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_speaking(node):
            arguments = node.args[1:2] if _called(node) == "FieldProblem" else node.args[:1]
            yield from filter(None, map(_text, arguments))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
            actions = [_text(each.value) for each in node.keywords if each.arg == "action"]
            yield from (f"audit.deed.{action}" for action in actions if action)
        elif isinstance(node, ast.Call) and _called(node) in PAGE_MAKERS:
            yield from filter(
                None, (_text(each.value) for each in node.keywords if each.arg in KEY_ARGUMENTS)
            )
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("CODES"):
            values = node.value.values if isinstance(node.value, ast.Dict) else []
            yield from filter(None, map(_text, values))
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.Assign) and any(ast.unparse(each) == "code" for each in part.targets):
                    yield from filter(None, [_text(part.value)])


def keys_in_script(source: str) -> set[str]:
    return {found[1] for found in re.finditer(r"\bt\(\s*\"([a-z0-9_.]+)\"", source)}


def literals_shown(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts that go to the screen as they stand in the code."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        is_element = name.startswith("rx.") and _called(node) not in MUTE
        shown = list(node.args) if is_element else []
        shown += [each.value for each in node.keywords if each.arg in SHOWN_ARGUMENTS]
        if name.startswith(("rx.toast", "rx.window_alert")):
            shown += [*node.args, *(each.value for each in node.keywords)]
        if _called(node) in PAGE_MAKERS:
            shown = [each for each in shown if not KEY.fullmatch(_text(each) or "")]
        for each in shown:
            for part in each.values if isinstance(each, ast.JoinedStr) else [each]:
                text = _text(part)
                is_word = text and LETTER.search(text) and not KEY.fullmatch(text)
                # A choice between two small words is one between two values: a tone, an attribute.
                if is_word and not (_called(node) == "cond" and SMALL.fullmatch(text)):
                    yield node.lineno, text


def literals_in_script(source: str) -> list[str]:
    code = re.sub(r"(?m)^\s*//.*$", "", source)
    attributes = re.findall(
        r"(?:\"aria-label\"|\"aria-roledescription\"|title|placeholder|alt): \"([^\"]+)\"", code
    )
    sentences = re.findall(r"\"([A-Z][a-z]+(?: [A-Za-z]+)+[.!?]?)\"", code)
    chinese = [text for text in re.findall(r"[\"'`]([^\"'`\n]*)[\"'`]", code) if CHINESE.search(text)]
    # A language is called by its own name whatever language is spoken.
    return [text for text in (*attributes, *sentences, *chinese) if text not in {"中文", "English"}]


def _needed() -> set[str]:
    needed = {key for _, tree in _python() for key in keys_of(tree)}
    needed |= {key for _, source in _scripts() for key in keys_in_script(source)}
    return needed | {prefix + member for prefix, members in FAMILIES.items() for member in members}


def _forms(locale: str) -> dict[str, tuple[str, ...]]:
    return {key: (text,) if isinstance(text, str) else text for key, text in catalog(locale).items()}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_key_in_use_has_a_text(locale: str) -> None:
    missing = {key for key in _needed() if KEY.fullmatch(key)} - set(catalog(locale))

    assert sorted(missing) == []


def test_no_text_is_left_over() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js*"))]
    written = {found for source in sources for found in re.findall(r"[\"'`]([a-z0-9_.]+)[\"'`]", source)}
    # "area.thing." and f"area.thing.{member}": the start of a key that is put together.
    starts = {found for source in sources for found in KEY_START.findall(source)}
    left_over = {
        key
        for key in catalog("zh")
        if key not in written and not any(key.startswith(start) for start in starts)
    }

    assert sorted(left_over) == []


def test_families_have_no_stranger() -> None:
    strangers = {
        key
        for key in catalog("zh")
        for prefix, members in FAMILIES.items()
        if key.startswith(prefix) and key.removeprefix(prefix) not in members
    }

    assert sorted(strangers) == []


def test_both_languages_have_the_same_keys_and_no_empty_text() -> None:
    chinese, english = _forms("zh"), _forms("en")

    assert sorted(set(chinese) ^ set(english)) == []
    assert [key for texts in (chinese, english) for key, forms in texts.items() if not all(forms)] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_no_key_has_two_texts(locale: str) -> None:
    """Of two the one read last would be shown, and the other one edited in vain."""
    files = sorted((PACKAGE / "i18n" / "locales" / locale).glob("*.po"))
    keys = [key for file in files for key in re.findall(r'^msgid "(.+)"$', file.read_text(), re.MULTILINE)]

    assert len(keys) > 1_000
    assert sorted({key for key, times in Counter(keys).items() if times > 1}) == []


def test_both_languages_fill_in_the_same_values() -> None:
    def values(forms: tuple[str, ...]) -> set[tuple[str, str]]:
        return {found for form in forms for found in PLACEHOLDER.findall(form)}

    chinese, english = _forms("zh"), _forms("en")
    different = [key for key in chinese if values(chinese[key]) != values(english.get(key, ()))]

    assert different == []


@pytest.mark.parametrize("folder", SCREENS)
def test_no_screen_shows_a_text_that_is_not_in_the_catalogs(folder: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {text}"
        for path, tree in _python()
        if path.relative_to(PACKAGE).parts[0] == folder
        for line, text in literals_shown(tree)
    ]

    assert found == []


@pytest.mark.parametrize("folder", SCREENS)
def test_no_screen_has_chinese_in_its_code(folder: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.value}"
        for path, tree in _python()
        if path.relative_to(PACKAGE).parts[0] == folder
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CHINESE.search(node.value)
    ]

    assert found == []


def test_no_script_shows_a_text_that_is_not_in_the_catalogs() -> None:
    found = {
        str(path.relative_to(PACKAGE)): texts
        for path, source in _scripts()
        if (texts := literals_in_script(source))
    }

    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'rx.text("Hello")',
        'rx.el.button("保存", on_click=x)',
        'rx.el.input(placeholder="Name")',
        'icon_button("x", label="Close")',
        'rx.text(f"Total {n}")',
    ],
)
def test_a_planted_literal_is_found(source: str) -> None:
    assert len(list(literals_shown(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source", ['h("p", { title: "Close" })', 'h("p", null, "Nothing here")', "`共 ${n} 条`"]
)
def test_a_planted_literal_in_a_script_is_found(source: str) -> None:
    assert len(literals_in_script(source)) == 1


def test_texts_fill_in_values_labels_and_moments() -> None:
    said = translate(
        "ticket.stale", "en", who="Li Na", when="2026-11-21T08:05:00+00:00", what="ticket.returned"
    )

    assert said == "Li Na sent it back at 08:05:00. Look at the ticket again before you go on."


def test_a_count_picks_its_plural_form() -> None:
    assert translate("table.total", "en", n=1) == "1 row"
    assert translate("table.total", "en", n=1200) == "1,200 rows"
    assert translate("table.total", "zh", n=1200) == "共 1,200 条"


def test_a_key_that_nobody_wrote_is_said_as_it_is() -> None:
    assert translate("no.such_key", "zh") == "no.such_key"


@pytest.mark.parametrize(
    ("accept", "chosen", "spoken"),
    [
        ("en-GB,en;q=0.9", None, "en"),
        ("zh-TW,zh;q=0.9,en;q=0.8", None, "zh"),
        ("fr,en;q=0.3,zh;q=0.5", None, "zh"),
        ("fr", None, "zh"),
        ("", None, "zh"),
        ("en", "zh", "zh"),
        ("zh", "xx", "zh"),
    ],
)
def test_a_visitor_is_spoken_to_in_their_language(accept: str, chosen: str | None, spoken: str) -> None:
    assert negotiate(accept, chosen) == spoken
