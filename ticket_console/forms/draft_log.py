"""Drafts of whatever is drawn: one per author and subject, kept as a log of gestures that can be undone.

What is drawn here is a document (`kernel.documents`); `Subject` says what kind. Every change names the change
it follows (`if_match`), so nobody's work is overwritten, not even one's own in another tab.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from ticket_console.access import audit, policy
from ticket_console.forms.tables import Draft, DraftKind, DraftOperation
from ticket_console.kernel import ids, signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.documents import (
    ABSENT,
    Difference,
    Document,
    Operation,
    Path,
    Side,
    apply,
    checked_document,
    refuse_too_large,
    replacing,
    same,
    three_way,
)
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound

_drafts = table(Draft)
_log = table(DraftOperation)

# What of a log is told at once: so many gestures, and so many characters of them.
GESTURES_SHOWN: Final = 200
CHARACTERS_SHOWN: Final = 1_000_000
_BLOCK: Final = 100
# An inverse may be longer than what it undoes.
_LONGEST: Final = 10_000
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_GESTURE_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_LABEL: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_LABEL_PARAMS: Final = 1_000


class DraftNotFound(NotFound):
    code = "draft.not_found"


class NotYourDraft(Forbidden):
    """Drafts are per author: others read them and merge them into their own."""

    code = "draft.not_yours"


class DraftMoved(Conflict):
    """The draft has changed since the asker looked, in another tab; `since` is what happened.

    Unless `is_whole` more has happened than is told: then the draft is to be read anew.
    """

    code = "draft.moved"
    http_status = 412

    def __init__(self, since: tuple["GestureView", ...], *, is_whole: bool, **params: Any) -> None:
        self.since = since
        self.is_whole = is_whole
        super().__init__(**params)


class CodeInUse(Conflict):
    code = "draft.code_in_use"


class BadGesture(InvalidInput):
    code = "draft.bad_gesture"


class NoSuchPoint(InvalidInput):
    """The log has no change of this number."""

    code = "draft.no_such_point"


@dataclass(frozen=True, slots=True)
class Newest:
    """The version of a subject in use, as a document."""

    version_id: int
    number: int
    document: Document
    published_at: datetime | None
    published_by: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What can be drawn.

    `check` raises for a document that does not even have the shape of what it stands for; whether it makes
    sense is asked when it is published. `newest` is None for what was never published, `hold` keeps anybody
    else from publishing it until the transaction ends, `version` is any version by its id. `refuse` raises
    where the first document is not the asker's to change into the second.
    """

    kind: DraftKind
    permission: str
    empty: Document
    check: Callable[[Document], None]
    newest: Callable[[Connection, int, str], Newest | None]
    hold: Callable[[Connection, int, str], None]
    version: Callable[[Connection, int], Newest]
    unknown: type[NotFound]
    refuse: Callable[[Actor, Document, Document], None] | None = None


@dataclass(frozen=True, slots=True)
class Gesture:
    """What one person did at one moment. `label` is the key of the text that says it."""

    id: str
    label: str
    ops: Sequence[Operation]
    label_params: Mapping[str, Any]

    @classmethod
    def of(cls, data: object) -> "Gesture":
        """A gesture from outside; raises `BadGesture`. Its operations are checked when they are applied."""
        given = data if isinstance(data, Mapping) else {}
        id, label, ops = given.get("id"), given.get("label"), given.get("ops")
        params = given.get("label_params") or {}
        problems = []
        if not isinstance(id, str) or not _GESTURE_ID.fullmatch(id):
            problems.append(FieldProblem("id", "input.bad_format"))
        if not isinstance(label, str) or len(label) > 64 or not _LABEL.fullmatch(label):
            problems.append(FieldProblem("label", "input.bad_format"))
        if not isinstance(ops, list | tuple) or not ops:
            problems.append(FieldProblem("ops", "input.wrong_type"))
        if not _are_label_params(params):
            problems.append(FieldProblem("label_params", "input.wrong_type"))
        if (
            problems
            or not isinstance(id, str)
            or not isinstance(label, str)
            or not isinstance(ops, list | tuple)
        ):
            raise BadGesture(tuple(problems))
        return cls(id, label, ops, params)


