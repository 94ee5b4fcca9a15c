"""Settlement on screen: from a period over its payees and their tickets to what each line rests on.

The address says where one is: period, region, kind of payee, payee, ticket, page. One's own pay is a page of
its own (`state.pay`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import reflex as rx
from pydantic_core import to_jsonable_python
from sqlalchemy import Connection

from ticket_console.access import accounts, places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading, retried, transaction
from ticket_console.kernel.errors import NotFound
from ticket_console.reports import metrics
from ticket_console.settlement import closing, disputes, payees, paying, reads, reopening, statements
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.kinds import OwnerKind, PeriodState, StatementState
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.paying import Payable
from ticket_console.settlement.reads import PayeeTotal, TicketTotal
from ticket_console.settlement.reopening import ReopeningView
from ticket_console.settlement.statements import StatementView
from ticket_console.state.explaining import explained
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

KINDS: Final = (OwnerKind.TECHNICIAN, OwnerKind.VENDOR, OwnerKind.CUSTOMER)
# Where all that a payee earned, or is charged, in a period is had as a file.
_SO_FAR: Final = {
    OwnerKind.TECHNICIAN: "technicians/{id}/earnings",
    OwnerKind.VENDOR: "vendors/{id}/earnings",
    OwnerKind.CUSTOMER: "customers/{id}/charges",
}
_CLOSABLE: Final = {PeriodState.OPEN, PeriodState.CLOSING}
# What a statement is asked to do next, and which right that takes.
_STEPS: Final[Mapping[str, Callable[..., StatementView]]] = {"confirm": paying.confirm, "pay": paying.pay}
_REOPENING: Final[Mapping[str, tuple[Callable[..., ReopeningView], str]]] = {
    "approve": (reopening.approve, "settle.reopening_approved"),
    "refuse": (reopening.refuse, "settle.reopening_refused"),
}
_DONE: Final = {"confirm": "settle.confirmed", "pay": "settle.paid"}


class PayTicketNotFound(NotFound):
    code = "settle.ticket_not_found"


@dataclass(frozen=True, slots=True)
class Asked:
    """Where an address leads; what makes no sense there leads nowhere."""

    period_id: int | None = None
    region_id: int | None = None
    kind: OwnerKind = OwnerKind.TECHNICIAN
    payee: Payee | None = None
    ticket_id: int | None = None
    page: int = 1


class SettlementState(SessionState):
    status: str = "loading"
    view: Plain = {}
    # What a dialog asks about: "issue", "confirm", "pay", "dispute", "closing" or "closed".
    asking: str = ""
    # The statement, or the node of a rating, that the dialog is about.
    draft: Plain = {}
    busy: bool = False
    _command_id: str = ""

    @handler(permission="ticket.view")
    async def load(self) -> Reply:
        viewer = self._actor()
        if not policy.allows(viewer, "settlement.view"):
            self.view = {}
            self.status = "closed"
            if policy.allows(viewer, "settlement.view_own"):
                return rx.redirect("/pay")
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
            payee=payee_of(str(self.view["payee"]["key"])),
            period_id=int(self.view["period"]["id"]),
            command_id=self._command_id,
        )
        self.draft = _statement(drafted)
        self.asking = "issue"
        return None

    @handler(permission="settlement.issue")
    async def issue(self, _reason: str) -> Reply:
        issued = await self._carry_out(statements.issue)
        return done("settle.issued", n=issued.number, who=dict(issued.payee_name))

    @handler(permission="settlement.respond")
    async def ask_step(self, statement_id: int, step: str) -> Reply:
        """Ask whether a statement is to be confirmed or paid, as it stands now."""
        if step not in _STEPS:
            return None
        self._command_id = str(uuid4())
        found = await off_loop(_looked_at, viewer=self._actor(), statement_id=statement_id)
        self.draft, self.asking = found, step
        return None

    @handler(permission="settlement.respond")
    async def take_step(self, _reason: str) -> Reply:
        step = self.asking
        if step not in _STEPS:
            return None
        moved = await self._carry_out(_STEPS[step])
        return done(_DONE[step], n=moved.number, who=dict(moved.payee_name))

    @handler(permission="settlement.respond")
    async def ask_dispute(self, rating_id: int, path: str) -> Reply:
        self._command_id = str(uuid4())
        self.draft = await off_loop(pointed_at, viewer=self._actor(), rating_id=rating_id, path=path)
        self.asking = "dispute"
        return None

    @handler(permission="settlement.respond")
    async def dispute(self, text: str) -> Reply:
        asked, self.asking = dict(self.draft), ""
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

    @handler(permission="period.close")
    async def ask_reopening(self) -> Reply:
        self._command_id, self.asking = str(uuid4()), "reopening"
        return None

    @handler(permission="period.close")
    async def reopen(self, reason: str) -> Reply:
        """Ask for a closed period to be opened; somebody else has to approve."""
        self.asking = ""
        await self._about_reopening(
            reopening.ask,
            period_id=int(self.view["period"]["id"]),
            expected_version=int(self.view["period"]["version"]),
            reason=reason,
            command_id=self._command_id,
        )
        return done("settle.reopening_asked")

    @handler(permission="period.close")
    async def decide_reopening(self, way: str) -> Reply:
        """Approve or refuse what somebody asked for, as it is shown."""
        asked = dict(self.view["reopening"] or {})
        if way not in _REOPENING or not asked:
            return None
        decide, said = _REOPENING[way]
        await self._about_reopening(
            decide,
            reopening_id=int(asked["id"]),
            expected_version=int(asked["version"]),
            command_id=str(uuid4()),
        )
        return done(said, period=self.view["period"]["code"])

    @handler(permission="ticket.view")
    async def stop_asking(self) -> Reply:
        self.asking = ""
        return None

    async def _carry_out(self, step: Callable[..., StatementView]) -> StatementView:
        """One step of the statement the dialog asked about, exactly as it was shown there."""
        draft, self.asking, self.busy = dict(self.draft), "", True
        try:
            moved: StatementView = await in_writer(
                _step,
                step,
                actor=self._actor(),
                at=self._now(),
                statement_id=int(draft["id"]),
                expected_version=int(draft["version"]),
                command_id=self._command_id,
            )
            return moved
        finally:
            self.busy = False
            await self._show()

    async def _about_reopening(self, command: Callable[..., ReopeningView], **change: Any) -> None:
        self.busy = True
        try:
            await in_writer(_reopen, command, actor=self._actor(), at=self._now(), **change)
        finally:
            self.busy = False
            await self._show()

    async def _show(self) -> None:
        asked = asked_of(self.router.url.query_parameters)
        self.view = await off_loop(look, viewer=self._actor(), at=self._now(), asked=asked)
        self.status = "ready"


def asked_of(asked: Mapping[str, str]) -> Asked:
    def whole(name: str) -> int | None:
        text = asked.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None

    key = asked.get("payee", "")
    payee = payee_of(key) if key else None
    kind = next((each for each in KINDS if each.value == asked.get("kind")), OwnerKind.TECHNICIAN)
    return Asked(
        period_id=whole("period"),
        region_id=whole("region"),
        kind=kind if payee is None else payee.kind,
        payee=payee,
        ticket_id=whole("ticket"),
        page=whole("page") or 1,
    )


def payee_of(key: str) -> Payee:
    """The payee an address names, `vendor:3`; raises PayeeNotFound."""
    kind, _, number = key.partition(":")
    known = next((each for each in KINDS if each.value == kind), None)
    if known is None or not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise payees.PayeeNotFound()
    return Payee(known, int(number))


def look(*, viewer: Actor, at: datetime, asked: Asked) -> Plain:
    """What the page shows at an address, with the addresses that lead on from there."""
    policy.require(viewer, "settlement.view")
    with reading() as connection:
        org = places.org(connection, viewer.org_id)
        periods = reads.periods(connection, viewer=viewer)
        period = _chosen(periods, asked.period_id, at)
        regions = places.regions(connection, org.id)
        view: Plain = {
            "periods": [period_choice(each) for each in periods],
            "regions": [{"value": str(each.id), "label": each.name} for each in regions],
            "currency": org.currency,
            "tz": org.tz,
            "period": None,
            "payee": None,
            "ticket": None,
            "undecided": disputes.undecided_count(connection, viewer=viewer),
        }
        if period is None:
            return view
        can_close = policy.row_scope(viewer, "period.close").everything
        view["period"] = {
            **to_jsonable_python(period),
            "is_over": period.ends_at <= at,
            "can_close": can_close and period.state in _CLOSABLE and period.ends_at <= at,
        }
        view["reopening"] = _reopening(connection, viewer, period, can_close=can_close)
        view["period"]["can_ask_reopening"] = (
            can_close and period.state is PeriodState.CLOSED and view["reopening"] is None
        )
        region_ids = None if asked.region_id is None else metrics.with_below(asked.region_id, regions)
        here = _Here(period.id, asked.region_id, asked.kind)
        view["totals_files"] = files(
            f"/api/v1/periods/{period.id}/totals", kind=asked.kind.value, region=here.region_id
        )
        view["up"] = here.address()
        view["kind"] = asked.kind.value
        view["kinds"] = {kind.value: _Here(period.id, asked.region_id, kind).address() for kind in KINDS}
        page: reads.Page[Any]
        if asked.payee is None:
            page = reads.payee_totals(
                connection,
                viewer=viewer,
                period_id=period.id,
                kind=asked.kind,
                region_ids=region_ids,
                offset=(asked.page - 1) * reads.PAGE,
            )
            rows = [_payee_row(each, here) for each in page.rows]
            payables = paying.to_pay(connection, viewer=viewer, period_id=period.id)
            view["to_pay"] = [_payable(each, here) for each in payables]
            view["to_pay_minor"] = sum(each.total_minor for each in payables)
            view["payment_files"] = files("/api/v1/payments", period=period.id)
        else:
            page = reads.ticket_totals(
                connection,
                viewer=viewer,
                period_id=period.id,
                payee=asked.payee,
                region_ids=region_ids,
                offset=(asked.page - 1) * reads.PAGE,
            )
            rows = [_ticket_row(each, here, asked.payee) for each in page.rows]
            known = statements.of_payee(connection, viewer=viewer, payee=asked.payee, period_id=period.id)
            view["payee"] = _payee(connection, viewer, period, asked.payee, known, here)
            # What is on statements is about all regions, so the rest is too.
            whole = page.total_minor
            if region_ids is not None:
                whole = reads.ticket_totals(
                    connection, viewer=viewer, period_id=period.id, payee=asked.payee
                ).total_minor
            stated = sum(each.total_minor for each in known if each.state is not StatementState.DRAFT)
            view["payee"].update(stated_minor=stated, unstated_minor=whole - stated)
            if asked.ticket_id is not None:
                view["ticket"] = ticket_of(connection, viewer, asked.ticket_id, asked.payee)
        view.update(
            rows=rows,
            count=page.count,
            total_minor=page.total_minor,
            tickets=page.tickets,
            page=asked.page,
            pages=max(-(-page.count // reads.PAGE), 1),
        )
    return view


def ticket_of(connection: Connection, viewer: Actor, ticket_id: int, payee: Payee) -> Plain:
    """A ticket's ratings for one payee, down to what each rests on; raises PayTicketNotFound."""
    ratings = explained(connection, viewer=viewer, ticket_id=ticket_id, payee=payee)
    if not ratings:
        raise PayTicketNotFound()
    return {
        "id": ticket_id,
        "no": ratings[0]["ticket_no"],
        "title": ratings[0]["ticket_title"],
        "href": f"/tickets/{ticket_id}",
        "ratings": ratings,
        "entries": to_jsonable_python(
            reads.ticket_entries(connection, viewer=viewer, ticket_id=ticket_id, payee=payee)
        ),
        "currency": ratings[0]["currency"],
    }


