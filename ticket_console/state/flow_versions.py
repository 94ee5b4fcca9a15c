"""The versions tab of a flow: what each one changed, who stands where, older ones back, and migration."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from ticket_console.desk import impact, migrating, publishing
from ticket_console.desk.carried_over import carried_over
from ticket_console.desk.migrating import Migrated, MigrationPlan, NotReversible
from ticket_console.flows import drafts
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.diff import diff
from ticket_console.flows.elements import WAITING_KINDS
from ticket_console.forms import reads as form_reads
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.text import LocalText, pick
from ticket_console.state.feedback import done, told
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_REASON_LENGTH: Final = 200
# So many changes are looked at together; of more, none could be read.
_MOST_FOCUSED: Final = 6


class FlowVersionsState(SessionState):
    ready: bool = False
    versions: list[Plain] = []
    chosen: int = 0
    shown: Plain = {}
    reason: str = ""
    target: int = 0
    plan: Plain = {}
    picked: list[int] = []
    moved: list[Plain] = []
    stayed: list[Plain] = []
    reversible: list[Plain] = []

    @handler(permission="flow.manage")
    async def open_tab(self) -> Reply:
        self.versions = await off_loop(_versions, actor=self._actor(), code=self._code())
        self.ready = True
        self.plan, self.moved, self.stayed, self.shown = {}, [], [], {}
        current = next((each["id"] for each in self.versions if each["is_current"]), 0)
        return FlowVersionsState.look(current) if current else None

    @handler(permission="flow.manage")
    async def look(self, version_id: int) -> Reply:
        """What a version changed against the one before it, with the running tickets on what changed."""
        self.chosen, self.plan, self.moved, self.stayed, self.target = version_id, {}, [], [], 0
        ids = [each["id"] for each in self.versions]
        after = ids[ids.index(version_id) + 1] if version_id in ids[:-1] else None
        self.shown = await off_loop(
            _shown, actor=self._actor(), code=self._code(), version_id=version_id, before_id=after
        )
        await self._see_reversible(version_id)
        return None

    @handler(permission="flow.manage")
    async def write_reason(self, text: str) -> Reply:
        self.reason = text[:_REASON_LENGTH]
        return None

    @handler(permission="flow.manage")
    async def roll_back(self, version_id: int) -> Reply:
        """Publish an older version again, with the reason."""
        await off_loop(
            publishing.roll_back,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            kind=DraftKind.FLOW,
            code=self._code(),
            version_id=version_id,
            reason=self.reason,
        )
        self.reason = ""
        return [done("flow_proof.rolled_back"), FlowVersionsState.open_tab]

    @handler(permission="flow.manage")
    async def plan_to(self, version_id: int) -> Reply:
        """The dry run: what would become of every running ticket of the other versions."""
        self.target, self.moved, self.stayed = version_id, [], []
        await self._plan({})
        return None

    @handler(permission="flow.manage")
    async def send(self, form: Plain) -> Reply:
        """Plan again, with steps that are gone sent to others."""
        mapping = {str(key): str(value) for key, value in form.items() if value}
        await self._plan(mapping)
        return None

    @handler(permission="flow.manage")
    async def pick(self, ticket_id: int) -> Reply:
        """Take a ticket along, or leave it where it is."""
        known = {each["id"] for each in self.plan.get("rows", []) if not each["reason"]}
        if ticket_id in self.picked:
            self.picked = [each for each in self.picked if each != ticket_id]
        elif ticket_id in known:
            self.picked = [*self.picked, ticket_id]
        return None

    @handler(permission="flow.manage")
    async def pick_all(self) -> Reply:
        """Take everybody along who can go, or nobody if somebody is chosen."""
        able = [each["id"] for each in self.plan.get("rows", []) if not each["reason"]]
        self.picked = [] if self.picked else able
        return None

    @handler(permission="flow.manage")
    async def migrate(self) -> Reply:
        seen = {each["id"]: each["version"] for each in self.plan.get("rows", [])}
        # Each ticket is a transaction of its own: what others write comes in between.
        outcome = await off_loop(
            migrating.apply_migration,
            actor=self._actor(),
            at=self._now(),
            command_id=uuid4().hex[:24],
            flow_code=self._code(),
            to_version_id=self.target,
            tickets={ticket_id: seen[ticket_id] for ticket_id in self.picked if ticket_id in seen},
            mapping=self.plan.get("mapping", {}),
        )
        names = {each["id"]: each for each in self.plan.get("rows", [])}
        steps = {each["key"]: each["name"] for each in self.plan.get("targets", [])}
        self.moved, self.stayed = _outcome(outcome, names, steps)
        await self._see_reversible(self.target)
        self.plan, self.picked = {}, []
        self.versions = await off_loop(_versions, actor=self._actor(), code=self._code())
        return told("flow_proof.migrated", moved=len(outcome.moved), stayed=len(outcome.stayed))

    @handler(permission="flow.manage")
    async def take_back(self, ticket_id: int) -> Reply:
        """Undo one ticket's migration; refused once somebody acted upon it."""
        # A word that somebody said meanwhile is no reason to refuse.
        found = await self._see_reversible(self.target or self.chosen)
        version = next((each["version"] for each in found if each["id"] == ticket_id), None)
        if version is None:
            raise NotReversible()
        await in_writer(
            migrating.revert_migration,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            ticket_id=ticket_id,
            expected_version=version,
        )
        self.moved = [each for each in self.moved if each["id"] != ticket_id]
        await self._see_reversible(self.target or self.chosen)
        self.versions = await off_loop(_versions, actor=self._actor(), code=self._code())
        return done("flow_proof.taken_back")

    async def _see_reversible(self, version_id: int) -> list[Plain]:
        new = {each["id"] for each in self.moved}
        found = await off_loop(_reversible, actor=self._actor(), version_id=version_id)
        self.reversible = [{**each, "is_new": each["id"] in new} for each in found]
        return self.reversible

    async def _plan(self, mapping: Mapping[str, str]) -> None:
        found = await off_loop(
            _planned,
            actor=self._actor(),
            code=self._code(),
            to_version_id=self.target,
            mapping=dict(mapping),
        )
        self.plan = found
        self.picked = [each["id"] for each in found["rows"] if not each["reason"]]

    def _code(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1][:64]


