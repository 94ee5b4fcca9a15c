"""Golden cases: facts and rules as a person writes them down, read from YAML."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml

from tests.builders.settlement import STANDARD, make_facts, make_rule, make_rules
from ticket_console.settlement.facts import Facts, Hazard, PartUsed, ServiceClass, ToolUsed, Urgency
from ticket_console.settlement.rules import RuleSet

FRIDAY: Final = ("2026-11-20 10:00", "2026-11-20 12:00")

_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "urgency": Urgency,
    "service_class": ServiceClass,
    "hazards": lambda codes: tuple(Hazard(code) for code in codes),
    "parts": lambda listed: tuple(PartUsed(sku, Decimal(qty), cost) for sku, qty, cost in listed),
    "tools": lambda listed: tuple(ToolUsed(code, Decimal(days), cost) for code, days, cost in listed),
    "difficulty": Decimal,
    "labour_hours": Decimal,
    "distance_km": Decimal,
    "response_minutes": Decimal,
    "satisfaction": Decimal,
}


def read_cases(path: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return cases


def read_facts(written: dict[str, Any]) -> dict[str, Any]:
    """The named facts as `Facts` wants them; times without an offset are read on the clock of the site."""
    known = dict(written)
    zone = ZoneInfo(known.get("site_tz", "Asia/Shanghai"))
    started, finished = (_instant(each, zone) for each in known.pop("work", FRIDAY))
    return {
        "started_at": started,
        "finished_at": finished,
        **{key: _READ[key](value) if key in _READ else value for key, value in known.items()},
    }


def facts_of_case(written: dict[str, Any]) -> Facts:
    """The facts of a case: what it names, and a plain installation otherwise."""
    return make_facts(**read_facts(written))


def rules_of_case(case: dict[str, Any]) -> RuleSet:
    """The rules of a case; "standard" for those a new company starts with."""
    if case["rules"] == "standard":
        return STANDARD
    more = {key: case[key] for key in ("cards", "splits") if key in case}
    rules = [make_rule(**rule) for rule in case["rules"]]
    return make_rules(*rules, currency=case.get("currency", "CNY"), **more)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)