def _are_label_params(params: object) -> bool:
    """Names and short texts for the label; a label in both languages is one of them."""
    if not isinstance(params, Mapping):
        return False
    try:
        return len(canonical_json(checked_document(params))) <= _LABEL_PARAMS
    except InvalidInput:
        return False


@dataclass(frozen=True, slots=True)
class GestureView:
    seq: int
    id: str
    label: str
    label_params: Mapping[str, Any]
    ops: tuple[Any, ...]
    inverse: tuple[Any, ...]
    author: str
    author_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DraftView:
    """`newest_*` is the version in use now; where it is not `base_*`, somebody published meanwhile.

    `gestures` are the latest of the log, the oldest first; they lead from the change `compacted_to` to `seq`.
    What lies before them is had page by page (`history`) or at once (`document_at`, `recover`).
    """

    id: int
    kind: DraftKind
    code: str
    author: str
    author_name: str
    is_mine: bool
    base_version_id: int | None
    base_number: int | None
    newest_version_id: int | None
    newest_number: int | None
    seq: int
    document: Document
    base: Document
    contributors: Mapping[str, str]
    gestures: tuple[GestureView, ...]
    compacted_to: int
    updated_at: datetime

    @property
    def has_changes(self) -> bool:
        return self.base_version_id is None or not same(self.document, self.base)

    @property
    def is_behind(self) -> bool:
        return self.newest_version_id != self.base_version_id


@dataclass(frozen=True, slots=True)
class Later:
    """What happened after some change: the gestures, the oldest first.

    Where more happened than is told one by one, they begin at `document`, which is how the draft was after
    change `compacted_to`.
    """

    compacted_to: int
    document: Document | None
    gestures: tuple[GestureView, ...]


@dataclass(frozen=True, slots=True)
class DraftSummary:
    """A draft in a list; `has_changes` against what it started from."""

    id: int
    kind: DraftKind
    code: str
    author: str
    author_name: str
    is_mine: bool
    seq: int
    base_version_id: int | None
    has_changes: bool
    created_at: datetime
    updated_at: datetime
    document: Document


@dataclass(frozen=True, slots=True)
class Saved:
    """`is_repeated`: this gesture had been saved before."""

    draft_id: int
    seq: int
    is_repeated: bool


@dataclass(frozen=True, slots=True)
class ConflictView:
    """What two sides made of one part. A side that has nothing there is absent from `sides`."""

    path: Path
    sides: Mapping[str, Any]
    is_order: bool


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """With conflicts left nothing was written; otherwise `draft` is the draft with both sides in it."""

    conflicts: tuple[ConflictView, ...]
    draft: DraftView | None


@dataclass(frozen=True, slots=True)
class Choice:
    path: Path
    side: Side

    @classmethod
    def of(cls, data: object) -> "Choice":
        """`{"path": [...], "side": "ours" | "theirs" | "base"}`; raises `BadGesture`."""
        given = data if isinstance(data, Mapping) else {}
        path, side = given.get("path"), given.get("side")
        if not isinstance(path, list | tuple) or not all(isinstance(step, str) for step in path):
            raise BadGesture((FieldProblem("choices", "input.wrong_type"),))
        if side not in tuple(Side):
            raise BadGesture((FieldProblem("choices", "input.not_allowed"),))
        return cls(tuple(path), Side(side))


def author_of(actor: Actor) -> str:
    """Whose drafts these are: a program with a user's token works on that user's."""
    return actor.label if actor.user_id is None else f"user:{actor.user_id}"


def topic(org_id: int, kind: DraftKind, code: str) -> str:
    """What everybody who has the subject open listens to (`kernel.signals`)."""
    return f"draft.{org_id}.{kind}.{code}"


