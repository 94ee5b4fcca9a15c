"""The bench on which a condition is tried: on one ticket, and on those open now or opened last month."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ticket_console.access import places
from ticket_console.desk import condition_bench
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state.rule_words import ticket_fields, verdict_rows
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets import reads

Plain = dict[str, Any]


class ConditionBenchState(SessionState):
    fields: list[Plain] = []
    tree: Plain = {}
    problems: list[Plain] = []
    verdict: Plain = {}
    matches: list[Plain] = []

    @handler(permission="rules.manage")
    async def load(self) -> Reply:
        self.fields = await off_loop(_fields, viewer=self._actor())
        return None

    @handler(permission="rules.manage")
    async def set_tree(self, tree: Plain | None) -> Reply:
        self.tree, self.problems, self.verdict, self.matches = tree or {}, [], {}, []
        return None

    @handler(permission="rules.manage")
    async def judge(self, form: Plain) -> Reply:
        number = str(form.get("ticket_no") or "").strip()[:24]
        await self._asked(_judged, number=number, fields=list(self.fields))
        return None

    @handler(permission="rules.manage")
    async def count(self) -> Reply:
        await self._asked(_counted, at=self._now())
        return None

    async def _asked(self, ask: Any, **more: Any) -> None:
        self.problems = []
        try:
            found = await off_loop(ask, viewer=self._actor(), tree=dict(self.tree), **more)
        except InvalidInput as refused:
            self.problems = [
                {"path": each.path, "code": each.code, "params": dict(each.params)}
                for each in refused.problems
            ]
            return
        for part, value in found.items():
            setattr(self, part, value)


def _fields(*, viewer: Actor) -> list[Plain]:
    with reading() as connection:
        return ticket_fields(connection, viewer.org_id)


def _judged(*, viewer: Actor, tree: Mapping[str, Any], number: str, fields: Sequence[Plain]) -> Plain:
    with reading() as connection:
        ticket_id = reads.ticket_id_by_no(connection, viewer=viewer, no=number)
        parts = condition_bench.judge(connection, viewer=viewer, ticket_id=ticket_id, tree=tree)
        zone = places.org(connection, viewer.org_id).tz
    return {
        "verdict": {
            "no": number,
            "ticket_id": ticket_id,
            "holds": parts[0].holds,
            "parts": verdict_rows(parts, fields, zone),
        }
    }


def _counted(*, viewer: Actor, tree: Mapping[str, Any], at: datetime) -> Plain:
    with reading() as connection:
        found = {
            period: condition_bench.matching(
                connection, viewer=viewer, tree=tree, at=at, last_month=last_month
            )
            for period, last_month in (("open", False), ("last_month", True))
        }
    return {
        "matches": [
            {
                "period": period,
                "count": each.count,
                "of": each.of,
                "examples": [
                    {"id": ticket_id, "no": number, "title": title}
                    for ticket_id, number, title in each.examples
                ],
            }
            for period, each in found.items()
        ]
    }
