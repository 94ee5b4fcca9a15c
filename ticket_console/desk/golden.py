"""Golden tickets: a real ticket's story kept as a test of its flow.

A test plays what people did, entered and waited with the production engine on any graph, and compares how the
ticket goes with how it went: every edge, every step with who does it and what it asks, the end, the returns.
Publishing runs a flow's whole suite (`desk.publishing`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.desk.replay.dwelling import Dwells, who
from ticket_console.desk.replay.playing import Course, Leg, Stay, play
from ticket_console.desk.replay.script import Called, Ending, Noted, Script, Visit, read_script
from ticket_console.desk.work import may_see, owns
from ticket_console.flows import drafts as flow_drafts
from ticket_console.flows import golden_tickets, reads
from ticket_console.flows.expansion import expand
from ticket_console.flows.golden_tickets import GoldenRow
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import graph_json
from ticket_console.forms import reads as form_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import canonical_json as text_of
from ticket_console.kernel.canonical import content_hash as hash_of
from ticket_console.kernel.canonical import instant_text, parse_json
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.tickets import reads as ticket_reads
from ticket_console.tickets import writing
from ticket_console.tickets.marking import Marking
from ticket_console.tickets.writing import TicketNotFound

NAME_LENGTH: Final = 120
TICKET_NO_LENGTH: Final = 24
REASON_LENGTH: Final = 300
MAX_TESTS: Final = 200
# What guards may ask about; everything else of the ticket is nobody's business in a test.
_FACTS: Final = (
    "priority",
    "urgency",
    "impact",
    "is_vip",
    "source",
    "ticket_class",
    "region_id",
    "returns",
    "flow_version_id",
)
# Values of these kinds are about a person: a test keeps only that there was one.
_PERSONAL: Final = frozenset(
    {"phone", "person", "customer", "address", "location", "photo", "file", "signature", "scan"}
)
_KEPT_BACK: Final = "•"


class NameTaken(Conflict):
    code = "golden.name_taken"


class CannotBeATest(Conflict):
    """The ticket did not go by its flow alone: somebody carried it, or its history is of an older kind."""

    code = "golden.cannot_be_a_test"


class TooManyTests(Conflict):
    code = "golden.too_many"


class GoldenFailed(InvalidInput):
    """Tests of the flow fail and nobody accepted that; each problem's path is the name of one."""

    code = "golden.failed"
    http_status = 409

    def __init__(self, failed: tuple["GoldenResult", ...]) -> None:
        self.failed = failed
        super().__init__(
            tuple(
                FieldProblem(result.name, "golden.differs", {"ticket": result.ticket_no}) for result in failed
            )
        )


