"""A message to a WeChat official account, as JSON with the names WeChat gives its parts.

A bridge that receives WeChat's XML sends each element under its own name.
"""

from typing import Any, Final

from pydantic import ConfigDict, Field

from ticket_console.forms.json_form import JsonForm
from ticket_console.intake.channels.channel import Channel, Payload, number_in, read_standard
from ticket_console.intake.messages import IntakeMessage, InvalidRequest, shortened
from ticket_console.kernel.errors import FieldProblem


class _Push(JsonForm):
    """Only what is read; WeChat adds keys of its own at any time."""

    model_config = ConfigDict(extra="ignore", strict=False, coerce_numbers_to_str=True)

    sender: str = Field(alias="FromUserName", min_length=1, max_length=128)
    kind: str = Field(alias="MsgType")
    number: str | None = Field(default=None, alias="MsgId", max_length=128)
    content: str = Field(default="", alias="Content")
    recognised: str = Field(default="", alias="Recognition")
    latitude: float | None = Field(default=None, alias="Location_X", ge=-90, le=90)
    longitude: float | None = Field(default=None, alias="Location_Y", ge=-180, le=180)
    label: str = Field(default="", alias="Label")


def read(payload: Payload) -> IntakeMessage:
    push = _Push.read(payload, InvalidRequest)
    said: dict[str, Any] = {"customer": {"id": push.sender}, "external_id": push.number}
    text = {"text": push.content, "voice": push.recognised, "location": push.label}.get(push.kind, "").strip()
    if not text:
        # A picture, a sticker, somebody who starts to follow: kept, but no request yet.
        raise InvalidRequest((FieldProblem("MsgType", "intake.no_words", {"kind": push.kind[:32]}),))
    said |= {"title": shortened(text), "description": text}
    if push.kind == "location":
        said |= {"latitude": push.latitude, "longitude": push.longitude, "address": push.label[:300]}
    return read_standard(said)


WECHAT: Final = Channel("wechat", "channel", read, number_in("MsgId"))
