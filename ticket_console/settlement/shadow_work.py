"""A shadow run as long work: begun by whoever drafts rules, with its result as values for a screen."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.long_work import Done, Progress
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import drafting, payees, wording
from ticket_console.settlement.kinds import OwnerKind, Purpose
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.shadow import STEPS, ShadowRun
from ticket_console.settlement.shadowing import shadow_run
from ticket_console.tickets.tables import Ticket

_TICKETS = table(Ticket)

# Of more people nobody reads the list; the sums are of all.
MOST_LISTED: Final = 300
_OWNERS: Final[Mapping[Purpose, OwnerKind]] = {
    Purpose.WORKER_PAY: OwnerKind.TECHNICIAN,
    Purpose.VENDOR_PAY: OwnerKind.VENDOR,
    Purpose.CUSTOMER_CHARGE: OwnerKind.CUSTOMER,
}


class BadShadowPeriod(InvalidInput):
    """Days that are none, or the last before the first."""

    code = "settlement.bad_shadow_period"


def build(*, actor: Actor, at: datetime, args: Mapping[str, Any], folder: Path, progress: Progress) -> Done:
    """Rate the work of [since, until] by a version and by what was in force.

    `args`: {version_id, since, until}, the days as text, both included. The ledger is read and never written.
    """
    since, until = days_of(args)
    version_id = int(args["version_id"])
    with reading() as conn:
        rules = drafting.rules_of_version(conn, viewer=actor, version_id=version_id)
        purpose = drafting.purpose_of_version(conn, viewer=actor, version_id=version_id)
        run = shadow_run(
            conn,
            actor=actor,
            rules=rules,
            since=since,
            until=date.fromordinal(until.toordinal() + 1),
            purpose=purpose,
            progress=lambda done, total: progress(done, total, ""),
        )
        names = _names(conn, actor.org_id, purpose, run)
        numbers = _numbers(conn, actor.org_id, run)
    return Done(
        {
            "hash": rules.content_hash,
            "currency": rules.currency,
            **_figures(run, names),
            "outliers": [
                {
                    "id": each.ticket_id,
                    "no": numbers.get(each.ticket_id, ""),
                    "name": dict(names.get(each.payee_id, {})),
                    "before": each.before_minor,
                    "after": each.after_minor,
                }
                for each in run.outliers
            ],
        }
    )


def days_of(args: Mapping[str, Any]) -> tuple[date, date]:
    """The first and the last day of a run. Raises BadShadowPeriod."""
    found = {}
    for key in ("since", "until"):
        try:
            found[key] = date.fromisoformat(str(args.get(key, "")))
        except ValueError:
            raise BadShadowPeriod((FieldProblem(key, "settlement.rules.not_a_day"),)) from None
    if found["until"] < found["since"]:
        raise BadShadowPeriod((FieldProblem("until", "settlement.shadow.ends_before_it_starts"),))
    return found["since"], found["until"]


def _figures(run: ShadowRun, names: Mapping[int, LocalText]) -> dict[str, Any]:
    return {
        "tickets": run.tickets,
        "changed": run.changed,
        "before": run.before_minor,
        "after": run.after_minor,
        "gaining": run.gaining,
        "losing": run.losing,
        "dimensions": [
            {
                "value": dimension.value,
                "label": dict(wording.DIMENSIONS[dimension]),
                "before": before,
                "after": after,
            }
            for dimension, (before, after) in run.by_dimension.items()
            if before or after
        ],
        "people": len(run.payees),
        "payees": [
            {
                "id": each.payee_id,
                "name": dict(names.get(each.payee_id, {})),
                "tickets": each.tickets,
                "changed": each.changed,
                "before": each.before_minor,
                "after": each.after_minor,
            }
            for each in run.payees[:MOST_LISTED]
        ],
        "spread": list(run.spread),
        "steps": list(STEPS),
    }


def _names(conn: Connection, org_id: int, purpose: Purpose, run: ShadowRun) -> dict[int, LocalText]:
    kind = _OWNERS[purpose]
    wanted = {each.payee_id for each in run.payees[:MOST_LISTED]} | {each.payee_id for each in run.outliers}
    return {each: payees.name_of(conn, org_id=org_id, payee=Payee(kind, each)) for each in sorted(wanted)}


def _numbers(conn: Connection, org_id: int, run: ShadowRun) -> dict[int, str]:
    wanted: Iterable[int] = [each.ticket_id for each in run.outliers]
    rows = conn.execute(
        sa.select(_TICKETS.c.id, _TICKETS.c.no).where(_TICKETS.c.org_id == org_id, _TICKETS.c.id.in_(wanted))
    )
    return {row.id: row.no for row in rows}