def _versions(*, actor: Actor, code: str) -> list[Plain]:
    return [
        {
            "id": row.version_id,
            "number": row.number,
            "is_current": row.is_current,
            "at": None if row.published_at is None else instant_text(row.published_at),
            "by": "" if row.published_by == ActorKind.SYSTEM else row.published_by,
            "note": row.note or "",
            "running": row.open_tickets,
        }
        for row in publishing.versions(actor=actor, kind=DraftKind.FLOW, code=code)
    ]


def _shown(*, actor: Actor, code: str, version_id: int, before_id: int | None) -> Plain:
    lines = publishing.version_lines(
        actor=actor, kind=DraftKind.FLOW, before_id=before_id, after_id=version_id
    )
    with reading() as connection:
        after = flow_reads.drawn(connection, version_id)
        document = drafts.version_document(connection, version_id).document
        current_id = flow_reads.current_version(connection, actor.org_id, code).id
        standing = impact.standing_on(connection, viewer=actor, flow_code=code)
        before = None if before_id is None else flow_reads.drawn(connection, before_id)
    difference = None if before is None else diff(before, after)
    names = {node.key: node.name for graph in (before, after) if graph is not None for node in graph.nodes}
    marks: dict[str, Plain] = {}
    if difference is not None:
        marks = {key: {"tone": kind.value} for key, kind in difference.marks.items()}
    for key, here in standing.items():
        if key in after.node_by_key:
            marks[key] = {"tone": "ok", **marks.get(key, {}), "count": here.count}
    met = () if difference is None else impact.met_by(difference, standing)
    return {
        "id": version_id,
        "document": document,
        "marks": marks,
        "focus": [] if difference is None else list(difference.marks)[:_MOST_FOCUSED],
        "is_first": before_id is None,
        "is_current": current_id == version_id,
        "lines": [
            {"code": line.sentence, "params": dict(line.params), "tone": line.kind.value}
            for line in (lines if before_id is not None else ())
        ],
        "met": [
            {
                "node": names.get(here.node_key, {}),
                "key": here.node_key,
                "count": here.count,
                "timers": here.timers,
                "tickets": [{"id": each.ticket_id, "no": each.no} for each in here.tickets],
            }
            for here in met
        ],
    }


