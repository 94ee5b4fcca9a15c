"""A row of Boston's 311 service-request export, column by column as the city publishes it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from ticket_console.intake.channels.channel import Channel, Payload, number_in, read_standard
from ticket_console.intake.messages import TITLE_LENGTH, IntakeMessage, InvalidRequest
from ticket_console.kernel.errors import FieldProblem

ZONE: Final = ZoneInfo("America/New_York")
# Where the city places a request whose position nobody knew.
CITY_HALL: Final = (42.3594, -71.0587)

_GENERAL: Final = "general"
# A type that asks for something else than most of its reason.
_BY_TYPE: Final[Mapping[str, str]] = {
    "Request for Recycling Cart": "install",
    "New Sign  Crosswalk or Pavement Marking": "install",
    "New Tree Requests": "install",
    "Install New Lighting": "install",
    "Upgrade Existing Lighting": "install",
    "Request for Litter Basket Installation": "install",
    "Planting": "install",
    "Traffic Signal Inspection": "inspection",
    "Pavement Marking Inspection": "inspection",
    "Requests for Traffic Signal Studies or Reviews": "inspection",
    "Contractor Complaints": "complaint",
    "Contractors Complaint": "complaint",
    "Billing Complaint": "complaint",
    "Private Parking Lot Complaints": "complaint",
    "No-Tow Complaint Confirmation": "complaint",
    "Maintenance Complaint - Residential": "complaint",
    "Working Beyond Hours": "complaint",
    "Work Hours-Loud Noise Complaints": "complaint",
    "Illegal Dumping": "complaint",
    "Equipment Repair": "repair",
    "Electrical": "repair",
    "Plumbing": "repair",
    "Mechanical": "repair",
}
_BY_REASON: Final[Mapping[str, str]] = {
    "Highway Maintenance": "repair",
    "Signs & Signals": "repair",
    "Street Lights": "repair",
    "Park Maintenance & Safety": "repair",
    "Catchbasin": "repair",
    "Fire Hydrant": "repair",
    "Pothole": "repair",
    "Bridge Maintenance": "repair",
    "Water Issues": "repair",
    "Graffiti": "repair",
    "Trees": "repair",
    "Building": "inspection",
    "Housing": "inspection",
    "Health": "inspection",
    "Environmental Services": "inspection",
    "Code Enforcement": "inspection",
    "Investigations and Enforcement": "inspection",
    "Weights and Measures": "inspection",
    "Enforcement & Abandoned Vehicles": "complaint",
    "Animal Issues": "complaint",
    "Noise Disturbance": "complaint",
    "Generic Noise Disturbance": "complaint",
    "Air Pollution Control": "complaint",
    "Massport": "complaint",
    "Consumer Affairs Issues": "complaint",
    "Parking Complaints": "complaint",
    "Employee & General Comments": "consult",
    "Call Inquiry": "consult",
    "Notification": "consult",
    "Administration": "consult",
    "Office of The Parking Clerk": "consult",
}


def template_for(request_type: str, reason: str) -> str:
    return _BY_TYPE.get(request_type) or _BY_REASON.get(reason, _GENERAL)


def local_instant(text: str) -> datetime:
    """A local time of the file, `06/01/2015 12:28:00 AM`, as an instant; raises ValueError."""
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=ZONE).astimezone(UTC)


def read(payload: Payload) -> IntakeMessage:
    row = {key: value.strip() for key, value in payload.items() if isinstance(value, str)}
    problems: list[FieldProblem] = []
    opened = _opened(row, problems)
    latitude = _degrees(row, "latitude", 90, problems)
    longitude = _degrees(row, "longitude", 180, problems)
    request_type = row.get("type") or row.get("case_title") or ""
    if not request_type:
        problems.append(FieldProblem("type", "input.missing"))
    if problems:
        raise InvalidRequest(tuple(problems))
    return read_standard(
        {
            "template": template_for(row.get("type", ""), row.get("reason", "")),
            "title": (row.get("case_title") or request_type)[:TITLE_LENGTH],
            "description": _description(row),
            "address": _address(row)[:300],
            "latitude": latitude,
            "longitude": longitude,
            "department": row.get("department") or None,
            "external_id": row.get("case_enquiry_id") or None,
            "reported_at": opened,
        }
    )


def _opened(row: Mapping[str, str], problems: list[FieldProblem]) -> datetime | None:
    text = row.get("open_dt", "")
    if not text:
        problems.append(FieldProblem("open_dt", "input.missing"))
        return None
    try:
        return local_instant(text)
    except ValueError:
        problems.append(FieldProblem("open_dt", "intake.broken_date", {"text": text[:40]}))
        return None


def _degrees(row: Mapping[str, str], key: str, limit: int, problems: list[FieldProblem]) -> float | None:
    text = row.get(key, "")
    if not text:
        problems.append(FieldProblem(key, "input.missing"))
        return None
    try:
        degrees = float(text)
    except ValueError:
        problems.append(FieldProblem(key, "input.wrong_type"))
        return None
    if not -limit <= degrees <= limit:
        problems.append(FieldProblem(key, "input.out_of_range", {"ge": -limit, "le": limit}))
        return None
    return degrees


def _description(row: Mapping[str, str]) -> str:
    parts = (row.get(key, "") for key in ("reason", "type", "queue", "source"))
    return " · ".join(part for part in parts if part)


def _address(row: Mapping[str, str]) -> str:
    # The export keeps ZIP codes as numbers: 2125.0 is 02125.
    zip_code = row.get("location_zipcode", "").partition(".")[0]
    parts = (
        row.get("location_street_name", ""),
        row.get("neighborhood", ""),
        f"MA {zip_code.zfill(5)}" if zip_code else "",
    )
    return ", ".join(part for part in parts if part)


BOSTON311: Final = Channel("boston311", "channel", read, number_in("case_enquiry_id"))
