"""A call taken at the service desk: the standard shape, and the number the call came from."""

from typing import Final

from ticket_console.intake.channels.channel import Channel, Payload, number_in
from ticket_console.intake.messages import IntakeMessage, InvalidRequest, Number, Phone


class PhoneCall(IntakeMessage):
    call_id: Number | None = None
    caller: Phone = ""


def read(payload: Payload) -> IntakeMessage:
    call = PhoneCall.read(payload, InvalidRequest)
    said = call.model_dump(exclude={"call_id", "caller"}, exclude_unset=True)
    said["external_id"] = call.call_id or call.external_id
    said["contact_phone"] = call.contact_phone or call.caller
    said["customer"] = {**said.get("customer", {}), "phone": call.customer.phone or said["contact_phone"]}
    return IntakeMessage.read(said, InvalidRequest)


def number(payload: Payload) -> str | None:
    return number_in("call_id")(payload) or number_in("external_id")(payload)


PHONE: Final = Channel("phone", "typed", read, number)
