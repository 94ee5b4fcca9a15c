"""The inbox of disputes: what waits for an answer, what it rests on down to the evidence, the decision."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from ticket_console.access import places, policy
from ticket_console.desk import disputing
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading, retried, transaction
from ticket_console.kernel.errors import NotFound
from ticket_console.settlement import amending, disputes, payees, reads, wording
from ticket_console.settlement.disputes import DisputeEntry
from ticket_console.settlement.facts import FIELDS
from ticket_console.settlement.kinds import Remedy
from ticket_console.settlement.payees import Payee
from ticket_console.state.explaining import dispute_plain, explained
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_WAYS: Final = {"answer", "reject", "correct", "reverse"}
_DONE: Final = {
    "answer": "disputes.answered",
    "reject": "disputes.rejected",
    "correct": "disputes.corrected",
    "reverse": "disputes.reversed",
}


class DisputesState(SessionState):
    status: str = "loading"
    rows: list[Plain] = []
    # The dispute that is open, with the rating it is about; empty while none is.
    shown: Plain = {}
    currency: str = ""
    # What is being decided: "answer", "reject", "correct", "reverse" or nothing.
    way: str = ""
    text: str = ""
    fact: str = ""
    value: str = ""
    busy: bool = False
    _command_id: str = ""

    @handler(permission="settlement.view")
    async def load(self) -> Reply:
        try:
            await self._show()
        except NotFound:
            self.status = "missing"
        except Exception:
            self.status = "failed"
            raise
        return None

    @handler(permission="settlement.correct")
    async def choose(self, way: str) -> Reply:
        """Begin to answer or decide; the fact under dispute is the first to be put right."""
        self._command_id = str(uuid4())
        self.way, self.text = (way if way in _WAYS else ""), ""
        self.fact = str(self.shown.get("fact", "")) if way == "correct" else ""
        self.value = ""
        return None

    @handler(permission="settlement.correct")
    async def write(self, text: str) -> Reply:
        self.text = text
        return None

    @handler(permission="settlement.correct")
    async def choose_fact(self, fact: str) -> Reply:
        self.fact, self.value = fact, ""
        return None

    @handler(permission="settlement.correct")
    async def enter(self, value: str) -> Reply:
        self.value = value
        return None

    @handler(permission="settlement.correct")
    async def decide(self) -> Reply:
        way, dispute = self.way, dict(self.shown["dispute"])
        if way not in _WAYS:
            return None
        self.busy = True
        wish: Plain = {
            "actor": self._actor(),
            "at": self._now(),
            "command_id": self._command_id,
            "dispute_id": int(dispute["id"]),
            "expected_version": int(dispute["version"]),
        }
        try:
            if way == "answer":
                await in_writer(_answer, **wish, text=self.text)
            elif way == "reject":
                await in_writer(_reject, **wish, reason=self.text)
            else:
                await in_writer(
                    disputing.accept,
                    **wish,
                    remedy=Remedy.REVERSED if way == "reverse" else Remedy.CORRECTED,
                    amend=_amendments(self.fact, self.value) if way == "correct" else {},
                    text=self.text,
                )
            self.way = ""
        finally:
            self.busy = False
            await self._show()
        return done(_DONE[way])

    async def _show(self) -> None:
        asked = self.router.url.query_parameters.get("id", "")
        dispute_id = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else None
        found = await off_loop(look, viewer=self._actor(), dispute_id=dispute_id)
        self.rows, self.shown, self.currency = found["rows"], found["shown"], found["currency"]
        self.status = "ready"


def look(*, viewer: Actor, dispute_id: int | None) -> Plain:
    """The disputes a viewer may read, and the one asked for in full."""
    policy.require(viewer, "settlement.view")
    with reading() as connection:
        org = places.org(connection, viewer.org_id)
        entries = disputes.inbox(connection, viewer=viewer)
        names: dict[Payee, Mapping[str, str]] = {}
        for entry in entries:
            payee = Payee(entry.payee_kind, entry.payee_id)
            if payee not in names:
                names[payee] = payees.name_of(connection, org_id=org.id, payee=payee)
        rows = [_row(entry, names[Payee(entry.payee_kind, entry.payee_id)]) for entry in entries]
        shown: Plain = {}
        if dispute_id is not None:
            dispute = disputes.readable_view(connection, viewer=viewer, dispute_id=dispute_id)
            rating, node = disputes.rating_with(
                connection, viewer=viewer, rating_id=dispute.rating_id, path=dispute.node
            )
            ratings = explained(connection, viewer=viewer, ticket_id=dispute.ticket_id, payee=rating.payee)
            # The disputed rating first, then what has come of it since.
            ratings.sort(key=lambda each: each["rating_id"] != dispute.rating_id)
            may_decide = policy.allows(viewer, "settlement.correct") and dispute.is_undecided
            shown = {
                "dispute": dispute_plain(dispute, node.name),
                "ticket_no": rating.ticket_no,
                "ticket_href": f"/tickets/{rating.ticket_id}",
                "payee": dict(payees.name_of(connection, org_id=org.id, payee=rating.payee)),
                "can_decide": may_decide,
                "is_live": rating.is_live,
                "fact": node.key if node.key in amending.AMENDABLE else "",
                "facts": _amendable(rating),
                "ratings": ratings,
            }
    return {"rows": rows, "shown": shown, "currency": org.currency}


def _row(entry: DisputeEntry, name: Mapping[str, str]) -> Plain:
    dispute = entry.dispute
    return {
        "id": dispute.id,
        "href": f"/settlement/disputes?id={dispute.id}",
        "ticket_no": entry.ticket_no,
        "who": dict(name),
        "text": dispute.text,
        "state": dispute.state.value,
        "is_undecided": dispute.is_undecided,
        "opened_at": dispute.opened_at.isoformat(),
        "total_minor": entry.total_minor,
    }


def _amendable(rating: reads.RatingView) -> list[Plain]:
    """What can be put right, with the value it has and those it can have."""
    known = {fact.key: fact.value for fact in rating.facts}
    return [
        {
            "value": key,
            "label": dict(wording.fact_label(key)),
            "now": dict(known.get(key, {"zh": "—", "en": "—"})),
            "may_be_none": "" in kind.choices,
            "choices": [
                {"value": choice, "label": _choice_label(key, choice)} for choice in kind.choices if choice
            ],
        }
        for key, kind in amending.AMENDABLE.items()
    ]


def _choice_label(key: str, choice: str) -> Mapping[str, str]:
    if choice in {"yes", "no"}:
        return dict(wording.fact_value(key, choice == "yes"))
    return dict(FIELDS[f"{key}={choice}"])


@retried
def _answer(**wish: Any) -> None:
    with transaction() as connection:
        disputes.answer(connection, **wish)


@retried
def _reject(**wish: Any) -> None:
    with transaction() as connection:
        disputes.reject(connection, **wish)


def _amendments(fact: str, value: str) -> Plain:
    """What was entered for a fact; no danger at all is an empty list of them."""
    return {fact: "" if value == "none" else value} if fact else {}