@dataclass(frozen=True, slots=True)
class GoldenView:
    id: int
    code: str
    name: str
    ticket_no: str
    saved_by_name: str
    saved_at: datetime
    accepted: Mapping[str, Any] | None
    steps: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a ticket first went another way. A leg is `{"node", "how", "edges"}`, None where there is none.

    With `about` "course" the sides are legs, with "step" stays (`{"node", "stage", "who", "asks"}`), with
    "outcome" how it ended.
    """

    about: str
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """`expected_path` and `actual_path` are the keys of every edge that was walked, for the canvas."""

    test_id: int
    name: str
    ticket_no: str
    passed: bool
    difference: Difference | None
    expected_path: tuple[str, ...]
    actual_path: tuple[str, ...]
    actual: Mapping[str, Any]


@retried
def save_as_test(*, actor: Actor, at: datetime, ticket_id: int, name: str) -> GoldenView:
    """Keep a ticket's story as a test of its flow under a name of its own; again is the same test.

    Raises `CannotBeATest` where playing the story on the version it ran on does not lead where it stands.
    """
    policy.require(actor, "flow.manage")
    name = name.strip()
    if not name:
        raise InvalidInput((FieldProblem("name", "field.required"),))
    if len(name) > NAME_LENGTH:
        raise InvalidInput((FieldProblem("name", "field.too_long", {"limit": NAME_LENGTH}),))
    with transaction() as connection:
        row = _visible(connection, actor, ticket_id)
        version = reads.version_view(connection, row["flow_version_id"])
        suite = golden_tickets.of_flow(connection, org_id=actor.org_id, code=version.code)
        if same_name := next((test for test in suite if test.name == name), None):
            if same_name.ticket_no != row["no"]:
                raise NameTaken(name=name)
            return _view(same_name)
        if len(suite) >= MAX_TESTS:
            raise TooManyTests(limit=MAX_TESTS)
        script = read_script(ticket_reads.events_of(connection, ticket_id))
        story = _story(connection, script, row, at)
        graph = reads.compiled(connection, row["flow_version_id"])
        course = _played(graph, story, graph)
        if script.moved or course.stuck is not None or not _stands_alike(course.marking, script.marking):
            raise CannotBeATest(ticket_no=row["no"])
        test_id = golden_tickets.add(
            connection,
            actor=actor,
            at=at,
            flow_id=version.flow_id,
            name=name,
            ticket_no=row["no"],
            story=story,
            expected=outcome_of(course),
        )
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="golden.saved",
            subject=f"flow:{version.code}",
            payload={"name": name, "ticket": row["no"]},
            command_id=f"golden:{test_id}",
        )
        return _view(golden_tickets.find(connection, org_id=actor.org_id, test_id=test_id))


@retried
def remove_test(*, actor: Actor, at: datetime, test_id: int) -> None:
    policy.require(actor, "flow.manage")
    with transaction() as connection:
        test = golden_tickets.find(connection, org_id=actor.org_id, test_id=test_id)
        golden_tickets.remove(connection, test_id=test_id)
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="golden.removed",
            subject=f"flow:{test.code}",
            payload={"name": test.name, "ticket": test.ticket_no},
            command_id=f"golden:{test_id}:removed",
        )


def suite(*, actor: Actor, code: str) -> tuple[GoldenView, ...]:
    """The tests of a flow, by name."""
    policy.require(actor, "flow.manage")
    with reading() as connection:
        return tuple(map(_view, golden_tickets.of_flow(connection, org_id=actor.org_id, code=code)))


def run_draft(*, actor: Actor, draft_id: int) -> tuple[GoldenResult, ...]:
    """What the suite says to a draft; a draft that cannot be run yet fails every test."""
    policy.require(actor, "flow.manage")
    draft = flow_drafts.read(actor=actor, draft_id=draft_id)
    with reading() as connection:
        graph = runnable(connection, actor.org_id, flow_drafts.graph_of(draft.document))
        return run(connection, org_id=actor.org_id, code=draft.code, graph=graph)


def run_current(*, actor: Actor, code: str) -> tuple[GoldenResult, ...]:
    """What the suite says to the version in use."""
    policy.require(actor, "flow.manage")
    with reading() as connection:
        version = reads.current_version(connection, actor.org_id, code)
        graph = reads.compiled(connection, version.id)
        return run(connection, org_id=actor.org_id, code=code, graph=graph)


def runnable(connection: Connection, org_id: int, graph: Graph) -> Graph:
    """A drawn graph with its sub-flows in their places, as far as they exist."""
    expansion = expand(
        graph,
        lambda use: (
            None
            if (version := reads.follow_current(connection, org_id, use)) is None
            else reads.pinned(connection, version)
        ),
    )
    return graph if expansion.problems else expansion.graph


def run(connection: Connection, *, org_id: int, code: str, graph: Graph) -> tuple[GoldenResult, ...]:
    """Every test of a flow on any graph; nothing is written."""
    results = []
    for test in golden_tickets.of_flow(connection, org_id=org_id, code=code):
        ran_on = _ran_on(connection, test, graph)
        results.append(_compared(test, outcome_of(_played(graph, test.story, ran_on))))
    return tuple(results)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a suite said to a graph; `played` tells the same tests on the same graph from any others."""

    results: tuple[GoldenResult, ...]
    played: str


def rehearse(*, org_id: int, code: str, graph: Graph) -> Rehearsal:
    """Play a flow's suite before a transaction that counts on it: nobody who writes waits for it."""
    with reading() as connection:
        results = run(connection, org_id=org_id, code=code, graph=graph)
        return Rehearsal(results, fingerprint(connection, org_id=org_id, code=code, graph=graph))


def fingerprint(connection: Connection, *, org_id: int, code: str, graph: Graph) -> str:
    """Of the tests there are and the graph they are played on; a saved story itself never changes."""
    tests = golden_tickets.of_flow(connection, org_id=org_id, code=code)
    saved = [[test.id, test.name, instant_text(test.saved_at), test.expected] for test in tests]
    return hash_of([graph_json(graph), saved])


def accept(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    results: Iterable[GoldenResult],
    reasons: Mapping[str, str],
) -> None:
    """Let tests that fail expect what they saw, each with its reason; raises `GoldenFailed` for the others.

    Raises InvalidInput for a reason that is missing or meant for a test that does not fail.
    """
    failed = {result.name: result for result in results if not result.passed}
    problems = [FieldProblem(name, "golden.does_not_fail") for name in reasons if name not in failed]
    problems += [
        FieldProblem(name, "ticket.reason_required") for name, why in reasons.items() if not why.strip()
    ]
    problems += [
        FieldProblem(name, "field.too_long", {"limit": REASON_LENGTH})
        for name, why in reasons.items()
        if len(why) > REASON_LENGTH
    ]
    if problems:
        raise InvalidInput(tuple(problems))
    if left := tuple(result for name, result in failed.items() if name not in reasons):
        raise GoldenFailed(left)
    for name, result in failed.items():
        golden_tickets.expect(
            connection,
            test_id=result.test_id,
            expected=result.actual,
            accepted={"by": actor.display, "at": instant_text(at), "reason": reasons[name].strip()},
        )