class Drafts:
    """What can be done with the drafts of one kind of subject; each method is one command or one read."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def open_draft(self, *, actor: Actor, at: datetime, code: str) -> DraftView:
        """The asker's own draft, made from the version in use where they have none.

        A draft without changes of its own follows what was published meanwhile. What exists only as somebody
        else's draft starts as a copy of it. Raises the subject's "not found".
        """
        policy.require(actor, self.subject.permission)
        try:
            return _opened(self.subject, actor, at, code)
        except IntegrityError:
            # Their other tab made it at the same moment.
            return _opened(self.subject, actor, at, code)

    def start(
        self, *, actor: Actor, at: datetime, code: str, document: Mapping[str, Any] | None = None
    ) -> DraftView:
        """The first draft of something new, empty or a copy; raises `CodeInUse`."""
        policy.require(actor, self.subject.permission)
        return _started(self.subject, actor, at, code, document)

    def edit(
        self,
        *,
        actor: Actor,
        at: datetime,
        draft_id: int,
        if_match: int,
        gesture: Gesture | Mapping[str, Any],
    ) -> Saved:
        """Add a gesture to the log. The same gesture again is already there.

        Raises `DraftMoved` for another number than the latest, and `InvalidOperation` or the subject's own
        refusal for operations that do not fit: the draft stays as it was.
        """
        policy.require(actor, self.subject.permission)
        taken = gesture if isinstance(gesture, Gesture) else Gesture.of(gesture)
        return _edited(self.subject, actor, at, draft_id, if_match, taken)

    def replace(
        self,
        *,
        actor: Actor,
        at: datetime,
        draft_id: int,
        if_match: int,
        gesture_id: str,
        label: str,
        document: Mapping[str, Any],
    ) -> DraftView:
        """Let the draft be this document, as one change; the document it is already changes nothing.

        Refuses like `edit`, and what is no document with `InvalidOperation` or `DocumentTooLarge`.
        """
        policy.require(actor, self.subject.permission)
        wanted = checked_document(document)
        self.subject.check(wanted)
        return _replaced(self.subject, actor, at, draft_id, if_match, (gesture_id, label), wanted)

    def recover(self, *, actor: Actor, at: datetime, draft_id: int, if_match: int, seq: int) -> DraftView:
        """Go back to how the draft was after change `seq`; that is a change itself and can be undone."""
        policy.require(actor, self.subject.permission)
        return _recovered(self.subject, actor, at, draft_id, if_match, seq)

    def merge(
        self,
        *,
        actor: Actor,
        at: datetime,
        draft_id: int,
        if_match: int,
        other_draft_id: int | None = None,
        choices: Iterable[Choice | Mapping[str, Any]] = (),
    ) -> MergeOutcome:
        """Take into the draft what was published since it began, or another author's draft.

        Nothing is written while a conflict is left without a choice.
        """
        policy.require(actor, self.subject.permission)
        taken = [choice if isinstance(choice, Choice) else Choice.of(choice) for choice in choices]
        chosen = {choice.path: choice.side for choice in taken}
        return _merged(self.subject, actor, at, draft_id, if_match, other_draft_id, chosen)

    def discard(self, *, actor: Actor, at: datetime, draft_id: int, if_match: int) -> None:
        """Throw the asker's draft away with its log."""
        policy.require(actor, self.subject.permission)
        _discarded(self.subject, actor, at, draft_id, if_match)

    def read(self, *, actor: Actor, draft_id: int) -> DraftView:
        """Any author's draft, to look at."""
        policy.require(actor, self.subject.permission)
        with reading() as connection:
            return view(connection, self.subject, actor, _row(connection, self.subject, actor, draft_id))

    def since(self, *, actor: Actor, draft_id: int, seq: int) -> Later:
        """What happened after change `seq`."""
        policy.require(actor, self.subject.permission)
        with reading() as connection:
            row = _row(connection, self.subject, actor, draft_id)
            gestures = _gestures(connection, draft_id, after=seq)
            first = gestures[0].seq - 1 if gestures else seq
            snapshot = None if first == seq else _document_at(connection, row, first)
            return Later(first, snapshot, gestures)

    def history(
        self, *, actor: Actor, draft_id: int, before_seq: int | None = None, limit: int = GESTURES_SHOWN
    ) -> tuple[GestureView, ...]:
        """A page of the log, the newest first."""
        policy.require(actor, self.subject.permission)
        with reading() as connection:
            _row(connection, self.subject, actor, draft_id)
            query = sa.select(_log).where(_log.c.draft_id == draft_id)
            if before_seq is not None:
                query = query.where(_log.c.seq < before_seq)
            rows = connection.execute(query.order_by(_log.c.seq.desc()).limit(min(limit, GESTURES_SHOWN)))
            return tuple(map(_gesture, rows))

    def document_at(self, *, actor: Actor, draft_id: int, seq: int) -> Document:
        """How a draft was after change `seq`, to look at before recovering it."""
        policy.require(actor, self.subject.permission)
        with reading() as connection:
            return _document_at(connection, _row(connection, self.subject, actor, draft_id), seq)

    def drafts_of(self, *, actor: Actor, code: str | None = None) -> tuple[DraftSummary, ...]:
        """Everybody's drafts of one subject, or of all of them; the latest change first."""
        policy.require(actor, self.subject.permission)
        query = sa.select(_drafts).where(
            _drafts.c.org_id == actor.org_id, _drafts.c.kind == self.subject.kind
        )
        if code is not None:
            query = query.where(_drafts.c.code == code)
        with reading() as connection:
            rows = connection.execute(query.order_by(_drafts.c.updated_at.desc(), _drafts.c.id)).all()
        return tuple(_summary(row, actor) for row in rows)


