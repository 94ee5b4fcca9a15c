"""What moved an amount: the parts add up to the difference exactly, and volume and rate to each part."""

from hypothesis import given
from hypothesis import strategies as st

from ticket_console.reports.money import AMOUNTS, EVERYTHING, NO_FIGURES, Figures, Group, Measure
from ticket_console.reports.money_change import amount_of, change

_AMOUNTS = st.integers(-(10**9), 10**9)
_FIGURES = st.builds(Figures, _AMOUNTS, _AMOUNTS, st.integers(0, 5_000))
_KEYS = st.sampled_from("abcdef")
_PARTS = st.dictionaries(_KEYS, _FIGURES)


def groups(parts: dict[str, Figures]) -> list[Group]:
    return [Group(key, {"zh": key, "en": key}, found, EVERYTHING) for key, found in parts.items()]


def whole(parts: dict[str, Figures], tickets: int | None = None) -> Figures:
    return Figures(
        sum(each.cost_minor for each in parts.values()),
        sum(each.charge_minor for each in parts.values()),
        sum(each.tickets for each in parts.values()) if tickets is None else tickets,
    )


@given(_PARTS, _PARTS, st.integers(0, 9_000), st.integers(0, 9_000), st.sampled_from(AMOUNTS), st.booleans())
def test_the_parts_of_a_change_add_up_to_the_difference(
    first: dict[str, Figures],
    second: dict[str, Figures],
    tickets_before: int,
    tickets_after: int,
    measure: Measure,
    share_tickets: bool,
) -> None:
    before, after = whole(first, tickets_before), whole(second, tickets_after)
    found = change(
        measure,
        before=before,
        after=after,
        parts_before=groups(first),
        parts_after=groups(second),
        share_tickets=share_tickets,
    )

    assert found.delta_minor == amount_of(after, measure) - amount_of(before, measure)
    assert sum(part.delta_minor for part in found.parts) == found.delta_minor
    assert found.volume_minor + found.rate_minor == found.delta_minor
    for part in found.parts:
        assert part.volume_minor + part.rate_minor == part.delta_minor
        assert part.before_minor == amount_of(first.get(part.key, NO_FIGURES), measure)


def test_twice_the_tickets_at_the_old_amount_is_all_volume() -> None:
    found = change(
        Measure.COST,
        before=Figures(30_000, 0, 3),
        after=Figures(60_000, 0, 6),
        parts_before=groups({"travel": Figures(10_000, 0, 2), "labour": Figures(20_000, 0, 3)}),
        parts_after=groups({"travel": Figures(20_000, 0, 4), "labour": Figures(40_000, 0, 6)}),
        share_tickets=True,
    )

    assert (found.volume_minor, found.rate_minor) == (30_000, 0)
    assert [(part.key, part.volume_minor) for part in found.parts] == [("labour", 20_000), ("travel", 10_000)]


def test_dearer_tickets_are_rate_and_the_dimension_that_rose_is_named() -> None:
    found = change(
        Measure.COST,
        before=Figures(30_000, 0, 3),
        after=Figures(33_000, 0, 3),
        parts_before=groups({"travel": Figures(10_000, 0, 2), "labour": Figures(20_000, 0, 3)}),
        parts_after=groups({"travel": Figures(15_000, 0, 2), "labour": Figures(18_000, 0, 3)}),
        share_tickets=True,
    )

    assert (found.volume_minor, found.rate_minor, found.delta_minor) == (0, 3_000, 3_000)
    assert found.mover is not None
    assert (found.mover.key, found.mover.delta_minor) == ("travel", 5_000)


def test_regions_have_tickets_of_their_own() -> None:
    found = change(
        Measure.COST,
        before=Figures(30_000, 0, 3),
        after=Figures(40_000, 0, 4),
        parts_before=groups({"north": Figures(10_000, 0, 1), "south": Figures(20_000, 0, 2)}),
        parts_after=groups({"north": Figures(10_000, 0, 1), "east": Figures(30_000, 0, 3)}),
        share_tickets=False,
    )

    moved = {part.key: (part.volume_minor, part.rate_minor) for part in found.parts}
    assert moved == {"east": (30_000, 0), "south": (-20_000, 0), "north": (0, 0)}


def test_a_third_of_a_cent_is_not_lost() -> None:
    found = change(
        Measure.COST,
        before=Figures(3, 0, 3),
        after=Figures(4, 0, 4),
        parts_before=groups({key: Figures(1, 0, 3) for key in "abc"}),
        parts_after=groups({"a": Figures(2, 0, 4), "b": Figures(1, 0, 4), "c": Figures(1, 0, 4)}),
        share_tickets=True,
    )

    assert (found.volume_minor, found.rate_minor) == (1, 0)


def test_where_nothing_moved_nothing_is_named() -> None:
    same = {"a": Figures(5, 9, 1)}
    found = change(
        Measure.MARGIN,
        before=whole(same),
        after=whole(same),
        parts_before=groups(same),
        parts_after=groups(same),
        share_tickets=False,
    )

    assert (found.delta_minor, found.mover) == (0, None)
