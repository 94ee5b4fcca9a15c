"""The navigation leads everywhere it says, in words, and no two places share their keys."""

from collections import Counter

from ticket_console.access.policy import ALL_PERMISSIONS
from ticket_console.components.shell import NEW_TICKET, PLACES
from ticket_console.i18n import catalog
from ticket_console.kernel.actor import Role
from ticket_console.kernel.text import LOCALES
from ticket_console.pages import every_page

EVERYWHERE = (*PLACES, NEW_TICKET)


def test_every_place_is_a_page() -> None:
    assert {place.href for place in EVERYWHERE} <= {page.route for page in every_page()}


def test_every_place_belongs_to_a_permission_or_a_role_that_there_is() -> None:
    for place in EVERYWHERE:
        assert place.permission in ALL_PERMISSIONS or place.role in set(Role), place.key


def test_every_place_and_group_has_a_name_in_both_languages() -> None:
    names = {place.label for place in EVERYWHERE}
    names |= {f"nav.group.{place.group}" for place in PLACES if place.group}
    for locale in LOCALES:
        assert names <= catalog(locale).keys()


def test_no_two_places_share_a_name_or_the_keys_that_lead_to_them() -> None:
    counted = Counter(place.key for place in EVERYWHERE) + Counter(place.keys for place in EVERYWHERE)
    assert [each for each, times in counted.items() if times > 1] == []


def test_the_places_of_a_group_stand_together() -> None:
    groups = [place.group for place in PLACES]
    changes = [group for group, before in zip(groups, [None, *groups], strict=False) if group != before]
    assert len(changes) == len(set(changes))
    assert changes[0] == ""
