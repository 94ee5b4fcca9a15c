"""Each channel's payload becomes the same standard request."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ticket_console.intake.channels import MalformedChannel, channel_named, checked_name
from ticket_console.intake.channels.boston311 import local_instant, template_for
from ticket_console.intake.messages import IntakeMessage, InvalidRequest
from ticket_console.intake.refusals import LooksAutomatic

BOSTON_ROW = {
    "case_enquiry_id": "101001399360",
    "open_dt": "06/01/2015 12:28:00 AM",
    "target_dt": "06/04/2015 08:30:00 AM",
    "closed_dt": "",
    "case_title": "Building Inspection Request",
    "reason": "Building",
    "type": "Building Inspection Request",
    "queue": "ISD_Building (INTERNAL)",
    "department": "ISD",
    "neighborhood": "Dorchester",
    "location_street_name": "10 Pleasant St",
    "location_zipcode": "2125.0",
    "latitude": "42.318",
    "longitude": "-71.0587",
    "source": "Constituent Call",
}
WECHAT_TEXT = {
    "ToUserName": "gh_1",
    "FromUserName": "openid-1",
    "CreateTime": 1795000000,
    "MsgType": "text",
    "Content": "空调坏了\n三楼会议室",
    "MsgId": 6054768590064713728,
}


def problems_of(channel: str, payload: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        channel_named(channel).read(payload)
    return [(each.path, each.code) for each in refused.value.problems]


# INT-01
def test_a_row_of_bostons_export_is_a_request() -> None:
    said = channel_named("boston311").read(BOSTON_ROW)

    assert said == IntakeMessage(
        template="inspection",
        title="Building Inspection Request",
        description="Building · Building Inspection Request · ISD_Building (INTERNAL) · Constituent Call",
        address="10 Pleasant St, Dorchester, MA 02125",
        latitude=42.318,
        longitude=-71.0587,
        department="ISD",
        external_id="101001399360",
        reported_at=datetime(2015, 6, 1, 4, 28, tzinfo=UTC),
    )


# INT-01
def test_a_wechat_message_is_a_request_of_the_one_who_sent_it() -> None:
    said = channel_named("wechat").read(WECHAT_TEXT)

    assert (said.title, said.description) == ("空调坏了", "空调坏了\n三楼会议室")
    assert said.customer.id == "openid-1"
    assert said.external_id == "6054768590064713728"


def test_a_position_sent_by_wechat_brings_coordinates_and_address() -> None:
    payload = {
        **WECHAT_TEXT,
        "MsgType": "location",
        "Location_X": "23.13",
        "Location_Y": "113.26",
        "Label": "天河路1号",
    }

    said = channel_named("wechat").read(payload)

    assert (said.latitude, said.longitude, said.address) == (23.13, 113.26, "天河路1号")


def test_a_spoken_wechat_message_is_what_was_recognised() -> None:
    payload = {**WECHAT_TEXT, "MsgType": "voice", "Content": "", "Recognition": "三号机组漏油"}

    assert channel_named("wechat").read(payload).title == "三号机组漏油"


@pytest.mark.parametrize("kind", ["image", "event", "video"])
def test_a_wechat_message_without_words_says_so(kind: str) -> None:
    assert problems_of("wechat", {**WECHAT_TEXT, "MsgType": kind}) == [("MsgType", "intake.no_words")]


# INT-01
def test_a_call_brings_the_number_it_came_from() -> None:
    call = {"title": "电梯困人", "caller": "021-55550001", "call_id": "c-7", "urgency": 3}

    said = channel_named("phone").read(call)

    assert (said.contact_phone, said.customer.phone) == ("021-55550001", "021-55550001")
    assert (said.external_id, said.urgency) == ("c-7", 3)


@pytest.mark.parametrize(
    ("channel", "payload", "number"),
    [
        ("boston311", BOSTON_ROW, "101001399360"),
        ("wechat", WECHAT_TEXT, "6054768590064713728"),
        ("phone", {"call_id": "c-7", "external_id": "x"}, "c-7"),
        ("phone", {"external_id": "x"}, "x"),
        ("api", {"external_id": " 17 "}, "17"),
        ("api", {"external_id": 17}, "17"),
        ("api", {"external_id": ""}, None),
        ("api", {"external_id": "9" * 129}, None),
        ("api", {"external_id": "a\x00b"}, None),
        ("api", {"external_id": ["17"]}, None),
        ("api", {"external_id": True}, None),
        ("api", {}, None),
    ],
)
def test_the_sources_number_is_found(channel: str, payload: dict[str, Any], number: str | None) -> None:
    assert channel_named(channel).number(payload) == number


def test_a_strangers_form_has_no_number_to_try_out() -> None:
    assert channel_named("web_form").number({"title": "a", "external_id": "17"}) is None


def test_a_form_whose_hidden_field_is_filled_in_was_filled_in_by_a_program() -> None:
    with pytest.raises(LooksAutomatic):
        channel_named("web_form").read({"title": "Cheap watches", "website": "http://spam.example"})


# INT-03
def test_an_unknown_channel_is_read_in_the_standard_shape_as_other() -> None:
    channel = channel_named("carrier_pigeon")

    assert channel.source == "other"
    assert channel.read({"title": "Message in a bottle"}).title == "Message in a bottle"


@pytest.mark.parametrize("name", ["", "Api", "a b", "a/b", "../x", "9a", "a" * 33, "微信"])
def test_what_can_be_no_channels_name_is_refused(name: str) -> None:
    with pytest.raises(MalformedChannel):
        checked_name(name)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, [("title", "input.missing")]),
        ({"title": "   "}, [("title", "input.missing")]),
        ({"title": 5}, [("title", "input.wrong_type")]),
        ({"title": "a" * 201}, [("title", "input.too_long")]),
        ({"title": "a\x00b"}, [("title", "input.bad_format")]),
        ({"title": "a", "titel": "b"}, [("titel", "input.unknown_key")]),
        ({"title": "a", "latitude": 31.2}, [("longitude", "input.missing")]),
        ({"title": "a", "latitude": 91, "longitude": 0}, [("latitude", "input.out_of_range")]),
        ({"title": "a", "latitude": "31", "longitude": 1.0}, [("latitude", "input.wrong_type")]),
        ({"title": "a", "urgency": 4}, [("urgency", "input.out_of_range")]),
        ({"title": "a", "urgency": True}, [("urgency", "input.wrong_type")]),
        ({"title": "a", "values": []}, [("values", "input.wrong_type")]),
        ({"title": "a", "customer": "Li"}, [("customer", "input.wrong_type")]),
        ({"title": "a", "reported_at": "2026-01-01T10:00:00"}, [("reported_at", "input.wrong_type")]),
        ({"title": "a", "external_id": ""}, [("external_id", "input.too_short")]),
    ],
)
def test_every_wrong_part_of_a_request_is_named(
    payload: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert problems_of("api", payload) == expected


def test_script_in_a_text_is_text() -> None:
    text = "<script>alert('x')</script>"

    assert channel_named("api").read({"title": text}).title == text


def test_the_first_line_of_a_description_stands_in_for_a_title() -> None:
    said = channel_named("api").read({"description": f"{'long ' * 20}\nsecond line"})

    assert said.headline == f"{('long ' * 12)[:59].rstrip()}…"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"open_dt": "31/31/2015 12:28:00 AM"}, [("open_dt", "intake.broken_date")]),
        ({"open_dt": "yesterday"}, [("open_dt", "intake.broken_date")]),
        ({"open_dt": ""}, [("open_dt", "input.missing")]),
        ({"latitude": "", "longitude": ""}, [("latitude", "input.missing"), ("longitude", "input.missing")]),
        ({"latitude": "n/a"}, [("latitude", "input.wrong_type")]),
        ({"latitude": "nan"}, [("latitude", "input.out_of_range")]),
        ({"longitude": "-710587"}, [("longitude", "input.out_of_range")]),
        ({"type": "", "case_title": ""}, [("type", "input.missing")]),
    ],
)
def test_every_wrong_column_of_a_boston_row_is_named(
    change: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert problems_of("boston311", {**BOSTON_ROW, **change}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("06/01/2015 12:28:00 AM", datetime(2015, 6, 1, 4, 28, tzinfo=UTC)),
        ("12/01/2015 12:28:00 PM", datetime(2015, 12, 1, 17, 28, tzinfo=UTC)),
    ],
)
def test_local_times_of_boston_know_summer_and_winter(text: str, expected: datetime) -> None:
    assert local_instant(text) == expected


@pytest.mark.parametrize(
    ("request_type", "reason", "template"),
    [
        ("Pothole Repair (Internal)", "Highway Maintenance", "repair"),
        ("Install New Lighting", "Street Lights", "install"),
        ("Rodent Activity", "Environmental Services", "inspection"),
        ("Contractor Complaints", "Building", "complaint"),
        ("General Comments For An Employee", "Employee & General Comments", "consult"),
        ("Something new", "Never heard of", "general"),
    ],
)
def test_type_and_reason_lead_to_a_template(request_type: str, reason: str, template: str) -> None:
    assert template_for(request_type, reason) == template
