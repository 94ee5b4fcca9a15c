"""Taking definitions in: a preview that writes nothing, then all of them or none, in one transaction."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.desk import golden
from ticket_console.desk.golden import GoldenResult
from ticket_console.desk.publishing import SUBJECTS, note_brought
from ticket_console.flows import reads as flow_reads
from ticket_console.forms import draft_log
from ticket_console.forms.draft_log import Newest
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.actor import Actor, system_actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.errors import Conflict, ConsoleError, FieldProblem, InvalidInput
from ticket_console.kernel.ids import command_id_of
from ticket_console.kernel.text import LocalText
from ticket_console.packs.exchange.definitions import Definition, Hand, Reference
from ticket_console.packs.exchange.exporting import definition
from ticket_console.packs.exchange.kinds import KIND, is_role
from ticket_console.packs.exchange.parcels import (
    ExchangeRefused,
    Parcel,
    Piece,
    as_yaml,
    read_parcel,
    refused,
)
from ticket_console.stock import reads as stock_reads

_MANAGED: Final = ("template.manage", "flow.manage")
# A longer diff is read in a file, not on a screen.
_MOST_LINES: Final = 2_000


class Change(StrEnum):
    NEW = "new"
    SAME = "same"
    CHANGED = "changed"


class MovedMeanwhile(Conflict):
    """Since the preview somebody changed what the file would replace."""

    code = "exchange.moved_meanwhile"


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """`diff` is a unified diff of the YAML in use and the YAML to come; nothing for what stays the same."""

    kind: str
    code: str
    name: LocalText
    file: str
    change: Change
    hash: str
    hash_in_use: str | None
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Something a definition names that is neither here nor in the file."""

    kind: str
    code: str
    wanted_by: str


@dataclass(frozen=True, slots=True)
class FailingTest:
    """A golden ticket that would go another way; `result` says how."""

    flow: str
    result: GoldenResult