@retried
def _opened(subject: Subject, actor: Actor, at: datetime, code: str) -> DraftView:
    with transaction() as connection:
        row = _own_row(connection, subject, actor, code)
        newest = subject.newest(connection, actor.org_id, code)
        if row is None:
            row = _created(connection, subject, actor, at, code, newest)
        elif newest is not None and row.base_version_id != newest.version_id and same(row.document, row.base):
            row = _written(
                connection,
                row,
                actor,
                at,
                gesture_id=f"newest:{newest.version_id}:{row.seq}",
                label="draft.gesture.follows",
                label_params={"number": newest.number},
                document=newest.document,
                base=newest.document,
                base_version_id=newest.version_id,
                contributors=row.contributors,
            )
        return view(connection, subject, actor, row)


def _created(
    connection: Connection, subject: Subject, actor: Actor, at: datetime, code: str, newest: Newest | None
) -> Row[Any]:
    if newest is not None:
        return _insert(connection, subject, actor, at, code, newest.document, version_id=newest.version_id)
    query = sa.select(_drafts).where(
        _drafts.c.org_id == actor.org_id, _drafts.c.kind == subject.kind, _drafts.c.code == code
    )
    other = connection.execute(query.order_by(_drafts.c.updated_at.desc()).limit(1)).first()
    if other is None:
        raise subject.unknown(code=code)
    return _insert(
        connection,
        subject,
        actor,
        at,
        code,
        other.document,
        contributors={other.author: other.author_name, **other.contributors},
        merged={str(other.id): other.seq},
    )


@retried
def _started(
    subject: Subject, actor: Actor, at: datetime, code: str, document: Mapping[str, Any] | None
) -> DraftView:
    if not _CODE.fullmatch(code):
        raise InvalidInput((FieldProblem("code", "input.bad_format"),))
    taken = checked_document(subject.empty if document is None else document)
    subject.check(taken)
    with transaction() as connection:
        known = connection.execute(
            sa.select(_drafts.c.author_name).where(
                _drafts.c.org_id == actor.org_id, _drafts.c.kind == subject.kind, _drafts.c.code == code
            )
        ).first()
        if known is not None or subject.newest(connection, actor.org_id, code) is not None:
            raise CodeInUse(code=code)
        row = _insert(connection, subject, actor, at, code, taken)
        return view(connection, subject, actor, row)


@retried
def _edited(
    subject: Subject, actor: Actor, at: datetime, draft_id: int, if_match: int, gesture: Gesture
) -> Saved:
    # A large graph takes a while to check, and nobody else writes meanwhile once the transaction has begun.
    with reading() as connection:
        seen = _row(connection, subject, actor, draft_id)
        if repeated := _seq_of(connection, draft_id, gesture.id):
            _refuse_foreign(actor, seen)
            return Saved(draft_id, repeated, is_repeated=True)
    checked = _checked(subject, actor, seen, gesture) if seen.seq == if_match else None
    with transaction() as connection:
        row = _locked(connection, subject, actor, draft_id)
        if repeated := _seq_of(connection, draft_id, gesture.id):
            return Saved(draft_id, repeated, is_repeated=True)
        _refuse_moved(connection, row, if_match)
        # A change that came between the two looks is the one that was expected.
        document, inverse = checked or _checked(subject, actor, row, gesture)
        _append(connection, row, actor, at, gesture, inverse, {"document": document})
        return Saved(draft_id, row.seq + 1, is_repeated=False)


