"""One rule in the editor: judged while it is written, shown beside real tickets, kept in the draft."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.settlement import drafting, sentences
from ticket_console.settlement.kinds import Side
from ticket_console.settlement.rule_editing import (
    Edit,
    problems_of_rule,
    with_rule,
    with_value,
    without_rule,
)
from ticket_console.settlement.rule_parsing import BadRules, parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.sentences import ChangedTicket, Examples, NearMiss
from ticket_console.settlement.sides import SIDE_OF
from ticket_console.state.feedback import done
from ticket_console.state.rulebook import RulebookState
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_NOTHING: Final[Plain] = {"problems": [], "sentence": {}, "examples": {}}


class RuleEditorState(SessionState):
    # {problems: [{path, code, params}], sentence: {zh, en}, examples}, of the rule as it was told last.
    judged: Plain = _NOTHING

    @handler(permission="settlement.view")
    async def judge(self, told: Plain) -> Reply:
        """What is wrong with the rule as it stands, what it says, and what it does to real tickets."""
        book = await self.get_state(RulebookState)
        version, live = book._shown(), book.view["live"]
        self.judged = await off_loop(
            judged_rule,
            viewer=self._actor(),
            version_id=int(version["id"]),
            live_id=int(live["id"]) if live else None,
            rule=_rule(told),
            was=str(told.get("was", ""))[:64],
        )
        return None

    @handler(permission="rules.manage")
    async def save(self, told: Plain) -> Reply:
        """Put the rule into the draft; what is wrong with it is shown at its fields and nothing is kept."""
        rule, was = _rule(told), str(told.get("was", ""))[:64]
        try:
            await self._revise(with_rule(rule, was=was))
        except BadRules as refused:
            book = await self.get_state(RulebookState)
            found = await off_loop(
                _placed,
                refused.problems,
                viewer=self._actor(),
                version_id=int(book._shown()["id"]),
                rule=rule,
                was=was,
            )
            self.judged = {**self.judged, "problems": problem_wires(found)}
            return None
        book = await self.get_state(RulebookState)
        book.editing, book.began = "", {}
        self.judged = _NOTHING
        return done("rulebook.saved")

    @handler(permission="rules.manage")
    async def remove(self, code: str) -> Reply:
        await self._revise(without_rule(code[:64]))
        book = await self.get_state(RulebookState)
        book.editing, book.began = "", {}
        self.judged = _NOTHING
        return done("rulebook.removed")

    @handler(permission="rules.manage")
    async def write_value(self, told: Plain) -> Reply:
        """Write one rule's value anew, as the grid does."""
        await self._revise(with_value(str(told.get("code", ""))[:64], str(told.get("value", ""))[:40]))
        return done("rulebook.saved")

    async def _revise(self, edit: Edit) -> None:
        book = await self.get_state(RulebookState)
        await book._revise(edit)


def _rule(told: Mapping[str, Any]) -> Plain:
    rule = told.get("rule")
    return dict(rule) if isinstance(rule, Mapping) else {}


def judged_rule(*, viewer: Actor, version_id: int, live_id: int | None, rule: Plain, was: str) -> Plain:
    with reading() as conn:
        shown = drafting.rules_of_version(conn, viewer=viewer, version_id=version_id)
        live = None if live_id is None else drafting.rules_of_version(conn, viewer=viewer, version_id=live_id)
        purpose = drafting.purpose_of_version(conn, viewer=viewer, version_id=version_id)
        facts = sentences.recent_facts(conn, viewer=viewer, purpose=purpose)
    document = shown.to_json()
    try:
        document = with_rule(rule, was=was)(document)
        rules = parse_rules(document)
    except InvalidInput as refused:
        found = problems_of_rule(refused.problems, document, str(rule.get("code")))
        return {**_NOTHING, "problems": problem_wires(found)}
    except ConsoleError as refused:
        return {**_NOTHING, "problems": problem_wires([FieldProblem("code", refused.code, refused.params)])}
    ready = next(each for each in rules.rules if each.code == rule["code"])
    side = SIDE_OF[purpose] if SIDE_OF[purpose] in ready.sides else ready.sides[0]
    return {
        "problems": [],
        "sentence": dict(ready.sentence),
        "examples": _examples(rules, ready.code, facts, live, side),
    }


def _placed(
    problems: Iterable[FieldProblem], *, viewer: Actor, version_id: int, rule: Plain, was: str
) -> tuple[FieldProblem, ...]:
    with reading() as conn:
        document = drafting.rules_of_version(conn, viewer=viewer, version_id=version_id).to_json()
    return problems_of_rule(problems, with_rule(rule, was=was)(document), str(rule.get("code")))


def _examples(rules: RuleSet, code: str, facts: Any, live: RuleSet | None, side: Side) -> Plain:
    found: Examples = sentences.examples(rules, code, facts, live=live, side=side)
    return {
        "looked_at": found.looked_at,
        "reached": found.reached,
        "against_live": found.against_live,
        "currency": rules.currency,
        "changed": [_changed(each) for each in found.changed],
        "near": [_near(each) for each in found.near],
    }


def _changed(one: ChangedTicket) -> Plain:
    return {
        "id": one.ticket_id,
        "no": one.ticket_no,
        "before": one.before_minor,
        "after": one.after_minor,
        "formulas": list(one.formulas),
    }


def _near(one: NearMiss) -> Plain:
    return {
        "id": one.ticket_id,
        "no": one.ticket_no,
        "why": one.why.value,
        "unmet": [{"said": dict(part.said), "fact": dict(part.fact)} for part in one.unmet],
    }


def problem_wires(problems: Iterable[FieldProblem]) -> list[Plain]:
    return [{"path": each.path, "code": each.code, "params": dict(each.params)} for each in problems]
