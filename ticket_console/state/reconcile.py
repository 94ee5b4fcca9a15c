"""Reconciling on screen: choose whose file it is, say what its columns mean, see what it comes to, decide."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import reflex as rx

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.sheets import read_sheet
from ticket_console.settlement import reads as settlement
from ticket_console.settlement.books import read_head
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.reconciling import matching, reads, running
from ticket_console.settlement.reconciling.kinds import Decision
from ticket_console.settlement.reconciling.matching import Outcome, Tolerance
from ticket_console.settlement.reconciling.owed import Party
from ticket_console.settlement.reconciling.running import ReconciliationView
from ticket_console.settlement.reconciling.their_file import BadColumns, amount_minor_of, suggest_columns
from ticket_console.settlement.reconciling.uploads import content_of
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

Plain = dict[str, Any]

_PREVIEW: Final = 12
_SAMPLES: Final = 3
_STEPS: Final = {"ArrowDown": 1, "j": 1, "ArrowUp": -1, "k": -1}
_DECISIONS: Final = {"a": Decision.ACCEPTED, "d": Decision.DISPUTED, "u": None}


class ReconcileState(SessionState):
    status: str = "loading"
    step: str = "choose"
    parties: list[Plain] = []
    periods: list[Plain] = []
    party: str = ""
    period: str = ""
    recent: list[Plain] = []
    can_decide: bool = False
    filename: str = ""
    columns: list[Plain] = []
    headers: list[str] = []
    preview_rows: list[Plain] = []
    row_count: int = 0
    problems: list[Plain] = []
    absolute: str = ""
    percent: str = ""
    foreseen: list[Plain] = []
    currency: str = ""
    view: Plain = {}
    totals: list[Plain] = []
    outcome: str = ""
    lines: list[Plain] = []
    page: int = 1
    pages: int = 1
    listed: int = 0
    cursor: int = 0
    # What a dialog asks about: "dispute", "close" or "reopen".
    asking: str = ""
    busy: bool = False

    _key: str = ""
    _mapping: dict[str, str] = {}
    _command_id: str = ""
    _disputed: int = 0
    _last_key: str = ""

    @handler(permission="settlement.view")
    async def load(self) -> Reply:
        asked = self.router.url.query_parameters.get("id", "")
        try:
            start = await off_loop(_start, viewer=self._actor())
            for part, value in start.items():
                setattr(self, part, value)
            self.party = self.party or next((each["value"] for each in self.parties), "")
            self.period = self.period or next((each["value"] for each in self.periods), "")
            self.step = "map" if self._key and self.step == "map" else "choose"
            if asked:
                number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
                self.view, self.outcome, self.page = {"id": number}, "", 1
                await self._show()
                self.step = "result"
        except NotFound:
            self.status = "missing"
            return None
        except Exception:
            self.status = "failed"
            raise
        self.status = "ready"
        return None

    @handler(permission="settlement.issue")
    async def choose_party(self, value: str) -> Reply:
        self.party = value
        if self._key and self.step == "map":
            await self._look(None)
        return None

    @handler(permission="settlement.issue")
    async def choose_period(self, value: str) -> Reply:
        self.period, self.foreseen = value, []
        return None

    @handler(permission="settlement.issue")
    async def take(self, upload: Plain) -> Reply:
        """A file that was uploaded: show how it would be read."""
        self._key, self.filename = str(upload.get("key", "")), str(upload.get("filename", ""))[:200]
        self._command_id = str(uuid4())
        await self._look(None)
        self.step = "map"
        return None

    @handler(permission="settlement.issue")
    async def place_column(self, index: int, place: str) -> Reply:
        """Say what a column means; a place that another column had is taken from it."""
        if self.step != "map" or not 0 <= index < len(self.headers):
            return None
        header = self.headers[index]
        mapping = {key: kept for key, kept in self._mapping.items() if key != header and kept != place}
        if place:
            mapping[header] = place
        await self._look(mapping)
        return None

    @handler(permission="settlement.issue")
    async def set_absolute(self, text: str) -> Reply:
        self.absolute, self.foreseen = text[:20], []
        return None

    @handler(permission="settlement.issue")
    async def set_percent(self, text: str) -> Reply:
        self.percent, self.foreseen = text[:12], []
        return None

    @handler(permission="settlement.issue")
    async def start_over(self) -> Reply:
        self.step, self._key, self._mapping, self.foreseen = "choose", "", {}, []
        return None

    @handler(permission="settlement.issue")
    async def foresee(self) -> Reply:
        """What the file would come to; nothing is kept."""
        self.foreseen = await off_loop(
            _foresee,
            actor=self._actor(),
            party=_party(self.party),
            period_id=_whole(self.period),
            key=self._key,
            mapping=dict(self._mapping),
            tolerance=_tolerance(self.absolute, self.percent, self.currency),
        )
        return None

    @handler(permission="settlement.issue")
    async def begin(self) -> Reply:
        actor = self._actor()
        content = await off_loop(content_of, actor=actor, key=self._key)
        self.busy = True
        try:
            started = await in_writer(
                running.start,
                actor=actor,
                at=self._now(),
                party=_party(self.party),
                period_id=_whole(self.period),
                file_name=self.filename,
                content=content,
                mapping=dict(self._mapping),
                tolerance=_tolerance(self.absolute, self.percent, self.currency),
                command_id=self._command_id,
            )
        finally:
            self.busy = False
        self._key, self.foreseen = "", []
        return rx.redirect(f"/settlement/reconcile?id={started.id}")

    @handler(permission="settlement.view")
    async def show_outcome(self, outcome: str) -> Reply:
        self.outcome, self.page, self.cursor = outcome if outcome in set(Outcome) else "", 1, 0
        await self._list()
        return None

    @handler(permission="settlement.view")
    async def turn(self, step: int) -> Reply:
        self.page = min(max(1, self.page + (1 if step > 0 else -1)), self.pages)
        self.cursor = 0
        await self._list()
        return None

    @handler(permission="settlement.issue")
    async def decide(self, line_id: int, decision: str) -> Reply:
        """Accept a line or take a decision back at once; a dispute first asks what is wrong."""
        if decision == Decision.DISPUTED.value:
            self._disputed, self.asking = line_id, "dispute"
            return None
        return await self._decide([line_id], Decision.ACCEPTED if decision else None)

    @handler(permission="settlement.issue")
    async def press(self, key: str) -> Reply:
        """The keys of the list: up and down choose a line, a letter decides it."""
        before, self._last_key = self._last_key, key
        if before == "g":
            # The second key of a way to another page.
            return None
        if key in _STEPS:
            self.cursor = min(max(0, self.cursor + _STEPS[key]), max(len(self.lines) - 1, 0))
            return None
        if key not in _DECISIONS or self.cursor >= len(self.lines) or not self.can_decide:
            return None
        line_id = int(self.lines[self.cursor]["id"])
        if key == "d":
            self._disputed, self.asking = line_id, "dispute"
            return None
        reply = await self._decide([line_id], _DECISIONS[key])
        self.cursor = min(self.cursor + 1, max(len(self.lines) - 1, 0))
        return reply

    @handler(permission="settlement.issue")
    async def dispute(self, reason: str) -> Reply:
        self.asking = ""
        return await self._decide([self._disputed], Decision.DISPUTED, reason)

    @handler(permission="settlement.issue")
    async def accept_rest(self) -> Reply:
        """Accept every line of the outcome shown that nobody has decided."""
        if self.outcome not in set(Outcome):
            return None
        return await self._decide([], Decision.ACCEPTED, undecided_of=Outcome(self.outcome))

    @handler(permission="settlement.issue")
    async def ask(self, about: str) -> Reply:
        self.asking = about if about in {"close", "reopen"} else ""
        return None

    @handler(permission="settlement.issue")
    async def stop_asking(self) -> Reply:
        self.asking = ""
        return None

    @handler(permission="settlement.issue")
    async def close(self, _reason: str) -> Reply:
        return await self._move(running.close, "reconcile.closed_now")

    @handler(permission="settlement.issue")
    async def reopen(self, reason: str) -> Reply:
        return await self._move(running.reopen, "reconcile.reopened", reason=reason)

    async def _move(self, move: Any, said: str, **change: Any) -> Reply:
        self.asking = ""
        try:
            await in_writer(
                move,
                actor=self._actor(),
                at=self._now(),
                reconciliation_id=int(self.view["id"]),
                expected_version=int(self.view["version"]),
                command_id=str(uuid4()),
                **change,
            )
        finally:
            await self._show()
        return done(said)

    async def _decide(
        self,
        line_ids: list[int],
        decision: Decision | None,
        note: str = "",
        *,
        undecided_of: Outcome | None = None,
    ) -> Reply:
        try:
            await in_writer(
                running.decide,
                actor=self._actor(),
                at=self._now(),
                reconciliation_id=int(self.view["id"]),
                expected_version=int(self.view["version"]),
                decision=decision,
                line_ids=line_ids,
                undecided_of=undecided_of,
                note=note,
                command_id=str(uuid4()),
            )
        finally:
            await self._show()
        return done("reconcile.decided")

    async def _look(self, mapping: dict[str, str] | None) -> None:
        seen = await off_loop(
            _look, actor=self._actor(), party=_party(self.party), key=self._key, mapping=mapping
        )
        self._mapping, self.foreseen = seen.pop("mapping"), []
        for part, value in seen.items():
            setattr(self, part, value)

    async def _show(self) -> None:
        shown = await off_loop(_result, viewer=self._actor(), reconciliation_id=int(self.view["id"]))
        self.view, self.totals = shown["view"], shown["totals"]
        await self._list()

    async def _list(self) -> None:
        self.lines, self.listed = await off_loop(
            _lines,
            viewer=self._actor(),
            reconciliation_id=int(self.view["id"]),
            outcome=Outcome(self.outcome) if self.outcome else None,
            page=self.page,
        )
        self.pages = max(1, -(-self.listed // reads.PAGE))


class NoSuchParty(NotFound):
    code = "reconcile.no_such_party"


def _party(value: str) -> Party:
    kind, _, number = value.partition(":")
    if kind not in {OwnerKind.VENDOR, OwnerKind.TECHNICIAN} or not _whole(number):
        raise NoSuchParty()
    return Party(OwnerKind(kind), _whole(number))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _tolerance(absolute: str, percent: str, currency: str) -> Tolerance:
    """A tolerance as entered, in whole money; what is no amount is refused as such."""
    try:
        minor: object = amount_minor_of(absolute, currency) if absolute.strip() else None
    except ValueError:
        minor = absolute
    return running.tolerance_of(minor, percent.strip().removesuffix("%"))


def _start(*, viewer: Actor) -> Plain:
    with reading() as connection:
        parties = reads.parties(connection, viewer=viewer)
        periods = settlement.periods(connection, viewer=viewer)
        recent = reads.recent(connection, viewer=viewer)
        currency = read_head(connection, viewer.org_id).currency
    codes = {period.id: period.code for period in periods}
    return {
        "parties": [
            {"value": f"{each.party.kind.value}:{each.party.id}", "label": dict(each.name)}
            for each in parties
        ],
        "periods": [{"value": str(each.id), "label": each.code} for each in periods],
        "recent": [_listed(each, codes.get(each.period_id, "")) for each in recent],
        "can_decide": policy.row_scope(viewer, "settlement.issue").everything,
        "currency": currency,
    }


def _listed(known: ReconciliationView, period: str) -> Plain:
    return {
        "id": known.id,
        "name": dict(known.payee_name),
        "file_name": known.file_name,
        "period": period,
        "state": known.state.value,
        "started_at": known.started_at.isoformat(),
        "href": f"/settlement/reconcile?id={known.id}",
    }


def _look(*, actor: Actor, party: Party, key: str, mapping: Mapping[str, str] | None) -> Plain:
    """How a file would be read; where its columns do not fit, what is wrong with them."""
    content = content_of(actor=actor, key=key)
    sheet = read_sheet(content)
    with reading() as connection:
        remembered = reads.remembered_columns(connection, viewer=actor, party=party)
    chosen = dict(suggest_columns(sheet.headers, remembered) if mapping is None else mapping)
    judged: dict[int, Plain] = {}
    refused: list[Plain] = []
    try:
        for row in running.look(actor=actor, content=content, mapping=chosen, first=_PREVIEW):
            judged[row.number] = {
                "problems": [plain(each) for each in row.problems],
                "is_left_out": row.is_left_out,
            }
    except BadColumns as bad:
        refused = [plain(each) for each in bad.problems]
    blank = {"problems": [], "is_left_out": False}
    first = sheet.rows[:_PREVIEW]
    return {
        "mapping": chosen,
        "headers": list(sheet.headers),
        "columns": [
            {
                "index": index,
                "header": header,
                "place": chosen.get(header, ""),
                "samples": " · ".join(
                    list(dict.fromkeys(row.cells[index][:40] for row in first if index < len(row.cells)))[
                        :_SAMPLES
                    ]
                ),
            }
            for index, header in enumerate(sheet.headers)
            if header
        ],
        "preview_rows": [
            {
                "number": row.number,
                "cells": [
                    row.cells[index][:120] if index < len(row.cells) else ""
                    for index in range(len(sheet.headers))
                ],
                **judged.get(row.number, blank),
            }
            for row in first
        ],
        "row_count": len(sheet.rows),
        "problems": refused,
    }


def _foresee(
    *, actor: Actor, party: Party, period_id: int, key: str, mapping: Mapping[str, str], tolerance: Tolerance
) -> list[Plain]:
    theirs = running.read(actor=actor, content=content_of(actor=actor, key=key), mapping=mapping)
    with reading() as connection:
        compared = running.compare(
            connection, actor=actor, party=party, period_id=period_id, theirs=theirs, tolerance=tolerance
        )
    by_outcome = matching.totals(compared.pairs)
    return [
        *(_total(outcome.value, total) for outcome, total in by_outcome.items()),
        _total("all", matching.total(compared.pairs)),
    ]


def _total(outcome: str, total: matching.Total, *, undecided: int = 0, disputed: int = 0) -> Plain:
    return {
        "outcome": outcome,
        "count": total.count,
        "ours_minor": total.ours_minor,
        "theirs_minor": total.theirs_minor,
        "difference_minor": total.difference_minor,
        "undecided": undecided,
        "disputed": disputed,
    }


def _result(*, viewer: Actor, reconciliation_id: int) -> Plain:
    with reading() as connection:
        known = reads.reconciliation(connection, viewer=viewer, reconciliation_id=reconciliation_id)
        found = reads.outcome_totals(connection, viewer=viewer, reconciliation_id=reconciliation_id)
        periods = {each.id: each.code for each in settlement.periods(connection, viewer=viewer)}
    every = matching.Total(
        sum(each.total.count for each in found.values()),
        sum(each.total.ours_minor for each in found.values()),
        sum(each.total.theirs_minor for each in found.values()),
    )
    undecided = sum(each.undecided for each in found.values())
    disputed = sum(each.disputed for each in found.values())
    file = f"/api/v1/reconciliations/{known.id}/file"
    return {
        "view": {
            **_listed(known, periods.get(known.period_id, "")),
            "version": known.version,
            "currency": known.currency,
            "left_out": known.left_out,
            "undecided": undecided,
            "disputed": disputed,
            "xlsx": f"{file}?format=xlsx",
            "csv": f"{file}?format=csv",
        },
        "totals": [
            *(
                _total(outcome.value, each.total, undecided=each.undecided, disputed=each.disputed)
                for outcome, each in found.items()
            ),
            _total("all", every, undecided=undecided, disputed=disputed),
        ],
    }


def _lines(
    *, viewer: Actor, reconciliation_id: int, outcome: Outcome | None, page: int
) -> tuple[list[Plain], int]:
    with reading() as connection:
        found = reads.lines(
            connection,
            viewer=viewer,
            reconciliation_id=reconciliation_id,
            outcome=outcome,
            offset=(page - 1) * reads.PAGE,
        )
    return [
        {
            "id": line.id,
            "position": index,
            "outcome": line.outcome.value,
            "ticket_no": line.our_ticket_no or line.their_ticket_no or "",
            "href": f"/tickets/{line.ticket_id}" if line.ticket_id else "",
            "has_ours": line.our_amount_minor is not None,
            "has_theirs": line.their_amount_minor is not None,
            "ours_minor": line.our_amount_minor or 0,
            "theirs_minor": line.their_amount_minor or 0,
            "difference_minor": line.difference_minor,
            "their_row": line.their_row or 0,
            "our_day": _day(line.our_day),
            "their_day": _day(line.their_day),
            "decision": line.decision.value if line.decision else "",
            "note": line.note,
        }
        for index, line in enumerate(found.rows)
    ], found.count


def _day(day: Any) -> str:
    return day.isoformat() if day is not None else ""
