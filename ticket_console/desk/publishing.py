"""Publishing what was drawn: with its difference, its authors and its tests, or not at all.

Forms and flows take one way. Tickets at work keep the version they were opened with; new ones start on what
was published from the moment of the commit.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.clocks.calendars import calendars_of
from ticket_console.desk import golden
from ticket_console.desk.golden import GoldenResult, Rehearsal
from ticket_console.desk.rates import rate_problems
from ticket_console.flows import drafts as flow_drafts
from ticket_console.flows import publishing as flow_publishing
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.diff import diff_documents
from ticket_console.flows.graph_json import InvalidGraph
from ticket_console.forms import diff as form_diff
from ticket_console.forms import draft_log, publications
from ticket_console.forms import drafts as form_drafts
from ticket_console.forms import publishing as form_publishing
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import InvalidDefinition, definition_problems
from ticket_console.forms.diff import DiffLine
from ticket_console.forms.draft_log import Drafts, DraftSummary, DraftView, Newest, Subject, author_of
from ticket_console.forms.publications import PublicationView
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, table, transaction
from ticket_console.kernel.documents import Document
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import CommandReused

NOTE_LENGTH: Final = 500
_REHEARSALS: Final = 5
SUBJECTS: Final[Mapping[DraftKind, Subject]] = {
    DraftKind.FLOW: flow_drafts.SUBJECT,
    DraftKind.FORM: form_drafts.SUBJECT,
}
_tickets = table(Ticket)


class NewerPublished(Conflict):
    """Somebody published since the draft began: merge that first. `who` and `when` say who was faster."""

    code = "publishing.newer"


class NothingToPublish(Conflict):
    code = "publishing.nothing"


class SuiteMoved(Conflict):
    """The flow's tests, or a sub-flow of it, changed again and again while the tests were being played."""

    code = "publishing.suite_moved"


class NotAVersion(InvalidInput):
    """The version to go back to is none of this form or flow."""

    code = "publishing.not_a_version"


@dataclass(frozen=True, slots=True)
class Published:
    """`draft` goes on from the new version; None after a rollback. `is_repeated`: had been done before."""

    kind: DraftKind
    code: str
    version_id: int
    number: int
    authors: Mapping[str, str]
    draft: DraftView | None
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing a draft would do. `running` are open tickets on the version in use: they stay on it.

    `authors` are names by label, `others` drafts of the same by other people.
    """

    draft: DraftView
    problems: tuple[FieldProblem, ...]
    lines: tuple[DiffLine, ...]
    authors: Mapping[str, str]
    tests: tuple[GoldenResult, ...]
    running: int
    others: tuple[DraftSummary, ...]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the list of versions. `publications` are all times it came into use, the newest first."""

    version_id: int
    number: int
    is_current: bool
    content_hash: str
    published_at: datetime | None
    published_by: str
    note: str
    authors: tuple[str, ...]
    open_tickets: int
    publications: tuple[PublicationView, ...]


def publish(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    kind: DraftKind,
    draft_id: int,
    if_match: int,
    note: str = "",
    accepted: Mapping[str, str] | None = None,
) -> Published:
    """Make the asker's draft the version in use.

    `accepted` names tests that may fail from now on as they do, each with the reason. Raises InvalidGraph or
    InvalidDefinition naming everything wrong, `golden.GoldenFailed`, `DraftMoved`, `NothingToPublish`, and
    `NewerPublished` where the version in use is not the one the draft is based on. Then nothing was changed.
    """
    subject = SUBJECTS[kind]
    policy.require(actor, subject.permission)
    _refuse_long("note", note)

    def attempt() -> Published:
        draft = Drafts(subject).read(actor=actor, draft_id=draft_id)
        tests = None
        if kind is DraftKind.FLOW and draft.seq == if_match:
            tests = _rehearsed(actor, command_id, draft.code, draft.document)
        return _publish(
            actor, at, command_id, subject, draft_id, if_match, note.strip(), accepted or {}, tests
        )

    return _until_tests_stand(attempt)


def _until_tests_stand(attempt: Callable[[], Published]) -> Published:
    """Tests are played before the transaction; what they were played with may have changed until it began."""
    for _ in range(_REHEARSALS - 1):
        try:
            return attempt()
        except SuiteMoved:
            continue
    return attempt()


