"""Facts freeze to one form, thaw to the same facts, and refuse what could not be rated."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.settlement import STARTED, make_facts
from ticket_console.settlement.facts import BadFacts, Facts, Hazard, PartUsed, ServiceClass, ToolUsed, Urgency

_amounts = st.decimals(0, 10_000, places=3)
_facts = st.builds(
    make_facts,
    difficulty=_amounts,
    distance_km=_amounts,
    labour_hours=_amounts,
    response_minutes=st.none() | _amounts,
    urgency=st.sampled_from(Urgency),
    service_class=st.sampled_from(ServiceClass),
    hazards=st.lists(st.builds(Hazard, st.sampled_from(["height", "live_wire"]), st.text(max_size=8))).map(
        tuple
    ),
    parts=st.lists(st.builds(PartUsed, st.text(max_size=8), _amounts, st.integers(0, 10**6))).map(tuple),
    tools=st.lists(st.builds(ToolUsed, st.text(max_size=8), _amounts, st.integers(0, 10**6))).map(tuple),
    vip=st.booleans(),
    on_time=st.none() | st.booleans(),
    finished_at=st.integers(0, 10**6).map(lambda seconds: STARTED + timedelta(seconds=seconds)),
)


@given(_facts)
def test_frozen_facts_thaw_to_the_same_facts(facts: Facts) -> None:
    again = Facts.from_json(facts.to_json())

    assert again == facts
    assert again.content_hash() == facts.content_hash()


def test_equal_numbers_have_one_hash_however_they_are_written() -> None:
    assert make_facts(difficulty=D("1.20")).content_hash() == make_facts(difficulty=D("1.2")).content_hash()
    assert make_facts(distance_km=D("1E+1")).content_hash() == make_facts(distance_km=D(10)).content_hash()


def test_any_other_fact_changes_the_hash() -> None:
    assert make_facts(vip=True).content_hash() != make_facts().content_hash()


@pytest.mark.parametrize(
    ("tz", "day"),
    [("Asia/Shanghai", date(2026, 12, 1)), ("Europe/Berlin", date(2026, 11, 30))],
)
def test_the_service_date_is_the_day_at_the_site(tz: str, day: date) -> None:  # pains 43
    finished = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)

    assert make_facts(finished_at=finished, site_tz=tz).service_on == day


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"started_at": datetime(2026, 11, 21, 2)}, "started_at", "no_zone"),  # noqa: DTZ001
        ({"finished_at": STARTED - timedelta(seconds=1)}, "finished_at", "ends_before_start"),
        ({"site_tz": "Mars/Olympus"}, "site_tz", "unknown_zone"),
        ({"site_tz": "../etc/passwd"}, "site_tz", "unknown_zone"),
        ({"difficulty": D(-1)}, "difficulty", "negative"),
        ({"distance_km": D("NaN")}, "distance_km", "negative"),
        ({"parts": (PartUsed("P-1", D(-1), 100),)}, "parts.P-1", "negative"),
        ({"tools": (ToolUsed("crane", D(-1), 100),)}, "tools.crane", "negative"),
    ],
)
def test_facts_nobody_could_rate_are_refused(changes: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(BadFacts) as refused:
        make_facts(**changes)

    assert [(each.path, each.code) for each in refused.value.problems] == [(path, f"settlement.facts.{code}")]