def pointed_at(*, viewer: Actor, rating_id: int, path: str) -> Plain:
    """The node somebody wants to dispute; raises what `disputes.rating_with` raises."""
    with reading() as connection:
        rating, node = disputes.rating_with(connection, viewer=viewer, rating_id=rating_id, path=path)
    return {"rating_id": rating_id, "path": path, "name": dict(node.name), "ticket_no": rating.ticket_no}


@retried
def open_dispute(**wish: Any) -> None:
    with transaction() as connection:
        disputes.open_dispute(connection, **wish)


def period_choice(period: PeriodView) -> Plain:
    return {"value": str(period.id), "label": period.code}


def files(path: str, formats: tuple[str, ...] = ("xlsx", "csv"), **within: int | str | None) -> Plain:
    """The addresses of a file in each of its forms."""
    asked = {name: value for name, value in within.items() if value is not None}
    return {form: f"{path}?{urlencode({'format': form, **asked})}" for form in formats}


def statement_plain(statement: StatementView) -> Plain:
    """A statement with the addresses of its files."""
    return {
        **_statement(statement),
        "files": files(f"/api/v1/statements/{statement.id}", ("xlsx", "csv", "pdf")),
        "signed": f"/api/v1/statements/{statement.id}?format=json",
    }


@dataclass(frozen=True, slots=True)
class _Here:
    """The part of the address that stays while one goes deeper."""

    period_id: int
    region_id: int | None
    kind: OwnerKind

    def address(self, payee: Payee | None = None, ticket_id: int | None = None) -> str:
        kind = None if payee is not None or self.kind is OwnerKind.TECHNICIAN else self.kind.value
        asked = {
            "period": self.period_id,
            "region": self.region_id,
            "kind": kind,
            "payee": None if payee is None else _key(payee),
            "ticket": ticket_id,
        }
        return f"/settlement?{urlencode({name: value for name, value in asked.items() if value is not None})}"