def _rehearsed(actor: Actor, command_id: str, code: str, document: Document) -> Rehearsal | None:
    """What the flow's tests say to a document; None for one that will be refused for other reasons."""
    with reading() as connection:
        is_done = publications.by_command(connection, org_id=actor.org_id, command_id=command_id) is not None
        if is_done or problems_of(connection, actor, DraftKind.FLOW, code, document):
            return None
        graph = golden.runnable(connection, actor.org_id, flow_drafts.graph_of(document))
    return golden.rehearse(org_id=actor.org_id, code=code, graph=graph)


@retried
def _publish(
    actor: Actor,
    at: datetime,
    command_id: str,
    subject: Subject,
    draft_id: int,
    if_match: int,
    note: str,
    accepted: Mapping[str, str],
    tests: Rehearsal | None,
) -> Published:
    with transaction() as connection:
        if repeated := _repeated(connection, actor, command_id, subject):
            return repeated
        draft = draft_log.held_for_publishing(connection, subject, actor, draft_id, if_match)
        draft_log.hold(connection, subject, actor.org_id, draft.code)
        before = subject.newest(connection, actor.org_id, draft.code)
        _refuse_newer(connection, actor, draft, before)
        if not draft.has_changes:
            raise NothingToPublish(code=draft.code)
        version_id = _put_in_use(connection, actor, at, draft.kind, draft.code, draft.document)
        if draft.kind is DraftKind.FLOW:
            results = _standing(connection, actor, draft.code, version_id, tests)
            golden.accept(connection, actor=actor, at=at, results=results, reasons=accepted)
        elif accepted:
            raise InvalidInput(tuple(FieldProblem(name, "golden.does_not_fail") for name in accepted))
        after = subject.version(connection, version_id)
        authors = _authors(draft)
        change = _Change(draft.kind, draft.code, before, after, note, authors)
        _record(connection, actor, at, command_id, change)
        view = draft_log.note_published(connection, subject, actor, at, draft.id, after)
        return Published(draft.kind, draft.code, version_id, after.number, authors, view)


def roll_back(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    kind: DraftKind,
    code: str,
    version_id: int,
    reason: str,
) -> Published:
    """Put an older version's content in use again; what was published since stays in the list.

    Tests of the flow that fail on it are taken to be meant so, with the same reason.
    """
    subject = SUBJECTS[kind]
    policy.require(actor, subject.permission)
    reason = reason.strip()
    if not reason:
        raise InvalidInput((FieldProblem("reason", "ticket.reason_required"),))
    _refuse_long("reason", reason)

    def attempt() -> Published:
        tests = None
        if kind is DraftKind.FLOW:
            with reading() as connection:
                is_ours = version_id in _version_ids(connection, kind, actor.org_id, code)
                document = subject.version(connection, version_id).document if is_ours else None
            if document is not None:
                tests = _rehearsed(actor, command_id, code, document)
        return _roll_back(actor, at, command_id, subject, code, version_id, reason, tests)

    return _until_tests_stand(attempt)


@retried
def _roll_back(
    actor: Actor,
    at: datetime,
    command_id: str,
    subject: Subject,
    code: str,
    version_id: int,
    reason: str,
    tests: Rehearsal | None,
) -> Published:
    kind = subject.kind
    with transaction() as connection:
        if repeated := _repeated(connection, actor, command_id, subject):
            return repeated
        draft_log.hold(connection, subject, actor.org_id, code)
        before = subject.newest(connection, actor.org_id, code)
        if before is None:
            raise subject.unknown(code=code)
        if version_id not in _version_ids(connection, kind, actor.org_id, code):
            raise NotAVersion((FieldProblem("version_id", "publishing.not_a_version"),))
        if version_id == before.version_id:
            raise NothingToPublish(code=code)
        target = subject.version(connection, version_id)
        now_id = _put_in_use(connection, actor, at, kind, code, target.document)
        if kind is DraftKind.FLOW:
            results = _standing(connection, actor, code, now_id, tests)
            why = {result.name: reason[: golden.REASON_LENGTH] for result in results if not result.passed}
            golden.accept(connection, actor=actor, at=at, results=results, reasons=why)
        after = subject.version(connection, now_id)
        authors = {author_of(actor): actor.display}
        change = _Change(kind, code, before, after, reason, authors, is_rollback=True)
        _record(connection, actor, at, command_id, change)
        signals.announce(connection, draft_log.topic(actor.org_id, kind, code), {"published": now_id})
        return Published(kind, code, now_id, after.number, authors, None)


