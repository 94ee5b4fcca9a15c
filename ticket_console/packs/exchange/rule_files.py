"""The trigger rules as they are exchanged: one file in their order, since of two the first decides."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy.engine import Connection

from ticket_console.forms.json_form import JsonForm
from ticket_console.intake import rule_book
from ticket_console.intake.trigger_rules import TriggerRuleView, parse_content
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.ids import command_id_of
from ticket_console.packs.exchange.definitions import Definition, Hand, Reference
from ticket_console.packs.exchange.shapes import BadDefinition

CODE: Final = "intake"
_OWN: Final = frozenset({"code", "active"})


class _BookForm(JsonForm):
    rules: Annotated[list[dict[str, Any]], Field(max_length=rule_book.MOST_RULES)]


class _RuleForm(JsonForm):
    code: Annotated[str, Field(pattern="^[a-z][a-z0-9_-]{0,63}$")]
    active: bool = True


class RuleBook:
    """The rules of a file come in its order; those that are only here stay, behind them."""

    name = "rule_book"
    permissions: tuple[str, ...] = ("rules.manage",)
    wrapper = ""

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return (CODE,) if rule_book.trigger_rules(conn, org_id) else ()

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        rules = rule_book.trigger_rules(conn, org_id) if code == CODE else ()
        return {"rules": [_written(rule) for rule in rules]} if rules else None

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        form = _BookForm.read(document, BadDefinition)
        problems: list[FieldProblem] = []
        rules: dict[str, dict[str, Any]] = {}
        for index, said in enumerate(form.rules):
            try:
                own = _RuleForm.read({key: said[key] for key in said if key in _OWN}, BadDefinition)
                content = parse_content({key: said[key] for key in said if key not in _OWN})
            except InvalidInput as wrong:
                problems += [
                    FieldProblem(f"rules[{index}].{each.path}", each.code, each.params)
                    for each in wrong.problems
                ]
                continue
            if own.code in rules:
                problems.append(
                    FieldProblem(f"rules[{index}].code", "exchange.rule_twice", {"code": own.code})
                )
            rules[own.code] = own.plain() | _short(content.as_json())
        if problems:
            raise BadDefinition(tuple(problems))
        return {"rules": list(rules.values())}

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        codes = {rule["code"] for rule in wanted["rules"]}
        here = [rule for rule in current["rules"] if rule["code"] not in codes]
        return {"rules": [*wanted["rules"], *here]}

    def needs(self, definition: Definition) -> frozenset[Reference]:
        return frozenset(Reference("form", rule["template"]) for rule in definition.document["rules"])

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        if definition.code != CODE:
            raise BadDefinition((FieldProblem("code", "exchange.rules_have_one_file", {"code": CODE}),))

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        """A rule starts tickets of a form that can be used, so forms have their flows by then."""
        problems: list[FieldProblem] = []
        for index, rule in enumerate(definition.document["rules"]):
            try:
                _put(conn, hand, rule)
            except InvalidInput as wrong:
                problems += [
                    FieldProblem(f"rules[{index}].{each.path}", each.code, each.params)
                    for each in wrong.problems
                ]
        if problems:
            raise BadDefinition(tuple(problems))
        here = [rule.code for rule in rule_book.trigger_rules(conn, hand.actor.org_id)]
        brought = [rule["code"] for rule in definition.document["rules"]]
        rule_book.put_order(
            conn,
            actor=hand.actor,
            at=hand.at,
            command_id=command_id_of(hand.command_id, "rules", "order"),
            codes=[*brought, *(code for code in here if code not in brought)],
        )


def _put(conn: Connection, hand: Hand, rule: Mapping[str, Any]) -> None:
    code = rule["code"]
    known = {each.code: each for each in rule_book.trigger_rules(conn, hand.actor.org_id)}
    put = rule_book.put_rule(
        conn,
        actor=hand.actor,
        at=hand.at,
        command_id=command_id_of(hand.command_id, "rule", code),
        code=code,
        content={key: value for key, value in rule.items() if key not in _OWN},
        expected_version=known[code].version if code in known else None,
    )
    rule_book.put_active(
        conn,
        actor=hand.actor,
        at=hand.at,
        command_id=command_id_of(hand.command_id, "rule", code, "active"),
        code=code,
        active=rule.get("active", True),
        expected_version=put.version,
    )


def _written(rule: TriggerRuleView) -> dict[str, Any]:
    resting = {} if rule.is_active else {"active": False}
    return {"code": rule.code, **resting, **_short(rule.content.as_json())}


def _short(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if value is not None and value is not False}