def _reopening(connection: Connection, viewer: Actor, period: PeriodView, *, can_close: bool) -> Plain | None:
    """What was asked about the period and waits for a second person."""
    if not policy.row_scope(viewer, "settlement.view").everything:
        return None
    asked = next(
        (each for each in reopening.waiting(connection, viewer=viewer) if each.period_id == period.id), None
    )
    if asked is None:
        return None
    is_mine = asked.asked_by == viewer.user_id
    names = accounts.names(connection, viewer.org_id, [asked.asked_by])
    return {
        "id": asked.id,
        "version": asked.version,
        "reason": asked.reason,
        "who": names.get(asked.asked_by, ""),
        "is_mine": is_mine,
        "may_approve": can_close and not is_mine,
        "may_refuse": can_close,
    }


def _key(payee: Payee) -> str:
    return f"{payee.kind.value}:{payee.id}"


def _chosen(periods: tuple[PeriodView, ...], period_id: int | None, at: datetime) -> PeriodView | None:
    """The period asked for, else the one of today, else the latest."""
    asked = next((each for each in periods if each.id == period_id), None)
    today = next((each for each in periods if each.starts_at <= at < each.ends_at), None)
    return asked or today or next(iter(periods), None)


def _payee_row(total: PayeeTotal, here: _Here) -> Plain:
    return {
        "name": dict(total.name),
        "tickets": total.tickets,
        "total_minor": total.total_minor,
        "currency": total.currency,
        "state": total.statement_state.value if total.statement_state else "",
        "href": here.address(total.payee),
    }