def preview(*, actor: Actor, kind: DraftKind, draft_id: int) -> Preview:
    """Everything the asker should see before they publish; any author's draft may be looked at."""
    subject = SUBJECTS[kind]
    room = Drafts(subject)
    draft = room.read(actor=actor, draft_id=draft_id)
    others = tuple(each for each in room.drafts_of(actor=actor, code=draft.code) if each.id != draft.id)
    with reading() as connection:
        newest = subject.newest(connection, actor.org_id, draft.code)
        tests: tuple[GoldenResult, ...] = ()
        if kind is DraftKind.FLOW:
            graph = flow_drafts.graph_of(draft.document)
            runnable = golden.runnable(connection, actor.org_id, graph)
            tests = golden.run(connection, org_id=actor.org_id, code=draft.code, graph=runnable)
        running = {} if newest is None else _open_tickets(connection, kind, [newest.version_id])
        return Preview(
            draft=draft,
            problems=problems_of(connection, actor, kind, draft.code, draft.document),
            lines=lines_between(kind, {} if newest is None else newest.document, draft.document),
            authors=_authors(draft),
            tests=tests,
            running=sum(running.values()),
            others=others,
        )


def problems_of(
    connection: Connection, actor: Actor, kind: DraftKind, code: str, document: Document
) -> tuple[FieldProblem, ...]:
    """Everything that keeps a document from being published."""
    if kind is DraftKind.FORM:
        return _form_problems(connection, actor.org_id, document)
    graph = flow_drafts.graph_of(document)
    calendars = calendars_of(connection, actor.org_id)
    return flow_publishing.publishing_problems(
        connection, org_id=actor.org_id, code=code, graph=graph, calendars=calendars
    )


def lines_between(kind: DraftKind, before: Document, after: Document) -> tuple[DiffLine, ...]:
    return diff_documents(before, after).lines if kind is DraftKind.FLOW else form_diff.diff(before, after)


def versions(*, actor: Actor, kind: DraftKind, code: str) -> tuple[VersionRow, ...]:
    """All versions of a form or a flow, the newest first, with the open tickets that run on each."""
    subject = SUBJECTS[kind]
    policy.require(actor, subject.permission)
    with reading() as connection:
        rows = _version_rows(connection, kind, actor.org_id, code)
        if not rows:
            raise subject.unknown(code=code)
        book = publications.of_subject(connection, org_id=actor.org_id, kind=kind, code=code)
        running = _open_tickets(connection, kind, [row.version_id for row in rows])
    made = []
    for row in rows:
        mine = tuple(each for each in book if each.version_id == row.version_id)
        first = mine[-1] if mine else None
        made.append(
            VersionRow(
                version_id=row.version_id,
                number=row.number,
                is_current=row.is_current,
                content_hash=row.content_hash,
                published_at=row.published_at,
                published_by=row.published_by if first is None else first.actor_name,
                note="" if first is None else first.note,
                authors=() if first is None else tuple(first.authors.values()),
                open_tickets=running.get(row.version_id, 0),
                publications=mine,
            )
        )
    return tuple(made)


def version_lines(
    *, actor: Actor, kind: DraftKind, before_id: int | None, after_id: int
) -> tuple[DiffLine, ...]:
    """What differs between two versions; without the first, everything is new."""
    subject = SUBJECTS[kind]
    with reading() as connection:
        after = version_document(connection, actor, kind, after_id)
        before = None if before_id is None else version_document(connection, actor, kind, before_id)
    policy.require(actor, subject.permission)
    return lines_between(kind, {} if before is None else before.document, after.document)


