"""My pay on my phone: my months, what each ticket brought, how it came about, and what I say about it."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading, transaction
from ticket_console.kernel.errors import NotFound
from ticket_console.settlement import disputes, payees, paying, reads, statements
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.kinds import StatementState
from ticket_console.settlement.statements import StatementView
from ticket_console.state.explaining import dispute_plain
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.settlement import (
    Asked,
    asked_of,
    files,
    open_dispute,
    pointed_at,
    statement_plain,
    ticket_of,
)

Plain = dict[str, Any]


class PayState(SessionState):
    status: str = "loading"
    view: Plain = {}
    # What a dialog asks about: "confirm" a statement or "dispute" a node.
    asking: str = ""
    about: Plain = {}
    busy: bool = False
    _command_id: str = ""

    @handler(permission="settlement.view_own")
    async def load(self) -> Reply:
        if self._actor().technician_id is None:
            self.status = "stranger"
            return None
        try:
            await self._show()
        except NotFound:
            self.status = "missing"
        except Exception:
            self.status = "failed"
            raise
        return None

    @handler(permission="settlement.respond")
    async def ask_dispute(self, rating_id: int, path: str) -> Reply:
        self._command_id = str(uuid4())
        self.about = await off_loop(pointed_at, viewer=self._actor(), rating_id=rating_id, path=path)
        self.asking = "dispute"
        return None

    @handler(permission="settlement.respond")
    async def dispute(self, text: str) -> Reply:
        asked, self.asking = dict(self.about), ""
        try:
            await in_writer(
                open_dispute,
                actor=self._actor(),
                at=self._now(),
                rating_id=int(asked["rating_id"]),
                node=str(asked["path"]),
                text=text,
                command_id=self._command_id,
            )
        finally:
            await self._show()
        return done("settle.dispute_opened")

    @handler(permission="settlement.respond")
    async def ask_confirm(self, statement_id: int) -> Reply:
        self._command_id = str(uuid4())
        found = await off_loop(_mine, viewer=self._actor(), statement_id=statement_id)
        self.about, self.asking = found, "confirm"
        return None

    @handler(permission="settlement.respond")
    async def confirm(self, _reason: str) -> Reply:
        asked, self.asking, self.busy = dict(self.about), "", True
        try:
            await in_writer(
                _confirm,
                actor=self._actor(),
                at=self._now(),
                statement_id=int(asked["id"]),
                expected_version=int(asked["version"]),
                command_id=self._command_id,
            )
        finally:
            self.busy = False
            await self._show()
        return done("pay.confirmed", n=int(asked["number"]))

    @handler(permission="settlement.view_own")
    async def stop_asking(self) -> Reply:
        self.asking = ""
        return None

    async def _show(self) -> None:
        asked = asked_of(self.router.url.query_parameters)
        self.view = await off_loop(look, viewer=self._actor(), at=self._now(), asked=asked)
        self.status = "ready"


def look(*, viewer: Actor, at: datetime, asked: Asked) -> Plain:
    """My months; of the one asked for my statements and tickets; of the ticket asked for how it was paid."""
    policy.require(viewer, "settlement.view_own")
    payee = payees.technician(viewer.technician_id or 0)
    with reading() as connection:
        org = places.org(connection, viewer.org_id)
        periods = reads.periods(connection, viewer=viewer)
        period = next((each for each in periods if each.id == asked.period_id), None) or next(
            (each for each in periods if each.starts_at <= at < each.ends_at), next(iter(periods), None)
        )
        view: Plain = {
            "currency": org.currency,
            "tz": org.tz,
            "months": [_month(each, period) for each in periods],
            "period": None,
            "ticket": None,
        }
        if period is None:
            return view
        page = reads.ticket_totals(
            connection,
            viewer=viewer,
            period_id=period.id,
            payee=payee,
            offset=(asked.page - 1) * reads.PAGE,
        )
        known = statements.of_payee(connection, viewer=viewer, payee=payee, period_id=period.id)
        shown = [each for each in known if each.state is not StatementState.DRAFT]
        said = [
            each
            for each in disputes.inbox(connection, viewer=viewer, period_id=period.id)
            if (each.payee_kind, each.payee_id) == (payee.kind, payee.id)
        ]
        disputed = {each.dispute.ticket_id for each in said if each.dispute.is_undecided}
        here = f"/pay?period={period.id}"
        view |= {
            "period": {"id": period.id, "code": period.code, "state": period.state.value, "href": here},
            "total_minor": page.total_minor,
            "count": page.count,
            "page": asked.page,
            "pages": max(-(-page.count // reads.PAGE), 1),
            "tickets": [
                {
                    "ticket_no": each.ticket_no,
                    "service_at": each.service_at.isoformat(),
                    "entries": each.entries,
                    "total_minor": each.total_minor,
                    "is_disputed": each.ticket_id in disputed,
                    "href": f"{here}&ticket={each.ticket_id}",
                }
                for each in page.rows
            ],
            "statements": [
                {**statement_plain(each), "can_confirm": each.state is StatementState.ISSUED}
                for each in shown
            ],
            "files": files(f"/api/v1/periods/{period.id}/technicians/{payee.id}/earnings"),
            "disputes": [
                {
                    **dispute_plain(
                        each.dispute,
                        disputes.rating_with(
                            connection,
                            viewer=viewer,
                            rating_id=each.dispute.rating_id,
                            path=each.dispute.node,
                        )[1].name,
                    ),
                    "ticket_no": each.ticket_no,
                    "href": f"{here}&ticket={each.dispute.ticket_id}",
                }
                for each in said
            ],
        }
        if asked.ticket_id is not None:
            view["ticket"] = ticket_of(connection, viewer, asked.ticket_id, payee)
    return view


def _month(period: PeriodView, chosen: PeriodView | None) -> Plain:
    return {
        "code": period.code,
        "href": f"/pay?period={period.id}",
        "is_here": chosen is not None and chosen.id == period.id,
    }


def _mine(*, viewer: Actor, statement_id: int) -> Plain:
    with reading() as connection:
        found = statements.statement_view(connection, viewer=viewer, statement_id=statement_id)
    return statement_plain(found)


def _confirm(**change: Any) -> StatementView:
    with transaction() as connection:
        return paying.confirm(connection, **change)
