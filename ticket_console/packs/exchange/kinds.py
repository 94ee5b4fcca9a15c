"""The kinds of definitions that can be exchanged, in the order in which they are written."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from itertools import chain
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy.engine import Connection

from ticket_console.clocks.calendars import calendars_of
from ticket_console.desk.rates import rate_problems
from ticket_console.flows import in_use as flows_in_use
from ticket_console.flows import publishing as flow_publishing
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph_json import graph_json, parse_graph
from ticket_console.flows.reads import FlowNotFound
from ticket_console.forms import in_use as forms_in_use
from ticket_console.forms import publishing as form_publishing
from ticket_console.forms.definitions import InvalidDefinition, definition_json, parse_definition
from ticket_console.forms.json_form import JsonForm
from ticket_console.forms.rates import bound_options
from ticket_console.kernel.actor import Role
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.ids import command_id_of
from ticket_console.kernel.text import LOCALES
from ticket_console.packs.exchange.calendar_files import Calendars
from ticket_console.packs.exchange.definitions import Definition, Hand, Kind, Reference
from ticket_console.packs.exchange.override_files import Overrides
from ticket_console.packs.exchange.rule_files import RuleBook
from ticket_console.packs.exchange.shapes import BadDefinition, Code, NameText
from ticket_console.packs.exchange.suite_files import GoldenTickets
from ticket_console.people import hiring
from ticket_console.people import reads as people_reads
from ticket_console.settlement import in_use as rules_in_use
from ticket_console.settlement.rule_parsing import BadRules, parse_rules

_ROLES: Final = frozenset(role.value for role in Role)


class _SkillForm(JsonForm):
    name: NameText


class Skills:
    """A skill that is there already stays as it is: its name belongs to the installation."""

    name = "skill"
    permissions: tuple[str, ...] = ("user.manage",)
    wrapper = ""

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return tuple(sorted(skill.code for skill in people_reads.skills(conn, org_id)))

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        found = {skill.code: skill.name for skill in people_reads.skills(conn, org_id)}
        return {"name": dict(found[code])} if code in found else None

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        return _SkillForm.read(document, BadDefinition).plain()

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        return current

    def needs(self, definition: Definition) -> frozenset[Reference]:
        return frozenset()

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        if definition.code in self.codes(conn, hand.actor.org_id):
            return
        hiring.add_skill(
            conn,
            actor=hand.actor,
            at=hand.at,
            command_id=command_id_of(hand.command_id, "skill", definition.code),
            code=definition.code,
            name={locale: definition.name.get(locale) or definition.code for locale in LOCALES},
        )

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        return


class _FormForm(JsonForm):
    name: NameText
    business_line: Annotated[str, Field(max_length=64)]
    ticket_class: Annotated[str, Field(max_length=32)]
    icon: Annotated[str, Field(max_length=64)] = ""
    is_public: bool = False
    keywords: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=200)] = Field(
        default_factory=list
    )
    flow: Code | None = None
    definition: dict[str, Any]


class Forms:
    name = "form"
    permissions: tuple[str, ...] = ("template.manage",)
    wrapper = "definition"

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return forms_in_use.codes(conn, org_id)

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        found = forms_in_use.form(conn, org_id, code)
        if found is None:
            return None
        face = asdict(found.face)
        flow = None if found.flow_id is None else flows_in_use.code_of(conn, org_id, found.flow_id)
        return self.normal(
            {**face, "keywords": list(face["keywords"]), "flow": flow, "definition": found.definition}
        )

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        form = _FormForm.read(document, BadDefinition)
        return {**form.plain(), "definition": definition_json(parse_definition(form.definition))}

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        return wanted

    def needs(self, definition: Definition) -> frozenset[Reference]:
        flow = definition.document.get("flow")
        bound = bound_options(parse_definition(definition.document["definition"]))
        rates = {Reference("rule_set", agreed.rule_set) for _, _, agreed in bound}
        return frozenset(rates | ({Reference("flow", flow)} if flow else set()))

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        form = _FormForm.read(definition.document, BadDefinition)
        form_publishing.publish_template(
            conn,
            actor=hand.actor,
            at=hand.at,
            code=definition.code,
            face=form_publishing.TemplateFace(
                name=form.name,
                business_line=form.business_line,
                ticket_class=form.ticket_class,
                icon=form.icon,
                is_public=form.is_public,
                keywords=tuple(form.keywords),
            ),
            definition=form.definition,
        )

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        form = parse_definition(definition.document["definition"])
        if problems := tuple(rate_problems(conn, hand.actor.org_id, form)):
            raise InvalidDefinition(problems)
        code = definition.document.get("flow")
        if code is None:
            return
        flow = flow_reads.current_version(conn, hand.actor.org_id, code)
        form_publishing.use_flow(
            conn, actor=hand.actor, code=definition.code, flow_id=flow.flow_id, flow_version_id=flow.id
        )


class _FlowForm(JsonForm):
    name: NameText
    graph: dict[str, Any]


class Flows:
    name = "flow"
    permissions: tuple[str, ...] = ("flow.manage",)
    wrapper = "graph"

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return flows_in_use.codes(conn, org_id)

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        try:
            flow = flows_in_use.drawn(conn, org_id, code)
        except FlowNotFound:
            return None
        return self.normal({"name": flow.name, "graph": flow.graph})

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        form = _FlowForm.read(document, BadDefinition)
        graph = graph_json(parse_graph(form.graph))
        # A number of a version means nothing elsewhere; it is pinned anew when the flow is published.
        nodes = [_without_pin(node) for node in graph["nodes"]]
        return {**form.plain(), "graph": {**graph, "nodes": nodes}}

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        return wanted

    def needs(self, definition: Definition) -> frozenset[Reference]:
        graph = definition.document["graph"]
        named = [*map(_named_by, graph["nodes"]), *map(_calendar_of, graph["edges"])]
        return frozenset(chain.from_iterable(named))

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        flow_publishing.publish_flow(
            conn,
            actor=hand.actor,
            at=hand.at,
            code=definition.code,
            name=definition.name,
            graph=definition.document["graph"],
            calendars=calendars_of(conn, hand.actor.org_id),
        )

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        return


def _without_pin(node: Mapping[str, Any]) -> dict[str, Any]:
    if "subflow" not in node:
        return dict(node)
    return {**node, "subflow": {key: value for key, value in node["subflow"].items() if key != "version_id"}}


def _named_by(node: Mapping[str, Any]) -> Iterator[Reference]:
    handlers = [node.get("handler"), *(each.get("handler") for each in node.get("handlers", ()))]
    for handler in filter(None, handlers):
        if handler.get("role"):
            yield Reference("role", handler["role"])
        if handler.get("skill"):
            yield Reference("skill", handler["skill"])
    for role in node.get("permissions", {}):
        yield Reference("role", role)
    for part in node.get("parts", ()):
        yield Reference("part", part["sku"])
    if node.get("subflow"):
        yield Reference("flow", node["subflow"]["flow"])
    for action in node.get("actions", ()):
        if action.get("kind") == "create_ticket":
            yield Reference("form", action["template"])
    yield from _calendar_of(node)


def _calendar_of(part: Mapping[str, Any]) -> Iterator[Reference]:
    if part.get("calendar"):
        yield Reference("calendar", part["calendar"])


class _RuleVersionForm(JsonForm):
    effective_from: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    rules: dict[str, Any]


class _RuleSetForm(JsonForm):
    name: NameText
    versions: Annotated[list[_RuleVersionForm], Field(max_length=500)]


class RuleSets:
    """Settlement rules with every published version: what rated last month's work travels along."""

    name = "rule_set"
    permissions: tuple[str, ...] = ("rules.manage",)
    wrapper = "versions"

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return rules_in_use.codes(conn, org_id)

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        found = rules_in_use.rule_set(conn, org_id, code)
        if found is None:
            return None
        versions = [
            {"effective_from": version.effective_from.isoformat(), "rules": version.rules}
            for version in found.versions
        ]
        return self.normal({"name": found.name, "versions": versions})

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        form = _RuleSetForm.read(document, BadDefinition)
        problems: list[FieldProblem] = []
        versions = []
        for index, version in enumerate(form.versions):
            path = f"versions[{index}]"
            try:
                date.fromisoformat(version.effective_from)
            except ValueError:
                problems.append(FieldProblem(f"{path}.effective_from", "input.bad_format"))
            try:
                rules = _short(parse_rules(version.rules).to_json())
            except BadRules as wrong:
                problems += [
                    FieldProblem(f"{path}.rules.{each.path}".rstrip("."), each.code, each.params)
                    for each in wrong.problems
                ]
                continue
            versions.append({"effective_from": version.effective_from, "rules": rules})
        days = [version.effective_from for version in form.versions]
        if days != sorted(set(days)):
            problems.append(FieldProblem("versions", "exchange.versions_out_of_order"))
        if problems:
            raise BadDefinition(tuple(problems))
        return {"name": form.name, "versions": versions}

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """Published versions never go away: the file's are added to them."""
        days = {version["effective_from"]: version for version in current["versions"]}
        days |= {version["effective_from"]: version for version in wanted["versions"]}
        return {"name": wanted["name"], "versions": [days[day] for day in sorted(days)]}

    def needs(self, definition: Definition) -> frozenset[Reference]:
        return frozenset()

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        versions = tuple(
            rules_in_use.PublishedRules(date.fromisoformat(each["effective_from"]), each["rules"])
            for each in definition.document["versions"]
        )
        rules_in_use.take_over(
            conn,
            actor=hand.actor,
            at=hand.at,
            command_id=command_id_of(hand.command_id, "rules"),
            wanted=rules_in_use.RuleSetInUse(definition.code, definition.name, versions),
        )

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        return


def _short(rules: Mapping[str, Any]) -> dict[str, Any]:
    """A rule set without what every rule may leave out, as people write it."""
    return {
        **rules,
        "rules": [
            {key: value for key, value in rule.items() if value not in (None, [], "0") and key != "rounding"}
            | ({} if rule["rounding"] == "half_up" else {"rounding": rule["rounding"]})
            for rule in rules["rules"]
        ],
    }


# Written in this order: a form defines the fields that flows ask for, and is led to its flow at the end.
KINDS: Final[tuple[Kind, ...]] = (
    Skills(),
    Calendars(),
    Forms(),
    Overrides(),
    Flows(),
    GoldenTickets(),
    RuleSets(),
    RuleBook(),
)
KIND: Final[Mapping[str, Kind]] = {kind.name: kind for kind in KINDS}


def is_role(code: str) -> bool:
    """Whether the console knows a role; nobody can bring one along."""
    return code in _ROLES