def _ticket_row(total: TicketTotal, here: _Here, payee: Payee) -> Plain:
    return {**to_jsonable_python(total), "href": here.address(payee, total.ticket_id)}


def _payable(payable: Payable, here: _Here) -> Plain:
    return {
        **to_jsonable_python(payable),
        "payee_name": dict(payable.payee_name),
        "href": here.address(payable.payee),
    }


def _payee(
    connection: Connection,
    viewer: Actor,
    period: PeriodView,
    payee: Payee,
    known: tuple[StatementView, ...],
    here: _Here,
) -> Plain:
    so_far = _SO_FAR[payee.kind].format(id=payee.id)
    return {
        "key": _key(payee),
        "name": dict(payees.name_of(connection, org_id=viewer.org_id, payee=payee)),
        "can_issue": policy.allows(viewer, "settlement.issue"),
        "can_confirm": policy.allows(viewer, "settlement.respond"),
        "can_pay": policy.allows(viewer, "settlement.pay"),
        "href": here.address(payee),
        "files": files(f"/api/v1/periods/{period.id}/{so_far}"),
        "statements": [statement_plain(each) for each in known],
    }


def _statement(statement: StatementView) -> Plain:
    return {**to_jsonable_python(statement), "payee_name": dict(statement.payee_name)}


def _looked_at(*, viewer: Actor, statement_id: int) -> Plain:
    with reading() as connection:
        return _statement(statements.statement_view(connection, viewer=viewer, statement_id=statement_id))


@retried
def _draft(*, actor: Actor, payee: Payee, period_id: int, command_id: str) -> StatementView:
    with transaction() as connection:
        return statements.draft(
            connection, actor=actor, payee=payee, period_id=period_id, command_id=command_id
        )


@retried
def _step(step: Callable[..., StatementView], **change: Any) -> StatementView:
    with transaction() as connection:
        return step(connection, **change)


@retried
def _reopen(command: Callable[..., ReopeningView], **change: Any) -> ReopeningView:
    with transaction() as connection:
        return command(connection, **change)


@retried
def _move(move: Callable[..., PeriodView], **change: Any) -> PeriodView:
    with transaction() as connection:
        return move(connection, **change)
