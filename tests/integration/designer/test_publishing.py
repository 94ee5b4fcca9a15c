"""Publishing and rolling back: with authors and tests, at once, never over somebody else's work."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.access.tables import AuditEntry
from ticket_console.desk import golden, publishing
from ticket_console.desk.golden import GoldenFailed, NameTaken
from ticket_console.desk.opening import NewTicket, open_ticket
from ticket_console.desk.publishing import (
    NewerPublished,
    NotAVersion,
    NothingToPublish,
    Published,
    SuiteMoved,
)
from ticket_console.flows import drafts as flow_drafts
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph_json import InvalidGraph, content_hash
from ticket_console.flows.tables import Flow, FlowVersion, GoldenTicket
from ticket_console.forms import drafts as form_drafts
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import InvalidDefinition
from ticket_console.forms.draft_log import DraftMoved, Drafts, DraftView
from ticket_console.forms.tables import Draft, DraftKind, Publication, Template, TemplateVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import CommandReused

TABLES = (Flow, FlowVersion, Template, TemplateVersion, Draft, Publication, GoldenTicket, AuditEntry)
PATIENCE_SECONDS = 30
FLOW = DraftKind.FLOW
FORM = DraftKind.FORM


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def manager(company: Company) -> Actor:
    return company.actor("manager")


@pytest.fixture
def second(manager: Actor) -> Actor:
    return replace(manager, user_id=9_001, display="second")


def everything() -> dict[str, list[Any]]:
    """Whatever publishing writes, to show that a refusal left none of it."""
    found = {}
    with reading() as connection:
        for model in (
            Flow,
            FlowVersion,
            Template,
            TemplateVersion,
            Draft,
            Publication,
            GoldenTicket,
            AuditEntry,
        ):
            rows = table(model)
            query = sa.select(rows).order_by(*rows.primary_key.columns)
            found[rows.name] = [tuple(row) for row in connection.execute(query)]
    return found


def put(*path: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"op": "put", "path": list(path), "value": value, **more}


def edited(room: Any, actor: Actor, at: datetime, draft: DraftView, *ops: dict[str, Any]) -> DraftView:
    gesture = {"id": f"g-{draft.seq}", "label": "flow_designer.gesture.edit", "ops": list(ops)}
    room.edit(actor=actor, at=at, draft_id=draft.id, if_match=draft.seq, gesture=gesture)
    return Drafts(flow_drafts.SUBJECT if room is flow_drafts else form_drafts.SUBJECT).read(
        actor=actor, draft_id=draft.id
    )


def flow_of(company: Company, template: str = "repair") -> str:
    with reading() as connection:
        published = form_reads.template_by_code(connection, company.org_id, template)
        return flow_reads.version_view(connection, published.flow_version_id).code


def renamed(company: Company, actor: Actor, at: datetime, name: str) -> DraftView:
    draft = flow_drafts.open_draft(actor=actor, at=at, code=flow_of(company))
    return edited(
        flow_drafts,
        actor,
        at,
        draft,
        put("name", "en", value=name),
        put("stages", "accept", "name", "en", value=name),
    )


def publish(actor: Actor, at: datetime, draft: DraftView, command_id: str = "p-1", **more: Any) -> Published:
    return publishing.publish(
        actor=actor,
        at=at,
        command_id=command_id,
        kind=draft.kind,
        draft_id=draft.id,
        if_match=draft.seq,
        **more,
    )


class TestTheBookOfPublications:
    @pytest.mark.parametrize("change", ["UPDATE publication SET note = 'other'", "DELETE FROM publication"])
    def test_the_database_refuses_to_change_it(
        self, company: Company, manager: Actor, at: datetime, change: str
    ) -> None:
        publish(manager, at, renamed(company, manager, at, "Repairs"))
        before = everything()

        with (
            pytest.raises(sa.exc.DBAPIError, match="publication is written once"),
            transaction() as connection,
        ):
            connection.execute(sa.text(change))

        assert everything() == before


class TestPublishing:
    def test_the_saved_graph_is_the_drawn_graph(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:  # FLW-01
        draft = renamed(company, manager, at, "Repairs")
        place = {"x": 40, "y": 80}
        draft = edited(flow_drafts, manager, at, draft, put("drawing", "nodes", "accept", value=place))

        published = publish(manager, at, draft, note="clearer names")

        with reading() as connection:
            version = flow_reads.current_version(connection, company.org_id, draft.code)
            stored = flow_reads.drawn(connection, version.id)
        assert stored == flow_drafts.graph_of(draft.document)
        assert version.content_hash == content_hash(flow_drafts.graph_of(draft.document))
        assert (version.id, version.number, version.name["en"]) == (published.version_id, 2, "Repairs")

    def test_the_draft_goes_on_from_the_new_version(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        published = publish(manager, at, renamed(company, manager, at, "Repairs"))

        assert published.draft is not None
        assert (published.draft.base_version_id, published.draft.has_changes) == (published.version_id, False)
        assert published.draft.gestures[-1].label == "draft.gesture.published"
        with pytest.raises(NothingToPublish):
            publish(manager, at, published.draft, "p-2")

    def test_it_is_on_record_with_authors_note_and_what_changed(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        theirs = flow_drafts.open_draft(actor=second, at=at, code=flow_of(company))
        edited(flow_drafts, second, at, theirs, put("name", "zh", value="维修二"))
        mine = renamed(company, manager, at, "Repairs")
        merged = flow_drafts.merge(
            actor=manager, at=at, draft_id=mine.id, if_match=mine.seq, other_draft_id=theirs.id
        ).draft
        assert merged is not None

        published = publish(manager, at, merged, note="both of us")
        newest, first = publishing.versions(actor=manager, kind=FLOW, code=merged.code)

        assert sorted(published.authors.values()) == sorted([manager.display, "second"])
        assert (newest.version_id, newest.note, newest.published_by) == (
            published.version_id,
            "both of us",
            manager.display,
        )
        assert (newest.is_current, first.is_current) == (True, False)
        (record,) = newest.publications
        assert record.summary["stage_setting"] == {"changed": 1}
        assert record.replaced_id == first.version_id
        with reading() as connection:
            audit = table(AuditEntry)
            entry = connection.execute(sa.select(audit).where(audit.c.action == "flow.published")).one()
        assert entry.payload["authors"] == sorted([mine.author, theirs.author])

    def test_it_takes_the_permission(self, company: Company, manager: Actor, at: datetime) -> None:
        draft = renamed(company, manager, at, "Repairs")
        before = everything()

        for login in ("dispatcher", "agent", "finance", "tech_near", "auditor"):
            with pytest.raises(Forbidden):
                publish(company.actor(login), at, draft)

        assert everything() == before

    def test_what_makes_no_sense_is_not_published(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = flow_drafts.open_draft(actor=manager, at=at, code=flow_of(company))
        ends = [node["key"] for node in draft.document["nodes"] if node["kind"] == "end"]
        draft = edited(
            flow_drafts, manager, at, draft, *({"op": "remove", "path": ["nodes", key]} for key in ends)
        )
        before = everything()

        with pytest.raises(InvalidGraph) as refused:
            publish(manager, at, draft)

        assert "flow.unknown_node" in {problem.code for problem in refused.value.problems}
        assert everything() == before
        preview = publishing.preview(actor=manager, kind=FLOW, draft_id=draft.id)
        assert preview.problems == refused.value.problems

    def test_a_draft_that_moved_is_not_published(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = renamed(company, manager, at, "Repairs")
        edited(flow_drafts, manager, at, draft, put("name", "zh", value="新"))
        before = everything()

        with pytest.raises(DraftMoved):
            publish(manager, at, draft)

        assert everything() == before

    def test_the_same_command_publishes_once(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        draft = renamed(company, manager, at, "Repairs")
        once = publish(manager, at, draft)
        before = everything()

        again = publish(manager, at, draft)

        assert (again.version_id, again.number, again.is_repeated) == (once.version_id, 2, True)
        with pytest.raises(CommandReused):
            publish(second, at, draft)
        assert everything() == before


class TestTwoManagers:
    def test_the_slower_one_hears_who_was_faster_and_merges_first(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        mine = renamed(company, manager, at, "Mine")
        theirs = flow_drafts.open_draft(actor=second, at=at, code=mine.code)
        theirs = edited(
            flow_drafts,
            second,
            at,
            theirs,
            put("name", "zh", value="他们的"),
            put("stages", "accept", "name", "zh", value="他们的"),
        )
        publish(manager, at, mine)
        before = everything()

        with pytest.raises(NewerPublished) as refused:
            publish(second, at + timedelta(minutes=1), theirs, "p-2")

        assert refused.value.params == {
            "number": 2,
            "who": manager.display,
            "when": at.isoformat(timespec="seconds"),
        }
        assert everything() == before
        merged = flow_drafts.merge(actor=second, at=at, draft_id=theirs.id, if_match=theirs.seq).draft
        assert merged is not None
        publish(second, at, merged, "p-3")
        with reading() as connection:
            now = flow_reads.current_version(connection, company.org_id, mine.code)
        assert now.name == {"zh": "他们的", "en": "Mine"}

    def test_of_two_at_the_same_moment_one_wins(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        mine = renamed(company, manager, at, "Mine")
        theirs = renamed(company, second, at, "Theirs")

        results = at_once(
            lambda: publish(manager, at, mine, "p-1"), lambda: publish(second, at, theirs, "p-2")
        )

        assert sorted(type(result).__name__ for result in results) == ["NewerPublished", "Published"]
        with reading() as connection:
            assert len(flow_reads.versions_of(connection, company.org_id, mine.code)) == 2

    def test_of_two_first_versions_one_wins(self, manager: Actor, second: Actor, at: datetime) -> None:
        mine = flow_drafts.start(
            actor=manager, at=at, code="tasting", document={**flow_drafts.EMPTY, "name": {"en": "A"}}
        )
        theirs = flow_drafts.open_draft(actor=second, at=at, code="tasting")
        theirs = edited(
            flow_drafts,
            second,
            at,
            theirs,
            put("name", "en", value="B"),
            put("stages", "todo", "name", "en", value="B"),
        )

        results = at_once(
            lambda: publish(manager, at, mine, "p-1"), lambda: publish(second, at, theirs, "p-2")
        )

        assert sorted(type(result).__name__ for result in results) == ["NewerPublished", "Published"]


def at_once(*commands: Callable[[], Any]) -> list[Any]:
    start, results = threading.Barrier(len(commands)), [None] * len(commands)

    def run(index: int) -> None:
        start.wait()
        try:
            results[index] = commands[index]()
        except Exception as refusal:
            results[index] = refusal

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class TestForms:
    def test_a_new_form_can_be_used_in_the_same_session(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:  # TPL-11
        draft = form_drafts.start(actor=manager, at=at, code="livestream")
        question = {
            "key": "platform",
            "kind": "text",
            "label": {"zh": "平台", "en": "Platform"},
            "required": True,
        }
        draft = edited(
            form_drafts,
            manager,
            at,
            draft,
            put("face", "name", "zh", value="线上直播支持"),
            put("face", "flow", value=flow_of(company)),
            put("definition", "sections", "main", "fields", "platform", value=question),
        )

        published = publish(manager, at, draft)
        opened = open_ticket(
            actor=company.actor("agent"),
            at=at,
            command_id="new",
            request=NewTicket(template_code="livestream", title="开播", values={"platform": "抖音"}),
        )

        with reading() as connection:
            ticket = table(Ticket)
            row = connection.execute(sa.select(ticket).where(ticket.c.id == opened.ticket_id)).one()
        assert row.template_version_id == published.version_id

    def test_tickets_keep_the_form_they_were_opened_with(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:  # TPL-09
        opened = company.open()
        draft = form_drafts.open_draft(actor=manager, at=at, code="repair")
        section = draft.document["definition"]["sections"][0]
        gone = section["fields"][0]["key"]
        more = {"key": "nickname", "kind": "text", "label": {"en": "Nickname"}}
        path = ["definition", "sections", section["key"], "fields"]
        draft = edited(form_drafts, manager, at, draft, put(*path, "nickname", value=more))
        published = publish(manager, at, draft)

        with reading() as connection:
            ticket = table(Ticket)
            row = connection.execute(sa.select(ticket).where(ticket.c.id == opened.ticket_id)).one()
            kept = form_reads.template_version(connection, row.template_version_id).definition
            new = form_reads.template_version(connection, published.version_id).definition
        assert "nickname" not in kept.field_by_key
        assert gone in kept.field_by_key
        assert "nickname" in new.field_by_key
        newest, first = publishing.versions(actor=manager, kind=FORM, code="repair")
        assert (newest.open_tickets, first.open_tickets) == (0, 1)
        (line,) = publishing.version_lines(
            actor=manager, kind=FORM, before_id=first.version_id, after_id=newest.version_id
        )
        assert (line.sentence, line.key) == ("diff.field.added", "nickname")

    def test_a_form_without_name_or_fields_or_with_an_unknown_flow_is_refused(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = form_drafts.start(actor=manager, at=at, code="empty")
        draft = edited(form_drafts, manager, at, draft, put("face", "flow", value="no-such-flow"))
        before = everything()

        with pytest.raises(InvalidDefinition) as refused:
            publish(manager, at, draft)

        assert {problem.code for problem in refused.value.problems} >= {
            "publishing.no_name",
            "template.no_fields",
            "flow.not_found",
        }
        assert everything() == before


class TestRunningTickets:
    def test_a_ticket_goes_to_its_end_on_the_version_it_was_opened_with(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:  # FLW-20 TPL-11
        flow = flow_drafts.start(
            actor=manager, at=at, code="tasting", document={**flow_drafts.EMPTY, "name": {"en": "Tasting"}}
        )
        first = publish(manager, at, flow, "p-1")
        form = form_drafts.start(actor=manager, at=at, code="tasting")
        question = {"key": "dish", "kind": "text", "label": {"en": "Dish"}}
        form = edited(
            form_drafts,
            manager,
            at,
            form,
            put("face", "name", "en", value="Tasting"),
            put("face", "flow", value="tasting"),
            put("definition", "sections", "main", "fields", "dish", value=question),
        )
        publish(manager, at, form, "p-2")
        early = company.open(template="tasting")
        assert first.draft is not None
        check = {**flow.document["nodes"][1], "key": "check", "name": {"en": "Check"}}
        longer = edited(
            flow_drafts,
            manager,
            at,
            first.draft,
            put("nodes", "check", value=check, before="end"),
            put("edges", "task-end", "target", value="check"),
            put(
                "edges",
                "check-end",
                value={"key": "check-end", "kind": "forward", "source": "check", "target": "end"},
            ),
        )

        second = publish(manager, at, longer, "p-3")
        late = company.open(template="tasting")
        running = publishing.versions(actor=manager, kind=FLOW, code="tasting")
        early_done = company.act(early.ticket_id, early.version, by="dispatcher")
        late_done = company.act(late.ticket_id, late.version, by="dispatcher")

        assert [(row.version_id, row.open_tickets) for row in running] == [
            (second.version_id, 1),
            (first.version_id, 1),
        ]
        assert early_done.status == "closed"
        assert late_done.status == "open"
        assert company.act(late.ticket_id, late_done.version, by="dispatcher").status == "closed"


class TestRollingBack:
    def test_an_older_version_is_published_again(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        code = flow_of(company)
        published = publish(manager, at, renamed(company, manager, at, "Repairs"))
        first = publishing.versions(actor=manager, kind=FLOW, code=code)[1]

        back = publishing.roll_back(
            actor=manager,
            at=at,
            command_id="r-1",
            kind=FLOW,
            code=code,
            version_id=first.version_id,
            reason="too early",
        )

        assert (back.version_id, back.number) == (first.version_id, 1)
        with reading() as connection:
            assert flow_reads.current_version(connection, company.org_id, code).id == first.version_id
        newest, first = publishing.versions(actor=manager, kind=FLOW, code=code)
        assert (newest.version_id, newest.is_current, first.is_current) == (published.version_id, False, True)
        assert [(each.is_rollback, each.note) for each in first.publications] == [(True, "too early")]
        opened = company.open()
        with reading() as connection:
            ticket = table(Ticket)
            row = connection.execute(sa.select(ticket).where(ticket.c.id == opened.ticket_id)).one()
        assert row.flow_version_id == first.version_id

    def test_it_wants_a_reason_a_version_and_the_permission(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        code = flow_of(company)
        publish(manager, at, renamed(company, manager, at, "Repairs"))
        newest, first = publishing.versions(actor=manager, kind=FLOW, code=code)
        before = everything()

        def back(actor: Actor, version_id: int, reason: str) -> Published:
            return publishing.roll_back(
                actor=actor,
                at=at,
                command_id="r-1",
                kind=FLOW,
                code=code,
                version_id=version_id,
                reason=reason,
            )

        for actor, version_id, reason, refusal in (
            (manager, first.version_id, " ", InvalidInput),
            (manager, 999_999, "why not", NotAVersion),
            (manager, newest.version_id, "again", NothingToPublish),
            (company.actor("agent"), first.version_id, "please", Forbidden),
        ):
            with pytest.raises(refusal):
                back(actor, version_id, reason)

        assert everything() == before


class TestGoldenTickets:
    def test_a_broken_branch_fails_the_test_by_name_and_nothing_is_published(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:  # moonshot 9
        draft, _ = broken(company, manager, at)
        before = everything()

        with pytest.raises(GoldenFailed) as refused:
            publish(manager, at, draft)

        assert [problem.path for problem in refused.value.problems] == ["hvac is accepted"]
        (failed,) = refused.value.failed
        assert failed.difference is not None
        assert failed.difference.expected != failed.difference.actual
        assert failed.expected_path != failed.actual_path
        assert everything() == before

    def test_a_change_that_is_meant_is_accepted_by_name_with_its_reason(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft, name = broken(company, manager, at)

        publish(manager, at, draft, accepted={name: "appliances are theirs now"})

        (test,) = golden.suite(actor=manager, code=draft.code)
        assert test.accepted is not None
        assert (test.accepted["by"], test.accepted["reason"]) == (
            manager.display,
            "appliances are theirs now",
        )
        assert [result.passed for result in golden.run_current(actor=manager, code=draft.code)] == [True]

    def test_only_a_failing_test_can_be_accepted_and_only_with_a_reason(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft, name = broken(company, manager, at)
        before = everything()

        for accepted in ({name: " "}, {name: "meant", "another": "meant"}):
            with pytest.raises(InvalidInput):
                publish(manager, at, draft, accepted=accepted)

        assert everything() == before

    def test_a_change_that_leads_nobody_elsewhere_passes(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        saved(company, manager, at)

        published = publish(manager, at, renamed(company, manager, at, "Repairs"))

        assert published.number == 2

    def test_nobody_who_writes_waits_while_the_tests_are_played(
        self, company: Company, manager: Actor, at: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        saved(company, manager, at)
        draft = renamed(company, manager, at, "Repairs")
        begun, go_on, published = threading.Event(), threading.Event(), list[Published]()
        play = golden.play

        def slow(*args: Any, **more: Any) -> Any:
            begun.set()
            assert go_on.wait(PATIENCE_SECONDS)
            return play(*args, **more)

        monkeypatch.setattr(golden, "play", slow)
        publisher = threading.Thread(target=lambda: published.append(publish(manager, at, draft)))
        publisher.start()
        assert begun.wait(PATIENCE_SECONDS)

        opened = company.open()

        go_on.set()
        publisher.join(PATIENCE_SECONDS)
        with reading() as connection:
            ticket = table(Ticket)
            used = connection.execute(
                sa.select(ticket.c.flow_version_id).where(ticket.c.id == opened.ticket_id)
            ).scalar_one()
        assert [each.number for each in published] == [2]
        assert used == draft.base_version_id

    def test_tests_that_changed_while_they_were_played_are_played_again(
        self, company: Company, manager: Actor, at: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draft, _ = broken(company, manager, at)
        (test,) = golden.suite(actor=manager, code=draft.code)
        rehearse, rounds = golden.rehearse, list[int]()

        def meanwhile(**asked: Any) -> golden.Rehearsal:
            rehearsal = rehearse(**asked)
            if not rounds:
                golden.remove_test(actor=manager, at=at, test_id=test.id)
            rounds.append(len(rehearsal.results))
            return rehearsal

        monkeypatch.setattr(golden, "rehearse", meanwhile)

        published = publish(manager, at, draft)

        assert (published.number, rounds) == (2, [1, 0])

    def test_tests_that_never_stand_still_are_told_of_and_nothing_is_published(
        self, company: Company, manager: Actor, at: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        saved(company, manager, at)
        draft = renamed(company, manager, at, "Repairs")
        before = everything()
        monkeypatch.setattr(golden, "rehearse", lambda **asked: golden.Rehearsal((), "of something else"))

        with pytest.raises(SuiteMoved):
            publish(manager, at, draft)

        assert everything() == before

    def test_a_name_is_given_once_and_a_test_can_be_taken_away(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        ticket_id = saved(company, manager, at)
        again = golden.save_as_test(actor=manager, at=at, ticket_id=ticket_id, name="hvac is accepted")
        other = company.open()

        with pytest.raises(NameTaken):
            golden.save_as_test(actor=manager, at=at, ticket_id=other.ticket_id, name="hvac is accepted")
        assert [test.id for test in golden.suite(actor=manager, code=again.code)] == [again.id]
        golden.remove_test(actor=manager, at=at, test_id=again.id)
        assert golden.suite(actor=manager, code=again.code) == ()

    def test_a_suite_travels_as_text_and_is_the_same_elsewhere(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        saved(company, manager, at)
        code = flow_of(company)
        with reading() as connection:
            entries = json.loads(json.dumps(golden.exported(connection, org_id=company.org_id, code=code)))
        (test,) = golden.suite(actor=manager, code=code)
        golden.remove_test(actor=manager, at=at, test_id=test.id)

        with transaction() as connection:
            added = [
                golden.take_in(connection, actor=manager, at=at, code=code, entries=entries) for _ in range(2)
            ]

        assert added == [1, 0]
        with reading() as connection:
            assert golden.exported(connection, org_id=company.org_id, code=code) == entries
        assert [result.passed for result in golden.run_current(actor=manager, code=code)] == [True]

    @pytest.mark.parametrize(
        "broken_part",
        [{"name": ""}, {"name": 5}, {"ticket": "x" * 25}, {"story": {}}, {"story": 7}, {"expected": {}}],
    )
    def test_what_is_no_test_is_not_taken_in(
        self, company: Company, manager: Actor, at: datetime, broken_part: dict[str, Any]
    ) -> None:
        saved(company, manager, at)
        code = flow_of(company)
        with reading() as connection:
            (entry,) = golden.exported(connection, org_id=company.org_id, code=code)
        before = everything()

        with pytest.raises(InvalidInput) as refused, transaction() as connection:
            golden.take_in(
                connection, actor=manager, at=at, code=code, entries=[{**entry, **broken_part}, "no entry"]
            )

        assert [problem.path for problem in refused.value.problems] == ["tests[0]", "tests[1]"]
        assert everything() == before

    @pytest.mark.parametrize("version_id", ["1", 2**31, True, None, 0, 1.5])
    def test_a_test_of_a_version_that_cannot_be_is_not_taken_in(
        self, company: Company, manager: Actor, at: datetime, version_id: Any
    ) -> None:
        saved(company, manager, at)
        code = flow_of(company)
        with reading() as connection:
            (entry,) = golden.exported(connection, org_id=company.org_id, code=code)
        entry = json.loads(json.dumps(entry))
        entry["story"]["ticket"]["flow_version_id"] = version_id

        with pytest.raises(InvalidInput), transaction() as connection:
            golden.take_in(connection, actor=manager, at=at, code=code, entries=[{**entry, "name": "new"}])

        assert len(golden.suite(actor=manager, code=code)) == 1

    def test_a_customer_is_not_part_of_a_test(self, company: Company, manager: Actor, at: datetime) -> None:
        opened = company.open(contact_name="王芳", contact_phone="19900000001")
        golden.save_as_test(actor=manager, at=at, ticket_id=opened.ticket_id, name="nobody in it")

        with reading() as connection:
            kept = json.dumps(golden.exported(connection, org_id=company.org_id, code=flow_of(company)))

        assert "王芳" not in kept
        assert "19900000001" not in kept

    def test_only_who_manages_flows_keeps_tests(self, company: Company, manager: Actor, at: datetime) -> None:
        ticket_id = saved(company, manager, at)
        before = everything()

        with pytest.raises(Forbidden):
            golden.save_as_test(actor=company.actor("agent"), at=at, ticket_id=ticket_id, name="mine")
        with pytest.raises(InvalidInput):
            golden.save_as_test(actor=manager, at=at, ticket_id=ticket_id, name="  ")

        assert everything() == before

    def test_rolling_back_takes_failing_tests_to_be_meant_so(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft, name = broken(company, manager, at)
        publish(manager, at, draft, accepted={name: "appliances are theirs now"})
        first = publishing.versions(actor=manager, kind=FLOW, code=draft.code)[1]

        publishing.roll_back(
            actor=manager,
            at=at,
            command_id="r-1",
            kind=FLOW,
            code=draft.code,
            version_id=first.version_id,
            reason="customers complained",
        )

        assert [result.passed for result in golden.run_current(actor=manager, code=draft.code)] == [True]


def saved(company: Company, manager: Actor, at: datetime) -> int:
    """A ticket on which the technician took the job, kept as a test of its flow."""
    opened = company.open()
    company.act(opened.ticket_id, opened.version, by="tech_near", at=at + timedelta(minutes=10))
    golden.save_as_test(
        actor=manager, at=at + timedelta(hours=1), ticket_id=opened.ticket_id, name="hvac is accepted"
    )
    return opened.ticket_id


def broken(company: Company, manager: Actor, at: datetime) -> tuple[DraftView, str]:
    """A draft whose branches by trade lead to each other's technicians."""
    saved(company, manager, at)
    draft = flow_drafts.open_draft(actor=manager, at=at, code=flow_of(company))
    swapped = {"accept_hvac": "accept_appliance", "accept_appliance": "accept_hvac"}
    ops = [
        put("edges", edge["key"], "target", value=swapped[edge["target"]])
        for edge in draft.document["edges"]
        if edge["source"] == "trade" and edge["target"] in swapped
    ]
    return edited(flow_drafts, manager, at, draft, *ops), "hvac is accepted"