def _checked(
    subject: Subject, actor: Actor, row: Row[Any], gesture: Gesture
) -> tuple[Document, list[dict[str, Any]]]:
    """What a gesture makes of a draft, and its inverse; refuses what is not the asker's or does not fit."""
    _refuse_foreign(actor, row)
    document, inverse = apply(row.document, gesture.ops)
    refuse_too_large(document)
    subject.check(document)
    _refuse_change(subject, actor, row, document)
    return document, inverse


def _refuse_change(subject: Subject, actor: Actor, row: Row[Any], document: Document) -> None:
    if subject.refuse is not None:
        subject.refuse(actor, row.document, document)


@retried
def _replaced(
    subject: Subject,
    actor: Actor,
    at: datetime,
    draft_id: int,
    if_match: int,
    gesture: tuple[str, str],
    wanted: Document,
) -> DraftView:
    gesture_id, label = gesture
    with transaction() as connection:
        row = _locked(connection, subject, actor, draft_id)
        if not _seq_of(connection, draft_id, gesture_id):
            _refuse_moved(connection, row, if_match)
            if not same(row.document, wanted):
                _refuse_change(subject, actor, row, wanted)
                row = _written(
                    connection,
                    row,
                    actor,
                    at,
                    gesture_id=gesture_id,
                    label=label,
                    label_params={},
                    document=wanted,
                )
        return view(connection, subject, actor, row)


@retried
def _recovered(
    subject: Subject, actor: Actor, at: datetime, draft_id: int, if_match: int, seq: int
) -> DraftView:
    # What a draft was like does not change any more: a long way back is gone before others' writing waits.
    with reading() as connection:
        before = _document_at(connection, _row(connection, subject, actor, draft_id), seq)
    with transaction() as connection:
        row = _locked(connection, subject, actor, draft_id)
        gesture_id = f"recover:{seq}:{if_match}"
        if not _seq_of(connection, draft_id, gesture_id):
            _refuse_moved(connection, row, if_match)
            row = _written(
                connection,
                row,
                actor,
                at,
                gesture_id=gesture_id,
                label="draft.gesture.recovered",
                label_params={"seq": seq},
                document=before,
            )
        return view(connection, subject, actor, row)


@retried
def _merged(
    subject: Subject,
    actor: Actor,
    at: datetime,
    draft_id: int,
    if_match: int,
    other_draft_id: int | None,
    choices: Mapping[Path, Side],
) -> MergeOutcome:
    with transaction() as connection:
        row = _locked(connection, subject, actor, draft_id)
        if other_draft_id is None:
            side = _published_side(connection, subject, row)
        else:
            side = _author_side(connection, subject, actor, row, other_draft_id)
        gesture_id = f"{side.gesture_id}:{if_match}"
        if _seq_of(connection, draft_id, gesture_id):
            return MergeOutcome((), view(connection, subject, actor, row))
        _refuse_moved(connection, row, if_match)
        merged = three_way(side.base, row.document, side.theirs, choices)
        if merged.conflicts:
            return MergeOutcome(tuple(map(_conflict, merged.conflicts)), None)
        refuse_too_large(merged.document)
        subject.check(merged.document)
        row = _written(
            connection,
            row,
            actor,
            at,
            gesture_id=gesture_id,
            label=side.label,
            label_params=side.label_params,
            document=merged.document,
            **side.columns,
        )
        return MergeOutcome((), view(connection, subject, actor, row))


@dataclass(frozen=True, slots=True)
class _Other:
    """What is merged into a draft: their document, what both come from, and what to note about it."""

    base: Document
    theirs: Document
    gesture_id: str
    label: str
    label_params: Mapping[str, Any]
    columns: Mapping[str, Any]


