"""Drafts of flows and forms: nothing is lost, nothing is overwritten, any point can be had again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.flows import drafts, reads
from ticket_console.flows.drafts import graph_of
from ticket_console.flows.graph_json import InvalidGraph
from ticket_console.flows.tables import Flow
from ticket_console.forms import draft_log
from ticket_console.forms import drafts as form_drafts
from ticket_console.forms.definitions import InvalidDefinition
from ticket_console.forms.draft_log import (
    GESTURES_SHOWN,
    BadGesture,
    CodeInUse,
    DraftMoved,
    DraftNotFound,
    DraftView,
    NoSuchPoint,
    NotYourDraft,
    topic,
)
from ticket_console.forms.reads import TemplateNotFound
from ticket_console.forms.tables import Draft, DraftKind, DraftOperation
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.documents import InvalidOperation, NoSuchConflict, apply, same
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.kernel.signals import Signal


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def manager(company: Company) -> Actor:
    return company.actor("manager")


@pytest.fixture
def second(manager: Actor) -> Actor:
    return replace(manager, user_id=9_001, display="second")


def gesture(id: str, *ops: dict[str, Any], label: str = "flow_designer.gesture.edit") -> dict[str, Any]:
    return {"id": id, "label": label, "ops": list(ops)}


def put(*path: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"op": "put", "path": list(path), "value": value, **more}


def saved(actor: Actor, at: datetime, draft: DraftView, id: str, *ops: dict[str, Any]) -> DraftView:
    drafts.edit(actor=actor, at=at, draft_id=draft.id, if_match=draft.seq, gesture=gesture(id, *ops))
    return drafts.read(actor=actor, draft_id=draft.id)


def flow_code(company: Company) -> str:
    with reading() as connection:
        flows = table(Flow)
        return str(connection.execute(sa.select(flows.c.code).order_by(flows.c.id).limit(1)).scalar_one())


def rows() -> tuple[list[Any], list[Any]]:
    with reading() as connection:
        kept, log = table(Draft), table(DraftOperation)
        return (
            [tuple(row) for row in connection.execute(sa.select(kept).order_by(kept.c.id))],
            [tuple(row) for row in connection.execute(sa.select(log).order_by(log.c.draft_id, log.c.seq))],
        )


class TestALongLog:
    LENGTH = 230

    @pytest.fixture
    def drawn(self, company: Company, manager: Actor, at: datetime) -> DraftView:
        """A draft whose name was changed once in every gesture."""
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        for number in range(1, self.LENGTH + 1):
            name = put("name", "en", value=f"Name {number}")
            drafts.edit(
                actor=manager,
                at=at,
                draft_id=draft.id,
                if_match=number - 1,
                gesture=gesture(f"g-{number}", name),
            )
        return drafts.read(actor=manager, draft_id=draft.id)

    def test_the_latest_gestures_are_told_and_where_they_begin(
        self, drawn: DraftView, manager: Actor
    ) -> None:
        assert (len(drawn.gestures), drawn.compacted_to) == (GESTURES_SHOWN, self.LENGTH - GESTURES_SHOWN)
        assert (drawn.gestures[0].seq, drawn.gestures[-1].seq) == (drawn.compacted_to + 1, self.LENGTH)

        older = drafts.history(actor=manager, draft_id=drawn.id, before_seq=drawn.compacted_to + 1)

        assert [each.seq for each in older] == list(range(drawn.compacted_to, 0, -1))

    def test_whoever_is_far_behind_is_told_from_a_state_on(self, drawn: DraftView, manager: Actor) -> None:
        later = drafts.since(actor=manager, draft_id=drawn.id, seq=5)
        soon = drafts.since(actor=manager, draft_id=drawn.id, seq=self.LENGTH - 3)

        assert (later.compacted_to, len(later.gestures)) == (self.LENGTH - GESTURES_SHOWN, GESTURES_SHOWN)
        assert later.document is not None
        assert later.document["name"]["en"] == f"Name {later.compacted_to}"
        assert (soon.compacted_to, soon.document, len(soon.gestures)) == (self.LENGTH - 3, None, 3)

    def test_a_stale_tab_learns_that_it_was_not_told_everything(
        self, drawn: DraftView, manager: Actor, at: datetime
    ) -> None:
        for if_match, is_whole in ((5, False), (self.LENGTH - 1, True)):
            with pytest.raises(DraftMoved) as refused:
                drafts.edit(
                    actor=manager,
                    at=at,
                    draft_id=drawn.id,
                    if_match=if_match,
                    gesture=gesture("late", put("name", "en", value="Late")),
                )
            assert refused.value.is_whole is is_whole

    def test_the_very_first_state_can_be_had_again(
        self, drawn: DraftView, manager: Actor, at: datetime
    ) -> None:
        back = drafts.recover(actor=manager, at=at, draft_id=drawn.id, if_match=self.LENGTH, seq=0)
        undone = drawn.document
        for seen in (drawn.gestures, drafts.history(actor=manager, draft_id=drawn.id, before_seq=31)[::-1]):
            for each in reversed(seen):
                undone, _ = apply(undone, each.inverse)

        assert same(back.document, drawn.base)
        assert same(undone, drawn.base)

    def test_few_large_gestures_are_told_instead_of_many_small_ones(
        self, drawn: DraftView, manager: Actor, at: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(draft_log, "CHARACTERS_SHOWN", 1_000)

        seen = drafts.read(actor=manager, draft_id=drawn.id)

        assert 0 < len(seen.gestures) < 20
        assert seen.compacted_to == self.LENGTH - len(seen.gestures)


class TestDiscarding:
    def test_a_stale_tab_does_not_match_the_next_draft(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        stale = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        drafts.discard(actor=manager, at=at, draft_id=stale.id, if_match=0)
        fresh = drafts.open_draft(actor=manager, at=at, code=stale.code)
        before = rows()

        with pytest.raises(DraftNotFound):
            saved(manager, at, stale, "late", put("name", "en", value="From a stale tab"))

        assert fresh.id > stale.id
        assert rows() == before


class TestOpening:
    def test_a_draft_begins_as_the_version_in_use(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))

        with reading() as connection:
            current = reads.current_version(connection, company.org_id, draft.code)
            assert graph_of(draft.document) == reads.compiled(connection, current.id)
        assert (draft.seq, draft.base_version_id, draft.base_number) == (0, current.id, 1)
        assert draft.document["name"] == current.name
        assert not draft.has_changes
        assert drafts.open_draft(actor=manager, at=at, code=draft.code).id == draft.id

    def test_each_author_has_their_own(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        mine = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        theirs = drafts.open_draft(actor=second, at=at, code=mine.code)

        listed = drafts.drafts_of(actor=manager, code=mine.code)

        assert mine.id != theirs.id
        assert {(each.id, each.is_mine) for each in listed} == {(mine.id, True), (theirs.id, False)}

    def test_what_is_not_known_cannot_be_opened_but_started(self, manager: Actor, at: datetime) -> None:
        with pytest.raises(TemplateNotFound):
            form_drafts.open_draft(actor=manager, at=at, code="tasting")

        started = form_drafts.start(actor=manager, at=at, code="tasting")

        assert started.document == form_drafts.EMPTY
        assert started.has_changes
        with pytest.raises(CodeInUse):
            form_drafts.start(actor=manager, at=at, code="tasting")

    def test_a_code_in_use_is_refused(self, company: Company, manager: Actor, at: datetime) -> None:
        with pytest.raises(CodeInUse):
            drafts.start(actor=manager, at=at, code=flow_code(company))
        with pytest.raises(InvalidInput):
            drafts.start(actor=manager, at=at, code="no spaces please")

    def test_an_unpublished_flow_of_somebody_else_starts_as_a_copy(
        self, manager: Actor, second: Actor, at: datetime
    ) -> None:
        theirs = drafts.start(actor=manager, at=at, code="tasting")

        mine = drafts.open_draft(actor=second, at=at, code="tasting")

        assert mine.id != theirs.id
        assert mine.document == theirs.document
        assert dict(mine.contributors) == {theirs.author: theirs.author_name}

    def test_without_the_permission_nothing_is_opened_or_read(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        agent = company.actor("agent")

        for forbidden in (
            lambda: drafts.open_draft(actor=agent, at=at, code=draft.code),
            lambda: drafts.read(actor=agent, draft_id=draft.id),
            lambda: drafts.drafts_of(actor=agent),
            lambda: drafts.since(actor=agent, draft_id=draft.id, seq=0),
            lambda: drafts.discard(actor=agent, at=at, draft_id=draft.id, if_match=0),
        ):
            with pytest.raises(Forbidden):
                forbidden()


class TestEditing:
    def test_a_gesture_is_kept_with_its_inverse_and_its_author(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        before = draft.document

        result = drafts.edit(
            actor=manager,
            at=at,
            draft_id=draft.id,
            if_match=0,
            gesture=gesture("g-1", put("name", "en", value="Repairs")),
        )
        after = drafts.read(actor=manager, draft_id=draft.id)

        assert (result.seq, result.is_repeated) == (1, False)
        assert after.document["name"]["en"] == "Repairs"
        assert after.has_changes
        (kept,) = after.gestures
        assert (kept.seq, kept.id, kept.author_name, kept.at) == (1, "g-1", manager.display, at)
        assert same(apply(after.document, kept.inverse)[0], before)

    def test_the_same_gesture_again_is_already_there(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        once = saved(manager, at, draft, "g-1", put("name", "en", value="Repairs"))

        again = drafts.edit(
            actor=manager,
            at=at,
            draft_id=draft.id,
            if_match=0,
            gesture=gesture("g-1", put("name", "en", value="Repairs")),
        )

        assert (again.seq, again.is_repeated) == (1, True)
        assert drafts.read(actor=manager, draft_id=draft.id) == once

    def test_another_tab_that_was_faster_is_told_of_and_nothing_is_overwritten(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        saved(manager, at, draft, "tab-1", put("name", "en", value="First"))
        before = rows()

        with pytest.raises(DraftMoved) as refused:
            drafts.edit(
                actor=manager,
                at=at,
                draft_id=draft.id,
                if_match=0,
                gesture=gesture("tab-2", put("name", "en", value="Second")),
            )

        assert refused.value.params["seq"] == 1
        assert [each.id for each in refused.value.since] == ["tab-1"]
        assert rows() == before

    @pytest.mark.parametrize(
        ("ops", "refusal"),
        [
            ([{"op": "remove", "path": ["nodes", "ghost"]}], InvalidOperation),
            ([{"op": "explode", "path": ["nodes"]}], InvalidOperation),
            ([put("nodes", value=5)], InvalidGraph),
            ([put("nodes", value=[{"key": "a"}, {"key": "a"}])], InvalidGraph),
            ([put("secret", value=True)], InvalidGraph),
            ([put("name", "fr", value="Réparer")], InvalidGraph),
            ([{"op": "remove", "path": ["stages"]}], InvalidGraph),
            ([], BadGesture),
        ],
    )
    def test_a_forged_gesture_leaves_the_draft_intact(
        self, company: Company, manager: Actor, at: datetime, ops: list[Any], refusal: type[Exception]
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        before = rows()

        with pytest.raises(refusal):
            drafts.edit(actor=manager, at=at, draft_id=draft.id, if_match=0, gesture=gesture("forged", *ops))

        assert rows() == before

    def test_five_thousand_nodes_are_refused(self, company: Company, manager: Actor, at: datetime) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        stage = draft.document["stages"][0]["key"]
        nodes = [{"key": f"n{number}", "kind": "settle", "stage": stage} for number in range(5_000)]
        before = rows()

        with pytest.raises(InvalidGraph):
            drafts.edit(
                actor=manager,
                at=at,
                draft_id=draft.id,
                if_match=0,
                gesture=gesture("many", put("nodes", value=nodes)),
            )

        assert rows() == before

    def test_a_form_keeps_the_shape_of_a_form(self, manager: Actor, at: datetime) -> None:
        draft = form_drafts.start(actor=manager, at=at, code="tasting")
        before = rows()

        for bad in (
            put("definition", "sections", "main", "fields", "f", value={"key": "f", "kind": "hologram"}),
            put("face", "ticket_class", value=7),
            put("other", value={}),
        ):
            with pytest.raises(InvalidDefinition):
                form_drafts.edit(
                    actor=manager, at=at, draft_id=draft.id, if_match=0, gesture=gesture("forged", bad)
                )

        assert rows() == before

    def test_nobody_edits_somebody_elses(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        before = rows()

        with pytest.raises(NotYourDraft):
            saved(second, at, draft, "g", put("name", "en", value="Mine now"))
        with pytest.raises(DraftNotFound):
            form_drafts.read(actor=second, draft_id=draft.id)

        assert rows() == before

    def test_who_has_the_subject_open_hears_of_every_change(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        heard: list[Signal] = []
        end = signals.listen(topic(company.org_id, DraftKind.FLOW, draft.code), heard.append)

        saved(manager, at, draft, "g-1", put("name", "en", value="Repairs"))
        end()

        assert [(each.body["draft"], each.body["seq"]) for each in heard] == [(draft.id, 1)]


class TestRecovering:
    def test_any_point_can_be_had_again_and_left_again(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        documents = [draft.document]
        for number, name in enumerate(("One", "Two", "Three")):
            draft = saved(manager, at, draft, f"g-{number}", put("name", "en", value=name))
            documents.append(draft.document)

        for seq, wanted in enumerate(documents):
            assert same(drafts.document_at(actor=manager, draft_id=draft.id, seq=seq), wanted)
        back = drafts.recover(actor=manager, at=at, draft_id=draft.id, if_match=3, seq=1)

        assert same(back.document, documents[1])
        assert (back.seq, back.gestures[-1].label) == (4, "draft.gesture.recovered")
        forth = drafts.recover(actor=manager, at=at, draft_id=draft.id, if_match=4, seq=3)
        assert same(forth.document, documents[3])

    def test_a_point_that_never_was_is_refused(self, company: Company, manager: Actor, at: datetime) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))

        with pytest.raises(NoSuchPoint):
            drafts.recover(actor=manager, at=at, draft_id=draft.id, if_match=0, seq=7)

        assert drafts.read(actor=manager, draft_id=draft.id).seq == 0

    def test_the_log_says_who_did_what_when(self, company: Company, manager: Actor, at: datetime) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        draft = saved(manager, at, draft, "g-1", put("name", "en", value="One"))
        later = at + timedelta(minutes=5)
        saved(manager, later, draft, "g-2", put("name", "en", value="Two"))

        history = drafts.history(actor=manager, draft_id=draft.id)

        assert [(each.seq, each.author_name, each.at) for each in history] == [
            (2, manager.display, later),
            (1, manager.display, at),
        ]
        assert [each.seq for each in drafts.history(actor=manager, draft_id=draft.id, before_seq=2)] == [1]
        assert [each.id for each in drafts.since(actor=manager, draft_id=draft.id, seq=1).gestures] == ["g-2"]

    def test_a_discarded_draft_is_gone_and_that_is_on_record(
        self, company: Company, manager: Actor, at: datetime
    ) -> None:
        draft = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        draft = saved(manager, at, draft, "g-1", put("name", "en", value="One"))

        drafts.discard(actor=manager, at=at, draft_id=draft.id, if_match=1)

        assert rows() == ([], [])
        fresh = drafts.open_draft(actor=manager, at=at, code=draft.code)
        assert (fresh.seq, fresh.has_changes) == (0, False)


class TestMerging:
    def test_another_authors_draft_comes_in_and_both_are_named(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        mine = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        theirs = drafts.open_draft(actor=second, at=at, code=mine.code)
        mine = saved(manager, at, mine, "m", put("name", "en", value="Mine"))
        theirs = saved(second, at, theirs, "t", put("name", "zh", value="他们的"))

        outcome = drafts.merge(actor=manager, at=at, draft_id=mine.id, if_match=1, other_draft_id=theirs.id)

        assert outcome.conflicts == ()
        assert outcome.draft is not None
        assert outcome.draft.document["name"] == {"en": "Mine", "zh": "他们的"}
        assert outcome.draft.contributors.keys() == {mine.author, theirs.author}
        assert same(drafts.read(actor=second, draft_id=theirs.id).document, theirs.document)

    def test_a_conflict_is_listed_and_nothing_written_until_it_is_settled(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        mine = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        theirs = drafts.open_draft(actor=second, at=at, code=mine.code)
        was = mine.document["name"]["en"]
        saved(manager, at, mine, "m", put("name", "en", value="Mine"))
        saved(second, at, theirs, "t", put("name", "en", value="Theirs"))
        before = rows()

        open_one = drafts.merge(actor=manager, at=at, draft_id=mine.id, if_match=1, other_draft_id=theirs.id)

        assert open_one.draft is None
        (conflict,) = open_one.conflicts
        assert conflict.path == ("name", "en")
        assert conflict.sides == {"base": was, "ours": "Mine", "theirs": "Theirs"}
        assert rows() == before
        settled = drafts.merge(
            actor=manager,
            at=at,
            draft_id=mine.id,
            if_match=1,
            other_draft_id=theirs.id,
            choices=[{"path": ["name", "en"], "side": "theirs"}],
        )
        assert settled.draft is not None
        assert settled.draft.document["name"]["en"] == "Theirs"

    def test_what_was_settled_once_is_not_asked_again(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        mine = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        theirs = drafts.open_draft(actor=second, at=at, code=mine.code)
        saved(manager, at, mine, "m", put("name", "en", value="Mine"))
        theirs = saved(second, at, theirs, "t", put("name", "en", value="Theirs"))
        drafts.merge(
            actor=manager,
            at=at,
            draft_id=mine.id,
            if_match=1,
            other_draft_id=theirs.id,
            choices=[{"path": ["name", "en"], "side": "ours"}],
        )
        saved(second, at, theirs, "t2", put("name", "zh", value="新名"))

        again = drafts.merge(actor=manager, at=at, draft_id=mine.id, if_match=2, other_draft_id=theirs.id)

        assert again.draft is not None
        assert again.draft.document["name"] == {"en": "Mine", "zh": "新名"}

    def test_choices_must_be_about_conflicts(
        self, company: Company, manager: Actor, second: Actor, at: datetime
    ) -> None:
        mine = drafts.open_draft(actor=manager, at=at, code=flow_code(company))
        theirs = drafts.open_draft(actor=second, at=at, code=mine.code)
        saved(second, at, theirs, "t", put("name", "en", value="Theirs"))
        before = rows()

        for choices, refusal in (
            ([{"path": ["name", "zh"], "side": "ours"}], NoSuchConflict),
            ([{"path": "name", "side": "ours"}], BadGesture),
            ([{"path": ["name"], "side": "nobody"}], BadGesture),
        ):
            with pytest.raises(refusal):
                drafts.merge(
                    actor=manager,
                    at=at,
                    draft_id=mine.id,
                    if_match=0,
                    other_draft_id=theirs.id,
                    choices=choices,
                )

        assert rows() == before