def _reversible(*, actor: Actor, version_id: int) -> list[Plain]:
    with reading() as connection:
        found = carried_over(connection, viewer=actor, flow_version_id=version_id)
    return [{"id": each.ticket_id, "no": each.no, "version": each.version} for each in found]


def _planned(*, actor: Actor, code: str, to_version_id: int, mapping: dict[str, str]) -> Plain:
    with reading() as connection:
        plan = migrating.plan_migration(
            connection, viewer=actor, flow_code=code, to_version_id=to_version_id, mapping=mapping
        )
        graph = flow_reads.compiled(connection, to_version_id)
        labels = form_reads.field_labels(connection, actor.org_id)
        old = {
            node.key: node.name
            for version_id in {row.from_version_id for row in plan.rows}
            for node in flow_reads.compiled(connection, version_id).nodes
        }
    names = {**old, **{node.key: node.name for node in graph.nodes}}
    return {
        "number": plan.to_number,
        "total": plan.total,
        "mapping": mapping,
        "gone": [
            {"key": key, "name": names.get(key, {}), "to": mapping.get(key, "")}
            for key in _gone(plan, mapping)
        ],
        "targets": [
            {"key": node.key, "name": node.name} for node in graph.nodes if node.kind in WAITING_KINDS
        ],
        "rows": [
            {
                "id": row.ticket_id,
                "no": row.no,
                "title": row.title,
                "version": row.version,
                "from": row.from_number,
                "steps": [
                    {
                        "from": names.get(step.node_before, {}),
                        "to": names.get(step.node_after, {}),
                        "how": f"flow_proof.how_seated.{step.how}",
                        "timer": f"flow_proof.timer.{step.timer}",
                        "has_timer": step.timer != "none",
                        "handler_changes": step.handler_changes,
                    }
                    for step in row.steps
                ],
                "required": _listed(row.required, labels),
                "appear": _listed(row.appear, labels),
                "vanish": _listed(row.vanish, labels),
                "reason": row.reason or "",
                "params": _called(row.params, names, labels),
            }
            for row in plan.rows
        ],
    }


def _listed(keys: Sequence[str], labels: Mapping[str, LocalText]) -> Plain:
    """Fields by what they are called, in one line of each language; nothing for none."""
    return {
        locale: comma.join(pick(labels.get(key, {}), locale) or key for key in keys)
        for locale, comma in (("zh", "、"), ("en", ", "))
        if keys
    }


def _called(
    params: Mapping[str, Any], names: Mapping[str, LocalText], labels: Mapping[str, LocalText]
) -> Plain:
    """A reason's figures, with steps and fields by what they are called."""
    known = {"node": names, "field": labels}
    return {name: known.get(name, {}).get(value) or value for name, value in params.items()}


def _gone(plan: MigrationPlan, mapping: Mapping[str, str]) -> list[str]:
    """Steps some ticket stands at that the new version does not have, or that were sent elsewhere."""
    missing = {
        str(row.params["node"]) for row in plan.rows if row.reason == "migration.no_node" and row.params
    }
    return sorted(missing | mapping.keys())


def _outcome(
    outcome: Migrated, names: Mapping[int, Plain], steps: Mapping[str, LocalText]
) -> tuple[list[Plain], list[Plain]]:
    moved = [{"id": each.ticket_id, "no": each.no, "version": each.version} for each in outcome.moved]
    stayed = [
        {
            "id": each.ticket_id,
            "no": names[each.ticket_id]["no"],
            "code": each.code,
            "params": _called(each.params, steps, {}),
        }
        for each in outcome.stayed
    ]
    return moved, stayed