def exported(connection: Connection, *, org_id: int, code: str) -> list[dict[str, Any]]:
    """A flow's suite as plain JSON, to travel with the flow."""
    return [
        {"name": test.name, "ticket": test.ticket_no, "story": test.story, "expected": test.expected}
        for test in golden_tickets.of_flow(connection, org_id=org_id, code=code)
    ]


def take_in(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    code: str,
    entries: Sequence[Mapping[str, Any]],
) -> int:
    """Add tests that `exported` gave elsewhere, in the transaction that brings their flow; returns how many.

    A test whose name is known is left as it is. Raises InvalidInput naming every entry that is no test.
    """
    policy.require(actor, "flow.manage")
    flow_id = reads.flow_id(connection, actor.org_id, code)
    known = {test.name for test in golden_tickets.of_flow(connection, org_id=actor.org_id, code=code)}
    if len(known) + len(entries) > MAX_TESTS:
        raise TooManyTests(limit=MAX_TESTS)
    wrong = [index for index, entry in enumerate(entries) if not _is_test(entry)]
    if wrong:
        raise InvalidInput(tuple(FieldProblem(f"tests[{index}]", "golden.not_a_test") for index in wrong))
    new = {entry["name"]: entry for entry in entries if entry["name"] not in known}
    for name, entry in new.items():
        golden_tickets.add(
            connection,
            actor=actor,
            at=at,
            flow_id=flow_id,
            name=name,
            ticket_no=entry["ticket"],
            story=entry["story"],
            expected=entry["expected"],
        )
    return len(new)


def _is_test(entry: object) -> bool:
    """Whether something from outside can be played and compared: tried out, on a flow with nothing in it."""
    nothing = Graph(stages=(), nodes=(), edges=())
    try:
        if not _is_id(entry["story"]["ticket"]["flow_version_id"]):  # type: ignore[index]
            return False
        texts = [entry["name"], entry["ticket"]]  # type: ignore[index]
        played = outcome_of(_played(nothing, entry["story"], nothing))  # type: ignore[index]
        first_difference(entry["expected"], played)  # type: ignore[index]
        _path(entry["expected"])  # type: ignore[index]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False
    return all(isinstance(text, str) and text.strip() for text in texts) and (
        len(texts[0]) <= NAME_LENGTH and len(texts[1]) <= TICKET_NO_LENGTH
    )


def _is_id(number: object) -> bool:
    """What both databases can be asked for as the number of a version."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**31


def _visible(connection: Connection, actor: Actor, ticket_id: int) -> Mapping[str, Any]:
    row = writing.read_ticket(connection, org_id=actor.org_id, ticket_id=ticket_id)
    tokens = writing.live_tokens(connection, ticket_id)
    if not may_see(actor, row, is_own=owns(actor, row, tokens)):
        raise TicketNotFound(ticket_id=ticket_id)
    return row


def _view(test: GoldenRow) -> GoldenView:
    return GoldenView(
        id=test.id,
        code=test.code,
        name=test.name,
        ticket_no=test.ticket_no,
        saved_by_name=test.saved_by_name,
        saved_at=test.saved_at,
        accepted=test.accepted,
        steps=len(test.expected["stays"]),
    )


def _story(connection: Connection, script: Script, row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A script as plain JSON, without what is about persons."""
    template = form_reads.template_version(connection, row["template_version_id"])
    personal = {spec.key for spec in template.definition.fields if str(spec.kind) in _PERSONAL}

    def kept(values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: _KEPT_BACK if key in personal and value is not None else value
            for key, value in values.items()
        }

    story = {
        "opened_at": script.opened_at,
        "as_of": at,
        "ticket": {name: script.opening[name] for name in _FACTS},
        "values": kept(script.values),
        "visits": [
            {
                "node": visit.node_key,
                "entered_at": visit.entered_at,
                "ending": visit.ending,
                "left_at": visit.left_at,
                "order": visit.order,
                "edge": visit.edge_key,
                "values": kept(visit.values),
                "reason": "" if not visit.reason else _KEPT_BACK,
            }
            for visit in script.visits
        ],
        "called": None if script.called is None else {"at": script.called.at, "order": script.called.order},
        "noted": [{"at": each.at, "order": each.order, "values": kept(each.values)} for each in script.noted],
        "entered": kept(script.entered_later),
        "marking": script.marking.as_json(),
    }
    plain: dict[str, Any] = parse_json(text_of(story))
    return plain