def _published_side(connection: Connection, subject: Subject, row: Row[Any]) -> _Other:
    newest = subject.newest(connection, row.org_id, row.code)
    if newest is None:
        raise subject.unknown(code=row.code)
    return _Other(
        base=row.base,
        theirs=newest.document,
        gesture_id=f"merge:version:{newest.version_id}",
        label="draft.gesture.merged_version",
        label_params={"number": newest.number},
        columns={"base": newest.document, "base_version_id": newest.version_id},
    )


def _author_side(
    connection: Connection, subject: Subject, actor: Actor, row: Row[Any], other_draft_id: int
) -> _Other:
    other = _row(connection, subject, actor, other_draft_id)
    if other.code != row.code or other.id == row.id:
        raise DraftNotFound(draft_id=other_draft_id)
    return _Other(
        base=_common(connection, subject, row, other),
        theirs=other.document,
        gesture_id=f"merge:draft:{other.id}:{other.seq}",
        label="draft.gesture.merged_draft",
        label_params={"who": other.author_name},
        columns={
            "merged": {**row.merged, str(other.id): other.seq},
            "contributors": {**row.contributors, **other.contributors},
        },
    )


def _common(connection: Connection, subject: Subject, row: Row[Any], other: Row[Any]) -> Document:
    """What two drafts have in common: what one took from the other last, or the older of their beginnings."""
    seen = row.merged.get(str(other.id))
    if seen is not None and seen <= other.seq:
        return _document_at(connection, other, seen)
    seen = other.merged.get(str(row.id))
    if seen is not None and seen <= row.seq:
        return _document_at(connection, row, seen)
    if row.base_version_id is None or other.base_version_id is None:
        older: Row[Any] = row if row.base_version_id is None else other
    else:
        older = min(row, other, key=lambda each: subject.version(connection, each.base_version_id).number)
    base: Document = older.base
    return base


@retried
def _discarded(subject: Subject, actor: Actor, at: datetime, draft_id: int, if_match: int) -> None:
    with transaction() as connection:
        row = _locked(connection, subject, actor, draft_id)
        _refuse_moved(connection, row, if_match)
        connection.execute(sa.delete(_log).where(_log.c.draft_id == draft_id))
        connection.execute(sa.delete(_drafts).where(_drafts.c.id == draft_id))
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="draft.discarded",
            subject=f"{subject.kind}:{row.code}",
            payload={"changes": row.seq},
            command_id=f"draft:{draft_id}:discard",
        )
        signals.announce(connection, topic(row.org_id, row.kind, row.code), {"draft": draft_id, "gone": True})


def hold(connection: Connection, subject: Subject, org_id: int, code: str) -> None:
    """Keep everybody else from publishing a subject until the transaction ends, whether it exists or not."""
    if connection.dialect.name == "postgresql":
        # What has no row yet cannot be held by its row. SQLite has one writer anyway.
        name = f"publish:{org_id}:{subject.kind}:{code}"
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
    subject.hold(connection, org_id, code)


def held_for_publishing(
    connection: Connection, subject: Subject, actor: Actor, draft_id: int, if_match: int
) -> DraftView:
    """The asker's draft, held until the transaction ends; raises `DraftMoved`."""
    row = _locked(connection, subject, actor, draft_id)
    _refuse_moved(connection, row, if_match)
    return view(connection, subject, actor, row)


def note_published(
    connection: Connection, subject: Subject, actor: Actor, at: datetime, draft_id: int, published: Newest
) -> DraftView:
    """Let a draft go on from the version that was just made of it; its log says so."""
    row = _locked(connection, subject, actor, draft_id)
    row = _written(
        connection,
        row,
        actor,
        at,
        gesture_id=f"published:{published.version_id}:{row.seq}",
        label="draft.gesture.published",
        label_params={"number": published.number},
        document=published.document,
        base=published.document,
        base_version_id=published.version_id,
        contributors={},
        merged={},
    )
    return view(connection, subject, actor, row)


