"""Templates that make rules, and rate cards: what they come to goes into the draft whole or not at all."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import FieldProblem
from ticket_console.settlement import drafting
from ticket_console.settlement.rule_editing import (
    Edit,
    problems_of_card,
    problems_of_rule,
    with_card,
    with_rules,
    with_shares,
    without_card,
)
from ticket_console.settlement.rule_parsing import BadRules, parse_rules
from ticket_console.settlement.rule_templates import BY_CODE, BadAnswers, fill
from ticket_console.settlement.sides import SIDE_OF
from ticket_console.state.feedback import done
from ticket_console.state.rule_editor import problem_wires
from ticket_console.state.rulebook import RulebookState
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_MOST_FILLED: Final = 12


class RuleFormsState(SessionState):
    # {rules: [{template, problems, sentence}], problems, inserted: how often something was put in}
    tried: Plain = {}
    card_problems: list[Plain] = []

    @handler(permission="settlement.view")
    async def try_out(self, told: Plain) -> Reply:
        """What the filled-in templates would say in this draft."""
        book = await self.get_state(RulebookState)
        self.tried = {
            **await off_loop(
                tried_templates,
                viewer=self._actor(),
                version_id=int(book._shown()["id"]),
                filled=_filled(told),
            ),
            "inserted": self.tried.get("inserted", 0),
        }
        return None

    @handler(permission="rules.manage")
    async def insert(self, told: Plain) -> Reply:
        """Put the rules of all filled-in templates into the draft at once."""
        book = await self.get_state(RulebookState)
        rules = await off_loop(
            rules_of_templates,
            viewer=self._actor(),
            version_id=int(book._shown()["id"]),
            filled=_filled(told),
        )
        await self._revise(with_rules(*rules))
        self.tried = {"inserted": int(self.tried.get("inserted", 0)) + 1}
        return done("rulebook.inserted", n=len(rules))

    @handler(permission="rules.manage")
    async def save_card(self, told: Plain) -> Reply:
        """Keep a rate card as a whole; what is wrong is shown at its cells and nothing is kept."""
        card = told.get("card")
        card, was = dict(card) if isinstance(card, Mapping) else {}, str(told.get("was", ""))[:64]
        edit = with_card(card, was=was)
        self.card_problems = []
        try:
            await self._revise(edit)
        except BadRules as refused:
            book = await self.get_state(RulebookState)
            self.card_problems = problem_wires(
                await off_loop(
                    _placed,
                    refused.problems,
                    viewer=self._actor(),
                    version_id=int(book._shown()["id"]),
                    edit=edit,
                    code=str(card.get("code")),
                )
            )
            return None
        return done("rulebook.saved")

    @handler(permission="rules.manage")
    async def remove_card(self, code: str) -> Reply:
        self.card_problems = []
        await self._revise(without_card(code[:64]))
        return done("rulebook.removed")

    @handler(permission="rules.manage")
    async def save_shares(self, told: Plain) -> Reply:
        """How totals are shared among worker, partner and company, where a split holds."""
        place, shares = told.get("place"), told.get("shares")
        if not isinstance(shares, Mapping):
            shares = {}
        wanted = {str(party): str(share)[:40] for party, share in shares.items()}
        await self._revise(with_shares(place if isinstance(place, int) else -1, wanted))
        return done("rulebook.saved")

    async def _revise(self, edit: Edit) -> None:
        book = await self.get_state(RulebookState)
        await book._revise(edit)


def _filled(told: Mapping[str, Any]) -> list[tuple[str, Plain]]:
    """Template and answers of each form; what is none is left out."""
    listed = told.get("filled")
    found = []
    for each in listed[:_MOST_FILLED] if isinstance(listed, list) else []:
        if isinstance(each, Mapping) and each.get("template") in BY_CODE:
            answers = each.get("answers")
            found.append((str(each["template"]), dict(answers) if isinstance(answers, Mapping) else {}))
    return found


def _code(template: str, taken: Iterable[str]) -> str:
    """A code of the template's own dimension that no rule has yet."""
    known, base = set(taken), f"{BY_CODE[template].dimension.value}.{template}"
    return next(
        code for n in range(1, len(known) + 2) if (code := base if n == 1 else f"{base}_{n}") not in known
    )


def rules_of_templates(*, viewer: Actor, version_id: int, filled: list[tuple[str, Plain]]) -> list[Plain]:
    """The rules of the templates, each with a code that is free. Raises BadAnswers for the first that is not
    filled in."""
    with reading() as conn:
        known = drafting.rules_of_version(conn, viewer=viewer, version_id=version_id)
        side = SIDE_OF[drafting.purpose_of_version(conn, viewer=viewer, version_id=version_id)]
    taken = [rule.code for rule in known.rules]
    made: list[Plain] = []
    for code, answers in filled:
        template = BY_CODE[code]
        free = _code(code, [*taken, *(rule["code"] for rule in made)])
        made.append(
            {
                **fill(template, answers, code=free, name=template.name, currency=known.currency),
                "sides": [side.value],
            }
        )
    return made


def tried_templates(*, viewer: Actor, version_id: int, filled: list[tuple[str, Plain]]) -> Plain:
    with reading() as conn:
        known = drafting.rules_of_version(conn, viewer=viewer, version_id=version_id)
        side = SIDE_OF[drafting.purpose_of_version(conn, viewer=viewer, version_id=version_id)]
    document = known.to_json()
    taken = [str(rule["code"]) for rule in document["rules"]]
    outcomes: list[Plain] = []
    for code, answers in filled:
        template = BY_CODE[code]
        try:
            rule = fill(
                template, answers, code=_code(code, taken), name=template.name, currency=known.currency
            )
        except BadAnswers as refused:
            outcomes.append({"template": code, "problems": problem_wires(refused.problems), "sentence": {}})
            continue
        taken.append(rule["code"])
        outcomes.append({"template": code, **_alone(document, {**rule, "sides": [side.value]})})
    return {"rules": outcomes, "problems": []}


def _alone(document: Mapping[str, Any], rule: Plain) -> Plain:
    changed = with_rules(rule)(document)
    try:
        rules = parse_rules(changed)
    except BadRules as refused:
        found = problems_of_rule(refused.problems, changed, rule["code"])
        return {"problems": problem_wires(found), "sentence": {}}
    ready = next(each for each in rules.rules if each.code == rule["code"])
    return {"problems": [], "sentence": dict(ready.sentence)}


def _placed(
    problems: Iterable[FieldProblem], *, viewer: Actor, version_id: int, edit: Edit, code: str
) -> tuple[FieldProblem, ...]:
    with reading() as conn:
        document = drafting.rules_of_version(conn, viewer=viewer, version_id=version_id).to_json()
    return problems_of_card(problems, edit(document), code)