def version_document(connection: Connection, actor: Actor, kind: DraftKind, version_id: int) -> Newest:
    """Any version of the asker's organisation as a document."""
    subject = SUBJECTS[kind]
    policy.require(actor, subject.permission)
    code = (
        flow_reads.version_view(connection, version_id).code
        if kind is DraftKind.FLOW
        else form_reads.template_version(connection, version_id).code
    )
    if version_id not in _version_ids(connection, kind, actor.org_id, code):
        raise subject.unknown(id=version_id)
    return subject.version(connection, version_id)


def _put_in_use(
    connection: Connection, actor: Actor, at: datetime, kind: DraftKind, code: str, document: Document
) -> int:
    if kind is DraftKind.FLOW:
        graph, name = flow_drafts.graph_of(document), flow_drafts.name_of(document)
        if not any(text.strip() for text in name.values()):
            raise InvalidGraph((FieldProblem("name", "publishing.no_name"),))
        published = flow_publishing.publish_flow(
            connection,
            actor=actor,
            at=at,
            code=code,
            name=name,
            graph=graph,
            calendars=calendars_of(connection, actor.org_id),
        )
        return published.id
    face, flow = form_drafts.face_of(document)
    definition = form_drafts.definition_of(document)
    if problems := _form_problems(connection, actor.org_id, document):
        raise InvalidDefinition(problems)
    template = form_publishing.publish_template(
        connection, actor=actor, at=at, code=code, face=face, definition=definition
    )
    if flow is not None:
        version = flow_reads.current_version(connection, actor.org_id, flow)
        form_publishing.use_flow(
            connection, actor=actor, code=code, flow_id=version.flow_id, flow_version_id=version.id
        )
    return template.template_version_id


def _form_problems(connection: Connection, org_id: int, document: Document) -> tuple[FieldProblem, ...]:
    face, flow = form_drafts.face_of(document)
    is_named = any(text.strip() for text in face.name.values())
    definition = form_drafts.definition_of(document)
    return (
        *definition_problems(definition),
        *form_publishing.field_clashes(connection, org_id, definition.fields),
        *rate_problems(connection, org_id, definition),
        *_flow_problems(connection, org_id, flow),
        *(() if is_named else (FieldProblem("face.name", "publishing.no_name"),)),
    )


def _flow_problems(connection: Connection, org_id: int, flow: str | None) -> list[FieldProblem]:
    """A template follows a flow that was published, or none yet."""
    if flow is None:
        return []
    try:
        flow_reads.current_version(connection, org_id, flow)
    except flow_reads.FlowNotFound as missing:
        return [FieldProblem("face.flow", missing.code, {"code": flow})]
    return []


def _standing(
    connection: Connection, actor: Actor, code: str, version_id: int, tests: Rehearsal | None
) -> tuple[GoldenResult, ...]:
    """What the tests said of this version, if these are the tests there are; else raises `SuiteMoved`."""
    graph = flow_reads.compiled(connection, version_id)
    played = golden.fingerprint(connection, org_id=actor.org_id, code=code, graph=graph)
    if tests is None or tests.played != played:
        raise SuiteMoved(code=code)
    return tests.results


def note_brought(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    kind: DraftKind,
    code: str,
    before: Newest | None,
    note: str,
) -> None:
    """Keep that what is in use of a form or flow was brought from elsewhere, in the caller's transaction."""
    subject = SUBJECTS[kind]
    policy.require(actor, subject.permission)
    after = subject.newest(connection, actor.org_id, code)
    if after is None:
        raise subject.unknown(code=code)
    authors = {author_of(actor): actor.display}
    change = _Change(kind, code, before, after, note[:NOTE_LENGTH], authors)
    _record(connection, actor, at, command_id, change)
    signals.announce(connection, draft_log.topic(actor.org_id, kind, code), {"published": after.version_id})


def _repeated(connection: Connection, actor: Actor, command_id: str, subject: Subject) -> Published | None:
    earlier = publications.by_command(connection, org_id=actor.org_id, command_id=command_id)
    if earlier is None:
        return None
    if earlier.actor != actor.label or earlier.kind is not subject.kind:
        raise CommandReused(command_id=command_id)
    number = subject.version(connection, earlier.version_id).number
    return Published(
        earlier.kind, earlier.code, earlier.version_id, number, earlier.authors, None, is_repeated=True
    )