def view(connection: Connection, subject: Subject, actor: Actor, row: Row[Any]) -> DraftView:
    gestures = _gestures(connection, row.id, after=0)
    newest = subject.newest(connection, row.org_id, row.code)
    base = None if row.base_version_id is None else subject.version(connection, row.base_version_id)
    return DraftView(
        id=row.id,
        kind=row.kind,
        code=row.code,
        author=row.author,
        author_name=row.author_name,
        is_mine=row.author == author_of(actor),
        base_version_id=row.base_version_id,
        base_number=None if base is None else base.number,
        newest_version_id=None if newest is None else newest.version_id,
        newest_number=None if newest is None else newest.number,
        seq=row.seq,
        document=row.document,
        base=row.base,
        contributors=row.contributors,
        gestures=gestures,
        compacted_to=gestures[0].seq - 1 if gestures else row.seq,
        updated_at=row.updated_at,
    )


def _summary(row: Row[Any], actor: Actor) -> DraftSummary:
    return DraftSummary(
        id=row.id,
        kind=row.kind,
        code=row.code,
        author=row.author,
        author_name=row.author_name,
        is_mine=row.author == author_of(actor),
        seq=row.seq,
        base_version_id=row.base_version_id,
        has_changes=row.base_version_id is None or not same(row.document, row.base),
        created_at=row.created_at,
        updated_at=row.updated_at,
        document=row.document,
    )


def _row(connection: Connection, subject: Subject, actor: Actor, draft_id: int) -> Row[Any]:
    row = connection.execute(_found(subject, actor, draft_id)).one_or_none()
    if row is None:
        raise DraftNotFound(draft_id=draft_id)
    return row


def _locked(connection: Connection, subject: Subject, actor: Actor, draft_id: int) -> Row[Any]:
    """The asker's own draft, held against their other tabs."""
    row = connection.execute(_found(subject, actor, draft_id).with_for_update()).one_or_none()
    if row is None:
        raise DraftNotFound(draft_id=draft_id)
    _refuse_foreign(actor, row)
    return row


def _refuse_foreign(actor: Actor, row: Row[Any]) -> None:
    if row.author != author_of(actor):
        raise NotYourDraft(author=row.author_name)


def _found(subject: Subject, actor: Actor, draft_id: int) -> sa.Select[Any]:
    return sa.select(_drafts).where(
        _drafts.c.id == draft_id, _drafts.c.org_id == actor.org_id, _drafts.c.kind == subject.kind
    )


def _own_row(connection: Connection, subject: Subject, actor: Actor, code: str) -> Row[Any] | None:
    query = sa.select(_drafts).where(
        _drafts.c.org_id == actor.org_id,
        _drafts.c.kind == subject.kind,
        _drafts.c.code == code,
        _drafts.c.author == author_of(actor),
    )
    return connection.execute(query.with_for_update()).one_or_none()


def _insert(
    connection: Connection,
    subject: Subject,
    actor: Actor,
    at: datetime,
    code: str,
    document: Document,
    *,
    version_id: int | None = None,
    contributors: Mapping[str, str] | None = None,
    merged: Mapping[str, int] | None = None,
) -> Row[Any]:
    return connection.execute(
        sa.insert(_drafts)
        .values(
            id=ids.take("row"),
            org_id=actor.org_id,
            kind=subject.kind,
            code=code,
            author=author_of(actor),
            author_name=actor.display[:80],
            base_version_id=version_id,
            base=document,
            seq=0,
            document=document,
            contributors=dict(contributors or {}),
            merged=dict(merged or {}),
            created_at=at,
            updated_at=at,
        )
        .returning(_drafts)
    ).one()


def _refuse_moved(connection: Connection, row: Row[Any], if_match: int) -> None:
    if row.seq == if_match:
        return
    since = _gestures(connection, row.id, after=if_match) if if_match < row.seq else ()
    when = since[-1].at if since else row.updated_at
    raise DraftMoved(
        since,
        is_whole=bool(since) and since[0].seq == if_match + 1,
        seq=row.seq,
        who=since[-1].author_name if since else row.author_name,
        when=when.astimezone(UTC).isoformat(timespec="seconds"),
    )


