"""Bad input at the door: a clear sentence in the caller's language, and nothing is changed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.builders.company import SHANGHAI, Company, found_company
from tests.fixtures.databases import Database
from tests.integration.proof.conftest import AT
from tests.integration.proof.door import Door, everything_kept
from tests.integration.proof.journeys import WORK, done_on_site, photograph, picture
from ticket_console.access import sessions, throttle
from ticket_console.desk import customer
from ticket_console.desk.moving import cancel
from ticket_console.desk.opening import OpenedTicket
from ticket_console.i18n import translate
from ticket_console.kernel.settings import settings

SCRIPT = "<script>alert(1)</script>"
OPENING = {
    "command_id": "open-once",
    "template_code": "repair",
    "title": "空调不制冷",
    "values": {"category": "hvac"},
    "lat": SHANGHAI[0],
    "lon": SHANGHAI[1],
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Scene:
    """`fresh` waits for tech_near to accept it, `shown` has a photo, `done` waits for its customer."""

    company: Company
    door: Door
    fresh: OpenedTicket
    other: OpenedTicket
    shown: OpenedTicket
    photo_id: int
    done: OpenedTicket
    gone: OpenedTicket
    expired: str
    ended: str

    def change(self, ticket: OpenedTicket | None = None, **wish: Any) -> dict[str, Any]:
        version = (ticket or self.fresh).version
        return {"command_id": "bad-input-1", "expected_version": version, **wish}


@pytest.fixture(scope="module")
def scene(lasting_database: Database) -> Iterator[Scene]:
    throttle.forget()
    company = found_company(AT)
    door = Door(company)
    fresh, other, shown, gone = (company.open() for _ in range(4))
    company.act(shown.ticket_id, shown.version, by="tech_near")
    photo = photograph(company, shown.ticket_id, by="tech_near")
    cancel(
        actor=company.actor("dispatcher"),
        at=AT,
        command_id="given-up",
        ticket_id=gone.ticket_id,
        expected_version=gone.version,
        reason="重复",
    )
    done = done_on_site(company)
    for login in ("agent", "dispatcher", "dispatcher_cd", "finance", "auditor", "tech_near", "tech_far"):
        door.let_in(login)
    expired = door.with_token("ticket.open", at=AT - timedelta(days=2), expires_in=timedelta(days=1))
    ended = dict(door.let_in("manager"))["cookie"]
    sessions.log_out(token=ended.partition("=")[2], at=AT)
    yield Scene(company, door, fresh, other, shown, photo.attachment_id, done, gone, expired, ended)
    throttle.forget()


Call = Callable[[Scene, TestClient], Any]
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Bad:
    """Something wrong that somebody sends, and what they are told; `problems` as (path, code)."""

    name: str
    by: str | None
    call: Call
    status: int
    code: str
    problems: tuple[tuple[str, str], ...] = ()
    params: dict[str, Any] = field(default_factory=dict)


def opening(**wish: Any) -> Call:
    body = {"command_id": "bad-input-1", "template_code": "repair", "title": "空调不制冷", **wish}
    return lambda scene, api: api.post("/api/v1/tickets", json=body)


def sending(path: str, content: bytes) -> Call:
    return lambda scene, api: api.post(
        path.format(fresh=scene.fresh.ticket_id), content=content, headers=JSON
    )


def changing(what: str, ticket: str = "fresh", **wish: Any) -> Call:
    def call(scene: Scene, api: TestClient) -> Any:
        meant: OpenedTicket = getattr(scene, ticket)
        return api.post(f"/api/v1/tickets/{meant.ticket_id}/{what}", json=scene.change(meant, **wish))

    return call


def saying(text: str, ticket: str = "fresh", **wish: Any) -> Call:
    def call(scene: Scene, api: TestClient) -> Any:
        body = {"command_id": "bad-input-1", "text": text, **wish}
        return api.post(f"/api/v1/tickets/{getattr(scene, ticket).ticket_id}/comments", json=body)

    return call


def showing(content: bytes, ticket: str = "fresh", *, part: str = "file") -> Call:
    return lambda scene, api: api.post(
        f"/api/v1/tickets/{getattr(scene, ticket).ticket_id}/attachments",
        files={part: ("x.jpg", content, "image/jpeg")},
    )


def importing(content: bytes) -> Call:
    return lambda scene, api: api.post("/api/v1/imports", files={"file": ("x.csv", content, "text/csv")})


def getting(path: str) -> Call:
    return lambda scene, api: api.get(
        path.format(fresh=scene.fresh.ticket_id, photo=scene.photo_id, tracking=scene.fresh.tracking_token)
    )


def with_(headers: Callable[[Scene], dict[str, str]], call: Call) -> Call:
    def made(scene: Scene, api: TestClient) -> Any:
        api.headers.update(headers(scene))
        return call(scene, api)

    return made


def at_version(version: int, what: str, **wish: Any) -> Call:
    return changing(what, "shown", expected_version=version, **wish)


STALE = {"who": "tech_near", "what": "ticket.attached", "when": "2026-11-21T03:20:00+00:00", "version": 3}
MISSING = 987_654_321

CASES = (
    # Malformed JSON.
    Bad("half an object", "agent", sending("/api/v1/tickets", b'{"a": 1'), 400, "api.malformed_json"),
    Bad("no body", "agent", sending("/api/v1/tickets/{fresh}/act", b""), 400, "api.malformed_json"),
    Bad(
        "half a character",
        "dispatcher",
        sending("/api/v1/tickets/{fresh}/comments", b'{"command_id": "12345678", "text": "\\ud83d"}'),
        400,
        "api.malformed_json",
    ),
    Bad(
        "not called JSON",
        "agent",
        lambda scene, api: api.post("/api/v1/tickets", content=b"{}", headers={"content-type": "text/plain"}),
        415,
        "api.unsupported_media_type",
    ),
    # Wrong types.
    Bad(
        "an array",
        "agent",
        sending("/api/v1/tickets", b"[]"),
        422,
        "input.invalid",
        (("", "input.wrong_type"),),
    ),
    Bad(
        "numbers for texts",
        "agent",
        opening(title=7, lat="31", values=[], nonsense=1),
        422,
        "input.invalid",
        (
            ("title", "input.wrong_type"),
            ("values", "input.wrong_type"),
            ("lat", "input.wrong_type"),
            ("nonsense", "input.unknown_key"),
        ),
    ),
    Bad(
        "a version as text",
        "tech_near",
        changing("act", expected_version="1"),
        422,
        "input.invalid",
        (("expected_version", "input.wrong_type"),),
    ),
    Bad(
        "no version",
        "dispatcher",
        sending("/api/v1/tickets/{fresh}/cancel", b'{"command_id": "12345678", "reason": "x"}'),
        422,
        "input.invalid",
        (("expected_version", "input.missing"),),
    ),
    Bad(
        "a number no column holds",
        "agent",
        opening(values={"quantity": 10**30}),
        422,
        "input.invalid",
        (("values.quantity", "input.out_of_range"),),
    ),
    Bad(
        "a NUL",
        "dispatcher",
        saying("a\0b"),
        422,
        "input.invalid",
        (("text", "input.bad_character"),),
    ),
    Bad(
        "half a place",
        "agent",
        opening(lat=31.2),
        422,
        "input.invalid",
        (("lon", "field.required"),),
    ),
    Bad(
        "a place off the earth",
        "agent",
        opening(lat=131.2, lon=500.0),
        422,
        "input.invalid",
        (("lat", "field.out_of_range"), ("lon", "field.out_of_range")),
    ),
    Bad("no title", "agent", opening(title=" "), 422, "input.invalid", (("title", "field.required"),)),
    Bad(
        "an emergency beyond emergencies",
        "agent",
        opening(urgency=4),
        422,
        "input.invalid",
        (("urgency", "input.out_of_range"),),
    ),
    Bad(
        "a choice nobody offered",
        "agent",
        opening(values={"category": "boat", "colour": "red", "parts_cost": "1"}),
        422,
        "form.invalid_values",
        (("category", "field.not_an_option"), ("colour", "field.unknown"), ("parts_cost", "field.unknown")),
    ),
    Bad(
        "a query that is none",
        "dispatcher",
        getting("/api/v1/board?priority=9&region_id=sh&colour=red"),
        422,
        "input.invalid",
        (
            ("region_id", "input.wrong_type"),
            ("priority", "input.out_of_range"),
            ("colour", "input.unknown_key"),
        ),
    ),
    Bad(
        "entries that are missing and wrong",
        "tech_near",
        changing("act", "shown", expected_version=3, values={"labour_hours": "many", "satisfaction": 5}),
        422,
        "input.invalid",
        (
            ("actions", "field.required"),
            ("arrival", "field.required"),
            ("difficulty", "field.required"),
            ("fault_cause", "field.required"),
            ("labour_hours", "field.not_a_number"),
            ("satisfaction", "field.not_writable"),
        ),
    ),
    Bad(
        "an acceptance without a signature",
        "agent",
        changing("act", "done", expected_version=4),
        422,
        "input.invalid",
        (("signature", "field.signature_required"),),
    ),
    # What does not exist.
    Bad("an unknown template", "agent", opening(template_code="no-such"), 404, "template.not_found"),
    Bad(
        "an unknown site",
        "agent",
        opening(site_code="nowhere"),
        422,
        "input.invalid",
        (("site_code", "intake.unknown_site"),),
    ),
    Bad("an unknown customer", "agent", opening(customer_id=MISSING), 404, "customer.not_found"),
    Bad(
        "an unknown device",
        "agent",
        opening(asset_id=MISSING),
        422,
        "input.invalid",
        (("asset_id", "ticket.unknown_asset"),),
    ),
    Bad(
        "an unknown technician",
        "dispatcher",
        changing("assign", technician_id=MISSING),
        404,
        "dispatch.technician_not_found",
    ),
    Bad("an unknown step", "tech_near", changing("act", token_id=2**60), 409, "ticket.token_not_active"),
    Bad("an unknown way", "tech_near", changing("act", edge_key="fly"), 409, "ticket.no_such_edge"),
    Bad("an unknown lane", "dispatcher", changing("drop", to_stage="moon"), 409, "ticket.no_way_to_stage"),
    # Too much.
    Bad(
        "an oversize body",
        "agent",
        lambda scene, api: opening(description="x" * settings().max_body_bytes)(scene, api),
        413,
        "api.body_too_large",
    ),
    Bad(
        "an oversize file",
        "tech_near",
        lambda scene, api: showing(b"\xff" * (settings().max_attachment_bytes + 100_000))(scene, api),
        413,
        "api.body_too_large",
    ),
    Bad(
        "an endless reason",
        "dispatcher",
        changing("cancel", reason="x" * 501),
        422,
        "input.invalid",
        (("reason", "input.too_long"),),
    ),
    # Broken files.
    Bad(
        "a program called picture",
        "tech_near",
        showing(b"MZ\x90"),
        422,
        "input.invalid",
        (("file", "file.kind_not_taken"),),
    ),
    Bad(
        "half a picture",
        "tech_near",
        showing(picture()[:300]),
        422,
        "input.invalid",
        (("file", "file.kind_not_taken"),),
    ),
    Bad(
        "a form without its file",
        "tech_near",
        showing(picture(), part="picture"),
        422,
        "input.invalid",
        (("file", "field.required"),),
    ),
    Bad("an empty CSV", "agent", importing(b""), 422, "intake.broken_file"),
    Bad("a CSV that is none", "agent", importing(b"\x00\x01\x02\xff\xfe" * 50), 422, "intake.broken_file"),
    Bad(
        "a CSV with an open quote", "agent", importing(b'title,phone\n"a,1\nb,2\n'), 422, "intake.broken_file"
    ),
    # Too late.
    Bad("a stale step", "tech_near", at_version(1, "act"), 409, "ticket.stale", params=STALE),
    Bad(
        "a stale return", "tech_near", at_version(2, "return", reason="x"), 409, "ticket.stale", params=STALE
    ),
    Bad(
        "a stale drag",
        "dispatcher",
        at_version(1, "drop", to_stage="done"),
        409,
        "ticket.stale",
        params=STALE,
    ),
    Bad("a stale end", "dispatcher", at_version(9, "cancel", reason="x"), 409, "ticket.stale", params=STALE),
    Bad(
        "a stale assignment",
        "dispatcher",
        at_version(1, "assign", technician_id=1),
        409,
        "ticket.stale",
        params=STALE,
    ),
    Bad(
        "a step of an ended ticket",
        "dispatcher",
        changing("cancel", "gone", expected_version=2, reason="x"),
        409,
        "ticket.not_open",
    ),
    Bad(
        "a command id that was another ticket's",
        "dispatcher",
        changing("cancel", command_id="given-up", reason="x"),
        409,
        "command.reused",
    ),
    # Other people's tickets.
    Bad("a foreign ticket", "dispatcher_cd", getting("/api/v1/tickets/{fresh}"), 404, "ticket.not_found"),
    Bad("a foreign step", "dispatcher_cd", changing("act"), 404, "ticket.not_found"),
    Bad("a foreign drag", "dispatcher_cd", changing("drop", to_stage="onsite"), 404, "ticket.not_found"),
    Bad("a foreign end", "dispatcher_cd", changing("cancel", reason="x"), 404, "ticket.not_found"),
    Bad("a foreign word", "dispatcher_cd", saying("hello"), 404, "ticket.not_found"),
    Bad("a foreign photo", "dispatcher_cd", showing(picture()), 404, "ticket.not_found"),
    Bad(
        "a foreign file",
        "dispatcher_cd",
        getting("/api/v1/attachments/{photo}"),
        404,
        "ticket.attachment_not_found",
    ),
    Bad("a colleague's ticket", "tech_far", getting("/api/v1/tickets/{fresh}"), 404, "ticket.not_found"),
    Bad("a colleague's step", "tech_far", changing("act"), 404, "ticket.not_found"),
    Bad("a colleague's claim", "tech_far", changing("claim"), 404, "ticket.not_found"),
    Bad("no ticket", "dispatcher_cd", getting(f"/api/v1/tickets/{MISSING}"), 404, "ticket.not_found"),
    Bad("no file", "agent", getting(f"/api/v1/attachments/{MISSING}"), 404, "ticket.attachment_not_found"),
    Bad("no link", None, getting("/api/v1/track/nonsense/attachments/{photo}"), 404, "ticket.not_found"),
    Bad(
        "a file behind another link",
        None,
        getting("/api/v1/track/{tracking}/attachments/{photo}"),
        404,
        "ticket.attachment_not_found",
    ),
    # Nobody, no longer, or not this one.
    Bad("a stranger", None, changing("act"), 401, "access.unauthenticated"),
    Bad(
        "an expired token",
        None,
        with_(lambda scene: {"authorization": f"Bearer {scene.expired}"}, opening()),
        401,
        "access.unauthenticated",
    ),
    Bad(
        "an ended session",
        None,
        with_(lambda scene: {"cookie": scene.ended}, opening()),
        401,
        "access.unauthenticated",
    ),
    Bad(
        "a page of another site",
        "agent",
        with_(lambda scene: {"origin": "http://evil.example"}, opening()),
        403,
        "access.foreign_origin",
    ),
    Bad("finance opening", "finance", opening(), 403, "access.forbidden"),
    Bad("an agent assigning", "agent", changing("assign", technician_id=1), 403, "access.forbidden"),
    Bad("an auditor commenting", "auditor", saying("hello"), 403, "access.forbidden"),
    Bad("a technician at the board", "tech_near", getting("/api/v1/board"), 403, "access.forbidden"),
    Bad("an agent on site", "agent", at_version(3, "act"), 403, "ticket.act_not_allowed"),
    Bad("a technician importing", "tech_near", importing(b"title\na\n"), 403, "access.forbidden"),
    # Script where it means nothing.
    Bad(
        "script for a command",
        "tech_near",
        changing("act", command_id=SCRIPT),
        422,
        "input.invalid",
        (("command_id", "input.bad_format"),),
    ),
    Bad("script for a template", "agent", opening(template_code=SCRIPT), 404, "template.not_found"),
    Bad("script for a lane", "dispatcher", changing("drop", to_stage=SCRIPT), 409, "ticket.no_way_to_stage"),
    Bad(
        "script for a field",
        "agent",
        opening(values={SCRIPT: SCRIPT}),
        422,
        "form.invalid_values",
        ((SCRIPT, "field.unknown"),),
    ),
    Bad(
        "script for a file",
        "tech_near",
        showing(f"<svg xmlns='http://www.w3.org/2000/svg'>{SCRIPT}</svg>".encode()),
        422,
        "input.invalid",
        (("file", "file.kind_not_taken"),),
    ),
)


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name.replace(" ", "-"))
def test_it_is_refused_in_clear_words_and_nothing_is_changed(scene: Scene, bad: Bad) -> None:
    before = everything_kept()

    for language in ("zh", "en"):
        answer = bad.call(scene, scene.door.as_(bad.by, language=language))

        told = answer.json()
        assert (answer.status_code, told["status"], told["code"]) == (bad.status, bad.status, bad.code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert told["title"] == translate(bad.code, language, **told["params"])
        assert sorted((each["path"], each["code"]) for each in told["problems"]) == sorted(bad.problems)
        assert told["params"].items() >= bad.params.items()
        for sentence in (told["title"], *(each["title"] for each in told["problems"])):
            assert bool(CHINESE.search(sentence)) is (language == "zh"), sentence
            assert "{" not in sentence
    assert everything_kept() == before


@pytest.fixture
def company(database: Database) -> Iterator[Company]:
    throttle.forget()
    yield found_company(AT)
    throttle.forget()


def test_whatever_is_submitted_twice_is_done_once_and_answered_alike(company: Company) -> None:
    door = Door(company)
    agent, dispatcher, technician = (door.as_(login) for login in ("agent", "dispatcher", "tech_near"))
    opened = agent.post("/api/v1/tickets", json=OPENING).json()
    path = f"/api/v1/tickets/{opened['ticket_id']}"

    def twice(send: Callable[[], Any]) -> None:
        first = send()
        assert first.is_success, first.text
        kept = everything_kept()
        again = send()
        assert again.status_code == first.status_code
        # A first answer names only whom the command itself chose.
        assert again.json().items() >= {k: v for k, v in first.json().items() if v is not None}.items()
        assert everything_kept() == kept

    twice(lambda: agent.post("/api/v1/tickets", json=OPENING | {"command_id": "open-twice"}))
    for api, what, version, wish in (
        (dispatcher, "assign", 1, {"technician_id": company.technicians["tech_far"]}),
        (dispatcher, "assign", 2, {"technician_id": company.technicians["tech_near"]}),
        (technician, "act", 3, {}),
        (technician, "return", 4, {"reason": "缺少配件"}),
        (dispatcher, "drop", 5, {"to_stage": "cancelled", "reason": "重复"}),
    ):
        body = {"command_id": f"again:{what}:{version}", "expected_version": version, **wish}
        twice(partial(api.post, f"{path}/{what}", json=body))
    twice(lambda: agent.post(f"{path}/comments", json={"command_id": "say-it-twice", "text": "你好"}))
    file = {"file": ("x.jpg", picture(), "image/jpeg")}
    twice(lambda: agent.post(f"{path}/attachments?command_id=show-twice", files=file))


def test_script_in_a_text_stays_text(company: Company) -> None:
    door = Door(company)
    agent, dispatcher = door.as_("agent"), door.as_("dispatcher")
    texts = {name: f"{SCRIPT} {name}" for name in ("title", "description", "contact_name", "address")}

    opened = agent.post("/api/v1/tickets", json=OPENING | texts | {"values": {"model": SCRIPT}}).json()
    path = f"/api/v1/tickets/{opened['ticket_id']}"
    said = agent.post(f"{path}/comments", json={"command_id": "say-it-now", "text": SCRIPT})
    shown = agent.post(f"{path}/attachments", files={"file": (f"{SCRIPT}.jpg", picture(), "image/jpeg")})
    page = dispatcher.get(path)
    board = dispatcher.get("/api/v1/board").json()

    assert (said.status_code, shown.status_code) == (200, 200)
    assert page.headers["content-type"] == "application/json"
    assert {name: page.json()[name] for name in texts} == texts
    assert {each["key"]: each["value"] for each in page.json()["fields"]}["model"] == SCRIPT
    assert [each["text"] for each in page.json()["comments"]] == [SCRIPT]
    assert [each["filename"] for each in page.json()["attachments"]] == ["script>.jpg"]
    assert [card["title"] for lane in board["lanes"] for card in lane["cards"]] == [texts["title"]]
    file = dispatcher.get(shown.json()["url"])
    assert (file.headers["content-type"], file.headers["x-content-type-options"]) == ("image/jpeg", "nosniff")
    assert "sandbox" in file.headers["content-security-policy"]


def test_a_customer_who_is_heard_late_is_not_heard_twice(company: Company) -> None:
    """The refusal of the first visit arrives a second time when the second visit is to be accepted."""
    done = done_on_site(company)
    refuse = partial(
        customer.refuse,
        token=done.tracking_token,
        at=AT + timedelta(hours=3),
        command_id="not-dry-yet",
        reason="还在漏水",
    )
    refused = refuse()
    shown = photograph(company, done.ticket_id, by="tech_near")
    company.act(done.ticket_id, shown.version, by="tech_near", at=AT + timedelta(hours=4), values=WORK)
    before = everything_kept()

    again = refuse()

    assert (refused.stage, again.stage) == ("onsite", "acceptance")
    assert everything_kept() == before