def _script(story: Mapping[str, Any]) -> Script:
    called = story["called"]
    return Script(
        ticket_id=0,
        opened_at=_instant(story["opened_at"]),
        opening=story["ticket"],
        values=story["values"],
        visits=tuple(_visit(visit) for visit in story["visits"]),
        called=None if called is None else Called(_instant(called["at"]), called["order"], _KEPT_BACK),
        noted=tuple(Noted(_instant(each["at"]), each["order"], each["values"]) for each in story["noted"]),
        moved=(),
        entered_later=story["entered"],
        marking=Marking.of_json(story["marking"]),
    )


def _visit(visit: Mapping[str, Any]) -> Visit:
    return Visit(
        node_key=visit["node"],
        entered_at=_instant(visit["entered_at"]),
        ending=None if visit["ending"] is None else Ending(visit["ending"]),
        left_at=None if visit["left_at"] is None else _instant(visit["left_at"]),
        order=visit["order"],
        edge_key=visit["edge"],
        values=visit["values"],
        reason=visit["reason"],
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _ran_on(connection: Connection, test: GoldenRow, graph: Graph) -> Graph:
    """The version the ticket ran on; for a test from another installation the flow itself has to do."""
    try:
        version = reads.version_view(connection, test.story["ticket"]["flow_version_id"])
    except reads.FlowNotFound:
        return graph
    return reads.compiled(connection, version.id) if version.flow_id == test.flow_id else graph


def _played(graph: Graph, story: Mapping[str, Any], ran_on: Graph) -> Course:
    return play(
        graph,
        _script(story),
        ran_on=ran_on,
        dwells=Dwells(),
        as_of=_instant(story["as_of"]),
        waits=_AroundTheClock(),
    )


class _AroundTheClock:
    """A test means the same whatever became of the calendars: its clock knows no closing time and no zone."""

    def after(self, at: datetime, seconds: int, calendar: str | None) -> datetime:
        return at + timedelta(seconds=seconds)

    def until(self, value: object, calendar: str | None) -> datetime | None:
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            return None
        if not isinstance(found, datetime):
            return None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _stands_alike(played: Marking, real: Marking) -> bool:
    standing = [sorted(token.node_key for token in marking.tokens) for marking in (played, real)]
    return standing[0] == standing[1] and (played.status, played.ended_at) == (real.status, real.ended_at)


def outcome_of(course: Course) -> dict[str, Any]:
    """How a ticket went, as a test expects it: plain JSON without instants."""
    return {
        "legs": [_leg(leg) for leg in course.legs],
        "stays": [_stay(stay) for stay in course.stays],
        "outcome": {
            "status": course.marking.status.value,
            "end": course.marking.ended_at,
            "standing": sorted(token.node_key for token in course.marking.tokens),
            "returns": dict(course.marking.returns),
            "stuck": course.stuck,
        },
    }


def _leg(leg: Leg) -> dict[str, Any]:
    return {"node": leg.node_key, "how": leg.how, "edges": list(leg.edges)}


def _stay(stay: Stay) -> dict[str, Any]:
    node = stay.node
    return {
        "node": node.key,
        "stage": node.stage,
        "who": who(node),
        "handlers": [[each.mode.value, each.role, each.skill] for each in node.possible_handlers],
        "asks": sorted(use.key for use in node.fields if use.required),
        "evidence": sorted(node.evidence),
    }


def _compared(test: GoldenRow, actual: Mapping[str, Any]) -> GoldenResult:
    difference = first_difference(test.expected, actual)
    return GoldenResult(
        test_id=test.id,
        name=test.name,
        ticket_no=test.ticket_no,
        passed=difference is None,
        difference=difference,
        expected_path=_path(test.expected),
        actual_path=_path(actual),
        actual=actual,
    )


def first_difference(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Difference | None:
    """The first leg, else the first step, else the outcome that is not as expected.

    Parts of a ticket that go on side by side may do so in any order.
    """
    for about, part in (("course", "legs"), ("step", "stays")):
        wanted, found = expected[part], actual[part]
        if sorted(map(text_of, wanted)) == sorted(map(text_of, found)):
            continue
        for index in range(max(len(wanted), len(found))):
            one = wanted[index] if index < len(wanted) else None
            other = found[index] if index < len(found) else None
            if one != other:
                return Difference(about, one, other)
    if expected["outcome"] != actual["outcome"]:
        return Difference("outcome", expected["outcome"], actual["outcome"])
    return None


def _path(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(edge for leg in outcome["legs"] for edge in leg["edges"]))