def _seq_of(connection: Connection, draft_id: int, gesture_id: str) -> int | None:
    query = sa.select(_log.c.seq).where(_log.c.draft_id == draft_id, _log.c.gesture_id == gesture_id)
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found


def _written(
    connection: Connection,
    row: Row[Any],
    actor: Actor,
    at: datetime,
    *,
    gesture_id: str,
    label: str,
    label_params: Mapping[str, Any],
    document: Document,
    **columns: Any,
) -> Row[Any]:
    """Let the draft be another document, as one change of its log."""
    ops = replacing(row.document, document)
    _, inverse = apply(row.document, ops, limit=_LONGEST)
    gesture = Gesture(gesture_id, label, ops, label_params)
    return _append(connection, row, actor, at, gesture, inverse, {"document": document, **columns})


def _append(
    connection: Connection,
    row: Row[Any],
    actor: Actor,
    at: datetime,
    gesture: Gesture,
    inverse: list[dict[str, Any]],
    columns: Mapping[str, Any],
) -> Row[Any]:
    seq = row.seq + 1
    connection.execute(
        sa.insert(_log),
        {
            "draft_id": row.id,
            "seq": seq,
            "gesture_id": gesture.id,
            "label": gesture.label,
            "label_params": dict(gesture.label_params),
            "ops": list(gesture.ops),
            "inverse": inverse,
            "author": author_of(actor),
            "author_name": actor.display[:80],
            "at": at,
        },
    )
    values = {"contributors": {**row.contributors, author_of(actor): actor.display[:80]}, **columns}
    changed = connection.execute(
        sa.update(_drafts)
        .where(_drafts.c.id == row.id)
        .values(**values, seq=seq, updated_at=at)
        .returning(_drafts)
    ).one()
    signals.announce(
        connection,
        topic(row.org_id, row.kind, row.code),
        {"draft": row.id, "seq": seq, "author": row.author, "author_name": row.author_name},
    )
    return changed


def _gestures(connection: Connection, draft_id: int, *, after: int) -> tuple[GestureView, ...]:
    """The latest gestures after a change, as many as are told at once; the oldest first."""
    mine = sa.and_(_log.c.draft_id == draft_id, _log.c.seq > after)
    sizes = connection.execute(
        sa.select(_log.c.seq, _length(_log.c.ops) + _length(_log.c.inverse))
        .where(mine)
        .order_by(_log.c.seq.desc())
        .limit(GESTURES_SHOWN)
    )
    told, first = 0, None
    for seq, size in sizes.all():
        told += size
        if told > CHARACTERS_SHOWN and first is not None:
            break
        first = seq
    if first is None:
        return ()
    query = sa.select(_log).where(mine, _log.c.seq >= first).order_by(_log.c.seq)
    return tuple(map(_gesture, connection.execute(query)))


def _length(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.func.length(sa.type_coerce(column, sa.Text))


def _gesture(row: Row[Any]) -> GestureView:
    return GestureView(
        seq=row.seq,
        id=row.gesture_id,
        label=row.label,
        label_params=row.label_params,
        ops=tuple(row.ops),
        inverse=tuple(row.inverse),
        author=row.author,
        author_name=row.author_name,
        at=row.at,
    )


def _document_at(connection: Connection, row: Row[Any], seq: int) -> Document:
    """How a draft was after change `seq`: its later changes undone, the latest first."""
    if not 0 <= seq <= row.seq:
        raise NoSuchPoint((FieldProblem("seq", "draft.no_such_point", {"seq": seq, "latest": row.seq}),))
    document: Document = row.document
    for last in range(row.seq, seq, -_BLOCK):
        query = sa.select(_log.c.inverse).where(
            _log.c.draft_id == row.id, _log.c.seq <= last, _log.c.seq > max(seq, last - _BLOCK)
        )
        for inverse in connection.execute(query.order_by(_log.c.seq.desc())).scalars():
            document, _ = apply(document, inverse, limit=_LONGEST)
    return document


def _conflict(difference: Difference) -> ConflictView:
    sides = {side.value: difference.side(side) for side in Side}
    return ConflictView(
        path=difference.path,
        sides={name: value for name, value in sides.items() if value is not ABSENT},
        is_order=difference.is_order,
    )
