"""Who may do what, where: every permission of every role is a row, every scope is tried from both sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.access import actor, channel, customer
from ticket_console.access import policy
from ticket_console.access.policy import EVERYTHING, NOTHING, RowScope, ScopePart
from ticket_console.kernel.actor import Grant, Role, Scope, system_actor
from ticket_console.kernel.errors import Forbidden

NORTH, SOUTH, HARBOUR = 1, 2, 3

ROLES = "MDTFAUC"  # manager, dispatcher, technician, finance, agent, auditor, account manager
MATRIX = {
    "board.view": "MD FAUC",
    "dashboard.view": "MD FAUC",
    "ticket.view": "MDTFAUC",
    "ticket.open": "MD  A C",
    "ticket.act": "MDTFA C",
    "ticket.assign": "MD     ",
    "ticket.adjust": "MD     ",
    "board.order": "MD     ",
    "board.override": "MD     ",
    "board.share": "MD     ",
    "board.limit": "M      ",
    "dispatch.manage": "M      ",
    "position.view": "MD     ",
    "roster.manage": "MD     ",
    "shift.hand_over": "MDT    ",
    "ticket.cancel": "MD  A  ",
    "ticket.comment": "MDTFA C",
    "ticket.attach": "MDTFA C",
    "money.view": "M  F U ",
    "settlement.view": "M  F U ",
    "settlement.view_own": "  T    ",
    "settlement.issue": "M  F   ",
    "settlement.correct": "M  F   ",
    "settlement.respond": "M TF   ",
    "settlement.pay": "M  F   ",
    "period.close": "M  F   ",
    "intake.view": "MD  AU ",
    "intake.import": "M   A  ",
    "template.manage": "M      ",
    "flow.manage": "M      ",
    "rules.manage": "M      ",
    "user.manage": "M      ",
    "audit.view": "M    U ",
}
ROWS = [
    pytest.param(role, permission, letter in MATRIX[permission], id=f"{role}-{permission}")
    for permission in MATRIX
    for role, letter in zip(Role, ROLES, strict=True)
]


def org(role: Role, *classes: str) -> Grant:
    return Grant(role, Scope.ORG, ticket_classes=frozenset(classes))


def region(role: Role, *region_ids: int, classes: tuple[str, ...] = ()) -> Grant:
    return Grant(role, Scope.REGION, frozenset(region_ids), frozenset(classes))


def own(role: Role) -> Grant:
    return Grant(role, Scope.OWN)


@pytest.mark.parametrize(("role", "permission", "allowed"), ROWS)
def test_each_role_has_exactly_the_permissions_of_the_table(
    role: Role, permission: str, allowed: bool
) -> None:
    assert policy.allows(actor(org(role)), permission) is allowed


def test_the_table_names_every_permission_there_is() -> None:
    assert frozenset(MATRIX) == policy.ALL_PERMISSIONS


def test_a_refusal_names_the_permission() -> None:
    with pytest.raises(Forbidden) as refused:
        policy.require(actor(org(Role.AGENT)), "period.close")

    assert refused.value.params == {"permission": "period.close"}


def test_somebody_without_grants_may_do_nothing() -> None:
    nobody = actor()

    assert policy.permissions_of(nobody) == frozenset()
    assert [each for each in policy.ALL_PERMISSIONS if policy.allows(nobody, each)] == []
    assert policy.row_scope(nobody, "ticket.view") == NOTHING


@pytest.mark.parametrize(
    ("grant", "region_id", "ticket_class", "is_own", "allowed"),
    [
        (org(Role.DISPATCHER), NORTH, "repair", False, True),
        (org(Role.DISPATCHER), None, "repair", False, True),
        (org(Role.DISPATCHER, "consult"), NORTH, "consult", False, True),
        (org(Role.DISPATCHER, "consult"), NORTH, "repair", False, False),  # PRM-05
        (region(Role.DISPATCHER, NORTH, HARBOUR), HARBOUR, "repair", False, True),
        (region(Role.DISPATCHER, NORTH, HARBOUR), SOUTH, "repair", False, False),
        (region(Role.DISPATCHER, NORTH), None, "repair", False, False),
        (region(Role.DISPATCHER, NORTH, classes=("consult",)), NORTH, "repair", True, False),
        (region(Role.DISPATCHER), NORTH, "repair", False, False),
        (own(Role.TECHNICIAN), NORTH, "repair", False, False),
        (own(Role.TECHNICIAN), NORTH, "repair", True, True),
        (own(Role.TECHNICIAN), None, "repair", True, True),
    ],
)
def test_a_grant_reaches_the_rows_of_its_scope_only(
    grant: Grant, region_id: int | None, ticket_class: str, is_own: bool, allowed: bool
) -> None:
    asked = policy.allows(
        actor(grant), "ticket.act", region_id=region_id, ticket_class=ticket_class, is_own=is_own
    )

    assert asked is allowed


def test_without_a_row_the_question_is_whether_the_permission_is_held_anywhere() -> None:
    assert policy.allows(actor(own(Role.TECHNICIAN)), "ticket.act")
    assert policy.allows(actor(region(Role.DISPATCHER, NORTH)), "board.view")


def test_a_permission_in_one_region_and_a_role_in_another_do_not_mix() -> None:
    both = actor(region(Role.FINANCE, NORTH), region(Role.DISPATCHER, SOUTH))

    assert policy.allows(both, "settlement.view", region_id=NORTH)
    assert not policy.allows(both, "settlement.view", region_id=SOUTH)
    assert policy.over_row(both, region_id=SOUTH, ticket_class="repair").roles == {Role.DISPATCHER}


def test_the_rows_of_several_grants_are_their_union() -> None:
    scope = policy.row_scope(
        actor(
            region(Role.DISPATCHER, NORTH, classes=("repair",)),
            org(Role.AGENT, "consult"),
            own(Role.TECHNICIAN),
        ),
        "ticket.view",
    )

    assert scope == RowScope(
        (
            ScopePart(frozenset({NORTH}), frozenset({"repair"})),
            ScopePart(None, frozenset({"consult"})),
            ScopePart(own=True),
        )
    )
    assert not scope.everything
    assert (scope.region_ids, scope.ticket_classes, scope.own) == ({NORTH}, {"repair", "consult"}, True)


def test_a_grant_over_the_organisation_swallows_narrower_ones() -> None:
    scope = policy.row_scope(
        actor(region(Role.DISPATCHER, NORTH), org(Role.AGENT), own(Role.TECHNICIAN)), "ticket.view"
    )

    assert scope == EVERYTHING
    assert scope.everything


def test_grants_that_lack_the_permission_add_no_rows() -> None:
    scope = policy.row_scope(actor(org(Role.DISPATCHER), region(Role.FINANCE, NORTH)), "settlement.view")

    assert scope == RowScope((ScopePart(frozenset({NORTH})),))


def test_a_region_grant_without_regions_reaches_no_row() -> None:
    scope = policy.row_scope(actor(region(Role.DISPATCHER)), "ticket.view")

    assert scope.parts == (ScopePart(frozenset()),)
    assert not scope.everything


def test_the_console_itself_may_do_everything() -> None:
    console = system_actor(1)

    assert policy.allows(console, "period.close", region_id=SOUTH, ticket_class="repair")
    assert policy.row_scope(console, "ticket.view") == EVERYTHING


def test_a_customer_with_a_link_may_track_and_accept_and_nothing_else() -> None:
    wang, stranger = customer(), customer(ticket_id=None)

    assert policy.permissions_of(wang) == {"ticket.track", "ticket.accept"}
    assert policy.allows(wang, "ticket.accept")
    assert [each for each in policy.ALL_PERMISSIONS if policy.allows(wang, each)] == []
    assert not policy.allows(stranger, "ticket.track")
    assert policy.row_scope(wang, "ticket.view") == NOTHING


def test_a_token_of_the_organisation_may_do_what_is_written_on_it() -> None:
    shop = channel("ticket.open")

    assert policy.allows(shop, "ticket.open", region_id=SOUTH, ticket_class="repair")
    assert not policy.allows(shop, "ticket.view")
    assert policy.permissions_of(shop) == {"ticket.open"}
    assert policy.row_scope(shop, "ticket.view") == NOTHING
    assert policy.row_scope(shop, "ticket.open") == EVERYTHING


def test_a_token_of_a_user_never_reaches_further_than_the_user() -> None:
    script = channel("ticket.view", "period.close", user_id=7, grants=(region(Role.DISPATCHER, NORTH),))

    assert policy.permissions_of(script) == {"ticket.view"}
    assert not policy.allows(script, "period.close")
    assert not policy.allows(script, "board.view")
    assert policy.allows(script, "ticket.view", region_id=NORTH)
    assert not policy.allows(script, "ticket.view", region_id=SOUTH)
    assert policy.row_scope(script, "ticket.view") == RowScope((ScopePart(frozenset({NORTH})),))


def test_what_belongs_to_no_region_asks_for_the_permission_everywhere() -> None:
    policy.require_everywhere(actor(org(Role.MANAGER)), "user.manage")

    for narrower in (region(Role.MANAGER, NORTH), org(Role.MANAGER, "consult"), org(Role.AUDITOR)):
        with pytest.raises(Forbidden):
            policy.require_everywhere(actor(narrower), "user.manage")


GRANT = st.builds(
    Grant,
    role=st.sampled_from(list(Role)),
    scope=st.sampled_from(list(Scope)),
    region_ids=st.frozensets(st.sampled_from([NORTH, SOUTH, HARBOUR]), max_size=2),
    ticket_classes=st.frozensets(st.sampled_from(["repair", "consult"]), max_size=2),
)


@given(
    grants=st.lists(GRANT, max_size=4),
    permission=st.sampled_from(sorted(policy.ALL_PERMISSIONS)),
    region_id=st.sampled_from([None, NORTH, SOUTH, HARBOUR]),
    ticket_class=st.sampled_from(["repair", "consult", "install"]),
    is_own=st.booleans(),
)
def test_a_list_holds_exactly_the_rows_that_may_be_opened_one_by_one(
    grants: list[Grant], permission: str, region_id: int | None, ticket_class: str, is_own: bool
) -> None:  # PRM-05
    somebody = actor(*grants)

    listed = any(
        (part.region_ids is None or region_id in part.region_ids)
        and (part.ticket_classes is None or ticket_class in part.ticket_classes)
        and (is_own or not part.own)
        for part in policy.row_scope(somebody, permission).parts
    )

    assert listed == policy.allows(
        somebody, permission, region_id=region_id, ticket_class=ticket_class, is_own=is_own
    )
    assert listed == policy.allows(
        policy.over_row(somebody, region_id=region_id, ticket_class=ticket_class, is_own=is_own), permission
    )