@dataclass(frozen=True, slots=True)
class Preview:
    """`token` stands for the file and for what it was compared with; importing asks whether both still hold.

    `problems` are what the rooms refuse, each with file and line; with problems or missing things nothing
    can be imported. Each of `failing` has to be accepted with a reason.
    """

    items: tuple[PreviewItem, ...]
    missing: tuple[Missing, ...]
    problems: tuple[FieldProblem, ...]
    token: str
    failing: tuple[FailingTest, ...] = ()

    @property
    def is_possible(self) -> bool:
        return not self.missing and not self.problems


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of each definition."""

    items: tuple[PreviewItem, ...]


class _Undo(Exception):
    """Ends the transaction of a preview."""


def preview(*, actor: Actor, at: datetime, filename: str, content: bytes) -> Preview:
    """What importing a file would do; nothing is written.

    Refuses files that cannot be read; what only the database can judge is in the preview.
    """
    parcel = _parcel(actor, filename, content)
    with reading() as conn:
        found = _compared(conn, actor, parcel)
    if found.missing or all(item.change is Change.SAME for item in found.items):
        return found
    # The rooms are the only ones who know what they refuse: let them try, and undo it.
    failing: list[FailingTest] = []
    try:
        with transaction() as conn:
            written = _write(conn, Hand(actor, at, "preview"), parcel, found)
            for flow, results in _tested(conn, actor.org_id, written).items():
                failing += [FailingTest(flow, result) for result in results if not result.passed]
            raise _Undo
    except ExchangeRefused as refusal:
        return replace(found, problems=refusal.problems)
    except _Undo:
        return replace(found, failing=tuple(failing))


def import_file(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    filename: str,
    content: bytes,
    token: str | None = None,
    accepted: Mapping[str, Mapping[str, str]] | None = None,
) -> Imported:
    """Put in use what a file holds: everything or, on any problem, nothing.

    What is in use already in exactly this form stays untouched, so importing again changes nothing. With
    the `token` of a preview it is refused when something else came in between. `accepted` names, by flow,
    the golden tickets that may go another way from now on, each with the reason; any other that does is a
    refusal.
    """
    parcel = _parcel(actor, filename, content)
    return _import(Hand(actor, at, command_id), parcel, token, accepted or {})


@retried
def _import(
    hand: Hand, parcel: Parcel, token: str | None, accepted: Mapping[str, Mapping[str, str]]
) -> Imported:
    actor = hand.actor
    with transaction() as conn:
        _hold(conn, actor, parcel)
        found = _compared(conn, actor, parcel)
        if token is not None and token != found.token:
            raise MovedMeanwhile()
        if found.missing:
            raise ExchangeRefused(tuple(_missing_problem(parcel, each) for each in found.missing))
        before = {
            (kind, code): SUBJECTS[kind].newest(conn, actor.org_id, code) for kind, code in _drawn(parcel)
        }
        written = _write(conn, hand, parcel, found)
        _note_brought(conn, hand, before, written)
        _accept(conn, hand, _tested(conn, actor.org_id, written), accepted)
        if written:
            audit.record(
                conn,
                at=hand.at,
                actor=actor,
                action="definitions.imported",
                subject=f"parcel:{parcel.hash[:32]}",
                payload={"written": [f"{each.kind} {each.code} {each.hash}" for each in written]},
                command_id=hand.command_id,
            )
    return Imported(found.items)


def _note_brought(
    conn: Connection,
    hand: Hand,
    before: Mapping[tuple[DraftKind, str], Newest | None],
    written: Iterable[PreviewItem],
) -> None:
    """What was drawn elsewhere and is in use here now stands in the book of publications like all else."""
    brought = {(item.kind, item.code): item for item in written}
    for (kind, code), replaced in sorted(before.items(), key=lambda each: each[0]):
        if item := brought.get((kind.value, code)):
            note_brought(
                conn,
                actor=hand.actor,
                at=hand.at,
                command_id=command_id_of(hand.command_id, kind.value, code, item.hash[:12]),
                kind=kind,
                code=code,
                before=replaced,
                note=item.file,
            )


def _hold(conn: Connection, actor: Actor, parcel: Parcel) -> None:
    """Keep everybody else from publishing what is brought, always in the same order."""
    for kind, code in sorted(_drawn(parcel)):
        draft_log.hold(conn, SUBJECTS[kind], actor.org_id, code)


def _drawn(parcel: Parcel) -> set[tuple[DraftKind, str]]:
    kinds = {kind.value: kind for kind in DraftKind}
    found = (piece.definition for piece in parcel.pieces)
    return {(kinds[each.kind], each.code) for each in found if each.kind in kinds}


def _parcel(actor: Actor, filename: str, content: bytes) -> Parcel:
    for permission in _MANAGED:
        policy.require(actor, permission)
    parcel = read_parcel(content, filename=filename)
    for piece in parcel.pieces:
        for permission in KIND[piece.definition.kind].permissions:
            policy.require(actor, permission)
    return parcel


def _compared(conn: Connection, actor: Actor, parcel: Parcel) -> Preview:
    items = tuple(_item(conn, actor.org_id, piece) for piece in parcel.pieces)
    token = content_hash([[item.kind, item.code, item.hash, item.hash_in_use or ""] for item in items])
    return Preview(items, tuple(_missing(conn, actor.org_id, parcel, items)), (), token)


def _item(conn: Connection, org_id: int, piece: Piece) -> PreviewItem:
    wanted = piece.definition
    current = definition(conn, org_id, wanted.reference)
    after, change = wanted, Change.NEW
    if current is not None:
        document = KIND[wanted.kind].after(current.document, wanted.document)
        after = Definition(wanted.kind, wanted.code, document)
        change = Change.SAME if current.hash == after.hash else Change.CHANGED
    return PreviewItem(
        kind=wanted.kind,
        code=wanted.code,
        name=wanted.name,
        file=piece.file,
        change=change,
        hash=after.hash,
        hash_in_use=None if current is None else current.hash,
        diff=tuple(_diff(current, after))[:_MOST_LINES],
    )


def _diff(current: Definition | None, after: Definition) -> Iterator[str]:
    if current is None or current.hash == after.hash:
        return
    before, then = (as_yaml(each).decode().splitlines()[1:] for each in (current, after))
    yield from list(difflib.unified_diff(before, then, lineterm="", n=3))[2:]


def _missing(
    conn: Connection, org_id: int, parcel: Parcel, items: tuple[PreviewItem, ...]
) -> Iterator[Missing]:
    brought = parcel.by_reference()
    untouched = {(item.kind, item.code) for item in items if item.change is Change.SAME}
    known: dict[Reference, bool] = {}
    for piece in parcel.pieces:
        wanted = piece.definition
        if (wanted.kind, wanted.code) in untouched:
            continue
        for need in sorted(KIND[wanted.kind].needs(wanted)):
            if need not in known:
                known[need] = need in brought or _is_here(conn, org_id, need)
            if not known[need]:
                yield Missing(need.kind, need.code, f"{wanted.kind} {wanted.code}")


def _is_here(conn: Connection, org_id: int, need: Reference) -> bool:
    if need.kind == "role":
        return is_role(need.code)
    if need.kind == "part":
        return any(part.sku == need.code for part in stock_reads.parts(conn, system_actor(org_id)))
    return need.kind in KIND and KIND[need.kind].document(conn, org_id, need.code) is not None


def _missing_problem(parcel: Parcel, missing: Missing) -> FieldProblem:
    piece = next(
        each
        for each in parcel.pieces
        if f"{each.definition.kind} {each.definition.code}" == missing.wanted_by
    )
    params = {"kind": f"exchange.kind.{missing.kind}", "code": missing.code}
    return FieldProblem(piece.file, "exchange.missing", params)


def _write(conn: Connection, hand: Hand, parcel: Parcel, found: Preview) -> list[PreviewItem]:
    """Write what is new or changed; raises `ExchangeRefused` with all that any room refused."""
    by_pair: Mapping[tuple[str, str], PreviewItem] = {(item.kind, item.code): item for item in found.items}
    due = [
        piece
        for piece in _in_order(parcel)
        if by_pair[piece.definition.kind, piece.definition.code].change is not Change.SAME
    ]
    for step in ("write", "connect"):
        problems: list[FieldProblem] = []
        for piece in due:
            kind = KIND[piece.definition.kind]
            try:
                if step == "write":
                    kind.write(conn, hand, piece.definition)
                else:
                    kind.connect(conn, hand, piece.definition)
            except ConsoleError as refusal:
                problems += refused(piece, refusal).problems
        if problems:
            raise ExchangeRefused(tuple(problems))
    return [by_pair[piece.definition.kind, piece.definition.code] for piece in due]


def _tested(
    conn: Connection, org_id: int, written: Iterable[PreviewItem]
) -> dict[str, tuple[GoldenResult, ...]]:
    """What the tests of every flow say that became another one, or got other tests."""
    flows = sorted({item.code for item in written if item.kind in ("flow", "golden_ticket")})
    return {
        code: golden.run(
            conn,
            org_id=org_id,
            code=code,
            graph=flow_reads.compiled(conn, flow_reads.current_version(conn, org_id, code).id),
        )
        for code in flows
    }


def _accept(
    conn: Connection,
    hand: Hand,
    tested: Mapping[str, tuple[GoldenResult, ...]],
    accepted: Mapping[str, Mapping[str, str]],
) -> None:
    """Let the tests that somebody accepted expect what they saw; raises `ExchangeRefused` for the others."""
    problems: list[FieldProblem] = []
    for flow in sorted({*tested, *accepted}):
        try:
            golden.accept(
                conn,
                actor=hand.actor,
                at=hand.at,
                results=tested.get(flow, ()),
                reasons=accepted.get(flow, {}),
            )
        except InvalidInput as wrong:
            problems += [replace(each, path=f"{flow}: {each.path}") for each in wrong.problems]
    if problems:
        raise ExchangeRefused(tuple(problems))


def _in_order(parcel: Parcel) -> list[Piece]:
    """A flow comes after the flows that stand in it; circles are left for the room to refuse."""
    pieces = parcel.by_reference()
    ordered: dict[Reference, Piece] = {}
    on_the_way: set[Reference] = set()

    def put(reference: Reference) -> None:
        piece = pieces[reference]
        if reference in ordered or reference in on_the_way:
            return
        on_the_way.add(reference)
        for need in sorted(KIND[reference.kind].needs(piece.definition)):
            if need in pieces and need.kind == reference.kind:
                put(need)
        ordered[reference] = piece

    for piece in parcel.pieces:
        put(piece.definition.reference)
    return list(ordered.values())
