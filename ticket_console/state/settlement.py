"""Settlement on screen: from a period over its technicians and their tickets to how each line was computed.

The address says where one is: period, region, technician, ticket, page. A technician sees the same
page narrowed to their own pay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from pydantic_core import to_jsonable_python

from ticket_console.access import places, policy
from ticket_console.access.places import OrgView
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading, transaction
from ticket_console.kernel.errors import NotFound
from ticket_console.people import reads as people
from ticket_console.reports import metrics
from ticket_console.settlement import closing, payees, reads, statements
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.kinds import PeriodState, StatementState
from ticket_console.settlement.reads import RatingView, TechnicianTotal, TicketTotal
from ticket_console.settlement.statements import StatementView
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_CLOSABLE: Final = {PeriodState.OPEN, PeriodState.CLOSING}


class PayTicketNotFound(NotFound):
    code = "settle.ticket_not_found"


@dataclass(frozen=True, slots=True)
class Asked:
    """Where an address leads; what makes no sense there leads nowhere."""

    period_id: int | None = None
    region_id: int | None = None
    technician_id: int | None = None
    ticket_id: int | None = None
    page: int = 1


class SettlementState(SessionState):
    status: str = "loading"
    view: Plain = {}
    # What a dialog asks about: "issue", "closing" or "closed".
    asking: str = ""
    draft: Plain = {}
    busy: bool = False
    _command_id: str = ""

    @handler(permission="ticket.view")
    async def load(self) -> Reply:
        viewer = self._actor()
        if not any(policy.allows(viewer, each) for each in ("settlement.view", "settlement.view_own")):
            self.view = {}
            self.status = "closed"
            return None
        try:
            await self._show()
        except NotFound:
            self.status = "missing"
        except Exception:
            self.status = "failed"
            raise
        return None

    @handler(permission="settlement.issue")
    async def ask_issue(self) -> Reply:
        """Bring the draft up to date and show it; only what is shown here will be issued."""
        self._command_id = str(uuid4())
        drafted = await in_writer(
            _draft,
            actor=self._actor(),
            technician_id=int(self.view["technician"]["id"]),
            period_id=int(self.view["period"]["id"]),
            command_id=self._command_id,
        )
        self.draft = to_jsonable_python(drafted)
        self.asking = "issue"
        return None

    @handler(permission="settlement.issue")
    async def issue(self, _reason: str) -> Reply:
        draft, self.asking, self.busy = dict(self.draft), "", True
        try:
            issued = await in_writer(
                _issue,
                actor=self._actor(),
                at=self._now(),
                statement_id=int(draft["id"]),
                expected_version=int(draft["version"]),
                command_id=self._command_id,
            )
        finally:
            self.busy = False
            await self._show()
        return done("settle.issued", n=issued.number, who=issued.payee_name)

    @handler(permission="period.close")
    async def ask_close(self) -> Reply:
        state = self.view["period"]["state"]
        self._command_id = str(uuid4())
        self.asking = "closing" if state == PeriodState.OPEN.value else "closed"
        return None

    @handler(permission="period.close")
    async def close_period(self, _reason: str) -> Reply:
        """One step on: an open period takes no new work, a closing one is locked for good."""
        move = closing.begin_closing if self.asking == "closing" else closing.close
        self.asking, self.busy = "", True
        try:
            period = await in_writer(
                _move,
                move,
                actor=self._actor(),
                at=self._now(),
                period_id=int(self.view["period"]["id"]),
                expected_version=int(self.view["period"]["version"]),
                command_id=self._command_id,
            )
        finally:
            self.busy = False
            await self._show()
        return done(
            "settle.period_moved", period=period.code, state=f"settlement.period.{period.state.value}"
        )

    @handler(permission="ticket.view")
    async def stop_asking(self) -> Reply:
        self.asking = ""
        return None

    async def _show(self) -> None:
        asked = asked_of(self.router.url.query_parameters)
        self.view = await off_loop(look, viewer=self._actor(), at=self._now(), asked=asked)
        self.status = "ready"


def asked_of(asked: Mapping[str, str]) -> Asked:
    def whole(name: str) -> int | None:
        text = asked.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None

    return Asked(
        period_id=whole("period"),
        region_id=whole("region"),
        technician_id=whole("technician"),
        ticket_id=whole("ticket"),
        page=whole("page") or 1,
    )


def look(*, viewer: Actor, at: datetime, asked: Asked) -> Plain:
    """What the page shows at an address, with the addresses that lead on from there."""
    reads_all = policy.allows(viewer, "settlement.view")
    with reading() as connection:
        org = places.org(connection, viewer.org_id)
        periods = reads.periods(connection, viewer=viewer)
        period = _chosen(periods, asked.period_id, at)
        regions = places.regions(connection, org.id) if reads_all else ()
        view: Plain = {
            "is_mine": not reads_all,
            "periods": [_period_choice(each) for each in periods],
            "regions": [{"value": str(each.id), "label": each.name} for each in regions],
            "currency": org.currency,
            "tz": org.tz,
            "period": None,
            "technician": None,
            "ticket": None,
        }
        if period is None:
            return view
        can_close = policy.row_scope(viewer, "period.close").everything
        view["period"] = {
            **to_jsonable_python(period),
            "is_over": period.ends_at <= at,
            "can_close": can_close and period.state in _CLOSABLE and period.ends_at <= at,
        }
        region_ids = None if asked.region_id is None else metrics.with_below(asked.region_id, regions)
        technician_id = asked.technician_id if reads_all else viewer.technician_id or 0
        here = _Here(period.id, asked.region_id if reads_all else None, reads_all)
        view["totals_files"] = _files(f"/api/v1/periods/{period.id}/totals", region=here.region_id)
        view["up"] = here.address()
        page: reads.Page[Any]
        if technician_id is None:
            page = reads.technician_totals(
                connection,
                viewer=viewer,
                period_id=period.id,
                region_ids=region_ids,
                offset=(asked.page - 1) * reads.PAGE,
            )
            rows = [_technician_row(each, here) for each in page.rows]
        else:
            page = reads.ticket_totals(
                connection,
                viewer=viewer,
                period_id=period.id,
                technician_id=technician_id,
                region_ids=region_ids,
                offset=(asked.page - 1) * reads.PAGE,
            )
            rows = [_ticket_row(each, here, technician_id) for each in page.rows]
            known = statements.of_payee(
                connection, viewer=viewer, payee=payees.technician(technician_id), period_id=period.id
            )
            view["technician"] = _technician(connection, viewer, org, period, technician_id, known, here)
            # What is on statements is about all regions, so the rest is too.
            whole = page.total_minor
            if region_ids is not None:
                whole = reads.ticket_totals(
                    connection, viewer=viewer, period_id=period.id, technician_id=technician_id
                ).total_minor
            stated = sum(each.total_minor for each in known if each.state is not StatementState.DRAFT)
            view["technician"].update(stated_minor=stated, unstated_minor=whole - stated)
            if asked.ticket_id is not None:
                view["ticket"] = _ticket(connection, viewer, asked.ticket_id, technician_id)
        view.update(
            rows=rows,
            count=page.count,
            total_minor=page.total_minor,
            tickets=page.tickets,
            page=asked.page,
            pages=max(-(-page.count // reads.PAGE), 1),
        )
    return view


@dataclass(frozen=True, slots=True)
class _Here:
    """The part of the address that stays while one goes deeper."""

    period_id: int
    region_id: int | None
    reads_all: bool

    def address(self, technician_id: int | None = None, ticket_id: int | None = None) -> str:
        asked = {
            "period": self.period_id,
            "region": self.region_id,
            "technician": technician_id if self.reads_all else None,
            "ticket": ticket_id,
        }
        return f"/settlement?{urlencode({name: value for name, value in asked.items() if value is not None})}"


def _chosen(periods: tuple[PeriodView, ...], period_id: int | None, at: datetime) -> PeriodView | None:
    """The period asked for, else the one of today, else the latest."""
    asked = next((each for each in periods if each.id == period_id), None)
    today = next((each for each in periods if each.starts_at <= at < each.ends_at), None)
    return asked or today or next(iter(periods), None)


def _period_choice(period: PeriodView) -> Plain:
    return {"value": str(period.id), "label": period.code}


def _files(path: str, *, region: int | None = None) -> Plain:
    within = {} if region is None else {"region": region}
    return {form: f"{path}?{urlencode({'format': form, **within})}" for form in ("xlsx", "csv")}


def _technician_row(total: TechnicianTotal, here: _Here) -> Plain:
    return {
        "name": total.name,
        "tickets": total.tickets,
        "total_minor": total.total_minor,
        "currency": total.currency,
        "state": total.statement_state.value if total.statement_state else "",
        "href": here.address(total.technician_id),
    }


def _ticket_row(total: TicketTotal, here: _Here, technician_id: int) -> Plain:
    return {**to_jsonable_python(total), "href": here.address(technician_id, total.ticket_id)}


def _technician(
    connection: Any,
    viewer: Actor,
    org: OrgView,
    period: PeriodView,
    technician_id: int,
    known: tuple[StatementView, ...],
    here: _Here,
) -> Plain:
    shown = [each for each in known if here.reads_all or each.state is not StatementState.DRAFT]
    return {
        "id": technician_id,
        "name": people.names(connection, [technician_id])[technician_id],
        "currency": org.currency,
        "can_issue": policy.allows(viewer, "settlement.issue"),
        "href": here.address(technician_id),
        "files": _files(f"/api/v1/periods/{period.id}/technicians/{technician_id}/earnings"),
        "statements": [
            {**to_jsonable_python(each), "files": _files(f"/api/v1/statements/{each.id}")} for each in shown
        ],
    }


def _ticket(connection: Any, viewer: Actor, ticket_id: int, technician_id: int) -> Plain:
    ratings = [
        each
        for each in reads.ticket_ratings(connection, viewer=viewer, ticket_id=ticket_id)
        if each.payee == payees.technician(technician_id)
    ]
    if not ratings:
        raise PayTicketNotFound()
    return {
        "id": ticket_id,
        "no": ratings[0].ticket_no,
        "href": f"/tickets/{ticket_id}",
        "ratings": [_rating(each) for each in ratings],
    }


def _rating(rating: RatingView) -> Plain:
    """A rating with, at each line, the names of the lines it builds on."""
    names = {line.position: line.dimension_name for line in rating.lines}
    shown: Plain = to_jsonable_python(rating)
    for line in shown["lines"]:
        line["builds_on"] = [names[position] for position in line["base"]]
    return shown


def _draft(*, actor: Actor, technician_id: int, period_id: int, command_id: str) -> StatementView:
    with transaction() as connection:
        return statements.draft(
            connection,
            actor=actor,
            payee=payees.technician(technician_id),
            period_id=period_id,
            command_id=command_id,
        )


def _issue(
    *, actor: Actor, at: datetime, statement_id: int, expected_version: int, command_id: str
) -> StatementView:
    with transaction() as connection:
        return statements.issue(
            connection,
            actor=actor,
            at=at,
            statement_id=statement_id,
            expected_version=expected_version,
            command_id=command_id,
        )


def _move(move: Any, **change: Any) -> PeriodView:
    with transaction() as connection:
        moved: PeriodView = move(connection, **change)
        return moved
