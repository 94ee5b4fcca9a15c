"""Conditions, owners and times of fields: who is asked what, and what is done with the answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from ticket_console.forms import lookups
from ticket_console.forms.asking import asked_at_opening, form_fields
from ticket_console.forms.behaviours import highlight_of, notices_due
from ticket_console.forms.definitions import TemplateDefinition, definition_problems, parse_definition
from ticket_console.forms.filling import InvalidValues, fill, unanswered
from ticket_console.forms.lookups import LookupFailed, look_up, value_at
from ticket_console.kernel.outbound import AddressNotAllowed

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def make_field(key: str, kind: str = "text", **settings: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "label": {"en": key}, **settings}


def when(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


def make_definition(*fields: dict[str, Any], **section: Any) -> TemplateDefinition:
    return parse_definition({"sections": [{"key": "main", "fields": list(fields), **section}]})


URGENCY = make_definition(
    make_field(
        "level",
        "choice",
        options=[{"value": "normal"}, {"value": "urgent"}],
        behaviours=[
            {
                "when": when("level", "=", "urgent"),
                "style": "danger",
                "notify": {"to": "role:dispatcher", "channel": "sms", "text": {"en": "Urgent"}},
            }
        ],
    ),
    make_field("why", visible_when=when("level", "=", "urgent"), required_when=when("level", "=", "urgent")),
)


def problems_of(definition: TemplateDefinition, raw: dict[str, Any], **how: Any) -> dict[str, str]:
    with pytest.raises(InvalidValues) as refused:
        fill(definition, raw, **how)
    return {problem.path: problem.code for problem in refused.value.problems}


def test_a_hidden_field_is_neither_required_nor_taken() -> None:
    assert fill(URGENCY, {"level": "normal"}) == {"level": "normal"}
    assert problems_of(URGENCY, {"level": "normal", "why": "x"}) == {"why": "field.hidden"}
    assert problems_of(URGENCY, {"level": "urgent"}) == {"why": "field.required"}
    assert fill(URGENCY, {"level": "urgent", "why": "flood"}) == {"level": "urgent", "why": "flood"}


def test_a_step_asks_by_what_the_ticket_says_already_and_keeps_what_gets_hidden() -> None:
    known = {"level": "urgent", "why": "flood"}

    assert fill(URGENCY, {"level": "normal"}, asked={"level": True, "why": False}, known=known) == {
        "level": "normal"
    }
    assert unanswered(URGENCY, {"why": True}, known={"level": "normal"}) == ()
    assert unanswered(URGENCY, {"why": True}, known={"level": "urgent"}) == ("why",)


# TPL-06
def test_a_value_that_becomes_urgent_is_red_and_tells_the_dispatcher_once() -> None:
    before, after = {"level": "normal"}, {"level": "urgent"}

    (notice,) = notices_due(URGENCY, before, after)
    assert (notice.to, notice.channel, notice.text, notice.field_key) == (
        "role:dispatcher",
        "sms",
        {"en": "Urgent"},
        "level",
    )
    assert notices_due(URGENCY, after, after) == ()
    assert str(highlight_of(URGENCY.field("level"), after)) == "danger"
    assert highlight_of(URGENCY.field("level"), before) is None


# TPL-04
@pytest.mark.parametrize(
    "setting",
    [{"state": "hidden"}, {"from": "2026-11-23T00:00:00Z"}, {"until": "2026-11-22T08:00:00Z"}],
)
def test_a_field_out_of_use_is_asked_of_nobody(setting: dict[str, Any]) -> None:
    definition = make_definition(make_field("gift", required=True, **setting), make_field("name"))

    assert asked_at_opening(definition, AT) == {"name": False}
    assert fill(definition, {"name": "Li"}, at=AT) == {"name": "Li"}
    assert problems_of(definition, {"gift": "cup"}, at=AT) == {"gift": "field.unknown"}


# TPL-03
def test_a_section_is_left_to_the_people_of_its_department() -> None:
    definition = make_definition(make_field("channel", required=True), owner="marketing")

    assert asked_at_opening(definition, AT, department="support") == {}
    assert asked_at_opening(definition, AT, department="marketing") == {"channel": True}
    assert definition.owned_by_others("support") == {"channel"}


def test_formulas_follow_from_what_is_entered_and_nobody_enters_them() -> None:
    definition = make_definition(
        make_field("hours", "number"),
        make_field("cost", "formula", formula="hours * 120"),
        make_field("with_tax", "formula", formula="round(cost * 1.06, 2)"),
    )

    assert fill(definition, {"hours": "1.5"}) == {"hours": "1.5", "cost": "180", "with_tax": "190.8"}
    assert fill(definition, {"hours": None}, asked={"hours": False}, known={"hours": "1", "cost": "120"}) == {
        "hours": None,
        "cost": None,
    }
    assert problems_of(definition, {"cost": "1"}) == {"cost": "field.unknown"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            [make_field("a", "formula", formula="b"), make_field("b", "formula", formula="a + 1")],
            "formula.circle",
        ),
        ([make_field("a", "formula", formula="b + 1")], "formula.unknown_field"),
        ([make_field("a", "formula", formula="1 +")], "formula.unexpected"),
        ([make_field("a", "formula", formula="__import__(1)")], "formula.unknown_function"),
        ([make_field("a", "formula", formula="(" * 60 + "1" + ")" * 60)], "formula.too_deep"),
        ([make_field("t"), make_field("a", "formula", formula="t + 1")], "formula.wrong_type"),
        ([make_field("a", visible_when=when("b", "=", 1))], "condition.unknown_field"),
        (
            [make_field("a", "lookup", lookup={"url": "https://{host}/x"}), make_field("host")],
            "template.bad_lookup",
        ),
        ([make_field("a", "checklist")], "template.no_items"),
        ([make_field("a", "table")], "template.no_columns"),
        ([make_field("a", "photo", default=[1])], "template.misplaced_setting"),
        ([make_field("a", "number", converts="b"), make_field("b", "photo")], "field.no_conversion"),
    ],
)
def test_a_definition_that_cannot_work_is_refused_with_the_reason(
    fields: list[dict[str, Any]], problem: str
) -> None:
    assert problem in {found.code for found in definition_problems(make_definition(*fields))}


def test_the_browser_gets_the_answers_it_may_not_ask_itself() -> None:
    definition = make_definition(
        make_field("margin", "number", sensitivity="cost"),
        make_field("hint", visible_when=when("margin", ">", 10)),
        make_field("total", "formula", formula="margin * 2"),
    )
    asked = {"hint": False, "total": False}

    drawn = form_fields(definition, asked=asked, values={"margin": "20"}, at=AT, readable={"hint", "total"})
    assert [field["key"] for field in drawn] == ["hint", "total"]
    assert "visible_when" not in drawn[0]
    assert "formula" not in drawn[1]
    gone = form_fields(definition, asked=asked, values={"margin": "5"}, at=AT, readable={"hint", "total"})
    assert [field["key"] for field in gone] == ["total"]


LIVE = make_definition(
    make_field("no"),
    make_field("where", "lookup", lookup={"url": "https://courier.example/{no}?x=1", "path": "data.0.place"}),
)


def answering(status: int, body: str, seen: list[str]) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(status, text=body, headers={"location": "http://10.0.0.1/"})

    return httpx.Client(transport=httpx.MockTransport(answer))


def test_a_live_value_is_read_with_the_moment_it_was_read_at() -> None:
    seen: list[str] = []
    client = answering(200, '{"data": [{"place": "Hangzhou"}]}', seen)

    found = look_up(LIVE.field("where"), {"no": "A/1"}, at=AT, hosts=["courier.example"], client=client)
    assert found == {"value": "Hangzhou", "as_of": "2026-11-22T08:00:00.000000Z"}
    assert seen == ["https://courier.example/A%2F1?x=1"]


@pytest.mark.parametrize("number", ["12345678901234567.89", "1.10", "90071992547409930001"])
def test_a_number_is_kept_as_its_source_writes_it(number: str) -> None:
    client = answering(200, f'{{"data": [{{"place": {number}}}]}}', [])

    found = look_up(LIVE.field("where"), {"no": "1"}, at=AT, hosts=["courier.example"], client=client)
    assert found["value"] == number


def test_an_address_too_long_to_be_asked_gives_no_value() -> None:
    client = answering(200, "{}", [])

    with pytest.raises(LookupFailed):
        look_up(LIVE.field("where"), {"no": "说" * 20_000}, at=AT, hosts=["courier.example"], client=client)


def test_an_answer_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "TIMEOUT_SECONDS", 0.05)

    def drops() -> Iterator[bytes]:
        for _ in range(1_000):
            sleep(0.01)
            yield b" "

    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=drops())))
    began = monotonic()
    with pytest.raises(LookupFailed):
        look_up(LIVE.field("where"), {"no": "1"}, at=AT, hosts=["courier.example"], client=client)
    assert monotonic() - began < 2


@pytest.mark.parametrize(
    ("status", "body"),
    [(302, "{}"), (500, "{}"), (200, "no json"), (200, "{}"), (200, "[" * 100_000), (200, '{"data": [{}]}')],
)
def test_a_source_that_gives_no_value_is_refused(status: int, body: str) -> None:
    seen: list[str] = []
    client = answering(status, body, seen)

    with pytest.raises(LookupFailed):
        look_up(LIVE.field("where"), {"no": "1"}, at=AT, hosts=["courier.example"], client=client)
    assert len(seen) == 1


def test_nothing_is_asked_of_a_host_that_is_not_listed_or_while_a_value_is_missing() -> None:
    seen: list[str] = []
    client = answering(200, "{}", seen)

    with pytest.raises(AddressNotAllowed):
        look_up(LIVE.field("where"), {"no": "1"}, at=AT, hosts=["other.example"], client=client)
    with pytest.raises(LookupFailed):
        look_up(LIVE.field("where"), {}, at=AT, hosts=["courier.example"], client=client)
    assert seen == []
    assert value_at({"a": [1, {"b": True}]}, "a.1.b") == "true"