def _refuse_newer(connection: Connection, actor: Actor, draft: DraftView, newest: Newest | None) -> None:
    newest_id = None if newest is None else newest.version_id
    if newest is None or newest_id == draft.base_version_id:
        return
    book = publications.of_subject(connection, org_id=actor.org_id, kind=draft.kind, code=draft.code)
    last = next((each for each in book if each.version_id == newest_id), None)
    when = newest.published_at if last is None else last.at
    raise NewerPublished(
        number=newest.number,
        who=(newest.published_by or "") if last is None else last.actor_name,
        when="" if when is None else when.astimezone(UTC).isoformat(timespec="seconds"),
    )


def _authors(draft: DraftView) -> dict[str, str]:
    """Who contributed to a draft since it began; of a new one, at least its author."""
    return dict(draft.contributors) or {draft.author: draft.author_name}


@dataclass(frozen=True, slots=True)
class _Change:
    """One publication: what took the place of what."""

    kind: DraftKind
    code: str
    before: Newest | None
    after: Newest
    note: str
    authors: Mapping[str, str]
    is_rollback: bool = False


def _record(connection: Connection, actor: Actor, at: datetime, command_id: str, change: _Change) -> None:
    """Keep who published what in the book of publications and on the audit trail."""
    before, after = change.before, change.after
    lines = lines_between(change.kind, {} if before is None else before.document, after.document)
    summary = form_diff.summary(lines)
    publications.record(
        connection,
        actor=actor,
        at=at,
        command_id=command_id,
        kind=change.kind,
        code=change.code,
        version_id=after.version_id,
        replaced_id=None if before is None else before.version_id,
        note=change.note,
        authors=change.authors,
        summary=summary,
        is_rollback=change.is_rollback,
    )
    audit.record(
        connection,
        at=at,
        actor=actor,
        action=f"{change.kind}.{'rolled_back' if change.is_rollback else 'published'}",
        subject=f"{change.kind}:{change.code}",
        payload={
            "number": after.number,
            "before": None if before is None else before.number,
            "note": change.note,
            "authors": sorted(change.authors),
            "changes": summary,
        },
        command_id=command_id,
    )


@dataclass(frozen=True, slots=True)
class _VersionFacts:
    version_id: int
    number: int
    is_current: bool
    content_hash: str
    published_at: datetime | None
    published_by: str


def _version_rows(
    connection: Connection, kind: DraftKind, org_id: int, code: str
) -> tuple[_VersionFacts, ...]:
    if kind is DraftKind.FLOW:
        flows = flow_reads.versions_of(connection, org_id, code)
        by = flow_drafts.publishers(connection, [row.id for row in flows])
        return tuple(
            _VersionFacts(
                row.id, row.number, row.is_current, row.content_hash, row.published_at, by.get(row.id, "")
            )
            for row in flows
        )
    return tuple(
        _VersionFacts(
            row.template_version_id,
            row.number,
            row.is_current,
            row.content_hash,
            row.published_at,
            row.published_by,
        )
        for row in form_drafts.versions_of(connection, org_id, code)
    )


def _version_ids(connection: Connection, kind: DraftKind, org_id: int, code: str) -> frozenset[int]:
    return frozenset(row.version_id for row in _version_rows(connection, kind, org_id, code))


def _open_tickets(connection: Connection, kind: DraftKind, version_ids: Iterable[int]) -> dict[int, int]:
    """Open tickets by the version they run on; those on a variant of a form count for what it comes from."""
    is_flow = kind is DraftKind.FLOW
    column = _tickets.c.flow_version_id if is_flow else _tickets.c.template_version_id
    wanted = {version_id: version_id for version_id in version_ids}
    if not is_flow:
        wanted |= form_drafts.variants_of(connection, tuple(wanted))
    query = (
        sa.select(column, sa.func.count())
        .where(column.in_(list(wanted)), _tickets.c.status == TicketStatus.OPEN)
        .group_by(column)
    )
    counted: dict[int, int] = {}
    for row in connection.execute(query):
        counted[wanted[row[0]]] = counted.get(wanted[row[0]], 0) + int(row[1])
    return counted


def _refuse_long(name: str, text: str) -> None:
    if len(text) > NOTE_LENGTH:
        raise InvalidInput((FieldProblem(name, "field.too_long", {"limit": NOTE_LENGTH}),))
