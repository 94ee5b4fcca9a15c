"""What a viewer sees: never more than the matrix of roles and the node's own table give."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.access import actor, channel, customer
from ticket_console.access import policy, projection
from ticket_console.kernel.actor import Actor, Grant, Role, Scope, system_actor

FIELDS = (
    ("fault", "public"),
    ("diagnosis", "internal"),
    ("parts_price", "cost"),
    ("labour_cost", "cost"),
    ("amount_due", "settlement"),
)
SENSITIVITY = dict(FIELDS)
# Written down apart from the code, so that a change of either shows.
SEES: Mapping[Role, set[str]] = {
    Role.MANAGER: {"public", "internal", "cost", "settlement"},
    Role.DISPATCHER: {"public", "internal"},
    Role.TECHNICIAN: {"public", "internal"},
    Role.FINANCE: {"public", "settlement"},
    Role.AGENT: {"public", "internal"},
    Role.AUDITOR: {"public", "internal", "cost", "settlement"},
    Role.ACCOUNT_MANAGER: {"public", "internal"},
}


def test_a_service_agent_sees_no_cost_and_no_settlement() -> None:  # PRM-02
    values = {"fault": "E3", "diagnosis": "pump", "parts_price": 9900, "amount_due": 12000}
    access = projection.visible_fields(actor(Role.AGENT), FIELDS, {})

    assert projection.only_readable(values, access) == {"fault": "E3", "diagnosis": "pump"}


def test_the_workshop_head_sees_cost_only_while_the_ticket_stands_at_the_node() -> None:  # PRM-03
    head = actor(Role.DISPATCHER)
    workshop = {"dispatcher": {"parts_price": "read", "labour_cost": "read"}}

    before = projection.visible_fields(head, FIELDS, {})
    there = projection.visible_fields(head, FIELDS, workshop)
    after = projection.visible_fields(head, FIELDS, {"agent": {"parts_price": "read"}})

    assert before.read == {"fault", "diagnosis"}
    assert there.read == {"fault", "diagnosis", "parts_price", "labour_cost"}
    assert there.write == {"fault", "diagnosis"}
    assert after == before


def test_finance_sees_the_settlement_amount_of_all_the_money() -> None:  # PRM-04
    access = projection.visible_fields(actor(Role.FINANCE), FIELDS, {})

    assert access.read == {"fault", "amount_due"}


def test_a_node_can_take_a_field_away() -> None:  # PRM-01
    access = projection.visible_fields(
        actor(Role.TECHNICIAN), FIELDS, {"technician": {"diagnosis": "none", "fault": "read"}}
    )

    assert access == projection.FieldAccess(read=frozenset({"fault"}), write=frozenset())


def test_an_auditor_reads_everything_and_writes_nothing_even_if_a_node_says_so() -> None:
    access = projection.visible_fields(actor(Role.AUDITOR), FIELDS, {"auditor": {"fault": "write"}})

    assert access == projection.FieldAccess(read=frozenset(SENSITIVITY), write=frozenset())


def test_roles_add_up() -> None:
    access = projection.visible_fields(
        actor(Role.AGENT, Role.FINANCE), FIELDS, {"agent": {"amount_due": "none"}}
    )

    assert access.read == {"fault", "diagnosis", "amount_due"}


def test_standing_at_two_nodes_shows_what_either_shows() -> None:
    merged = projection.merged_grants(
        [
            {"agent": {"fault": "read", "parts_price": "none"}},
            {"agent": {"fault": "write", "parts_price": "read"}, "finance": {"fault": "none"}},
        ]
    )

    assert merged == {"agent": {"fault": "write", "parts_price": "read"}, "finance": {"fault": "none"}}


def test_nobody_sees_anything_without_a_role() -> None:
    assert projection.readable(actor()) == frozenset()
    assert projection.visible_fields(actor(), FIELDS, {}) == projection.FieldAccess(frozenset(), frozenset())


def test_a_customer_sees_the_public_fields() -> None:
    wang = customer()

    assert projection.readable(wang) == {"public"}
    assert projection.visible_fields(wang, FIELDS, {"agent": {"parts_price": "read"}}).read == {"fault"}


@pytest.mark.parametrize(
    ("script", "sees"),
    [
        (channel("ticket.open"), {"public"}),
        (channel("ticket.view"), {"public", "internal"}),
        (channel("ticket.view", "settlement.view"), {"public", "internal", "settlement"}),
        (channel("ticket.view", "money.view"), {"public", "internal", "cost", "settlement"}),
        (channel("ticket.view", "money.view", user_id=7, grants=(Role.FINANCE,)), {"public", "settlement"}),
        (channel("ticket.view", user_id=7, grants=(Role.MANAGER,)), {"public", "internal"}),
        (channel("ticket.view", "money.view", user_id=7), set()),
    ],
)
def test_a_token_sees_what_is_written_on_it_and_what_its_user_sees(script: Actor, sees: set[str]) -> None:
    assert projection.readable(script) == sees
    assert projection.visible_fields(script, FIELDS, {}).read == {
        key for key, sensitivity in FIELDS if sensitivity in sees
    }


def test_a_node_does_not_open_cost_to_a_token_that_may_not_see_money() -> None:
    script = channel("ticket.view", user_id=7, grants=(Role.DISPATCHER,))

    access = projection.visible_fields(script, FIELDS, {"dispatcher": {"parts_price": "read"}})

    assert access.read == {"fault", "diagnosis"}


def test_the_console_itself_reads_and_writes_every_field() -> None:
    access = projection.visible_fields(system_actor(1), FIELDS, {"agent": {"fault": "none"}})

    assert access.read == access.write == frozenset(SENSITIVITY)


def test_viewers_of_the_same_roles_share_a_visibility_class() -> None:
    one = actor(Role.AGENT)
    other = actor(Grant(Role.AGENT, Scope.REGION, frozenset({3})), locale="en")

    assert projection.visibility_class(one) == projection.visibility_class(other)
    assert projection.visibility_class(one) != projection.visibility_class(actor(Role.FINANCE))


def test_roles_that_hold_in_different_regions_make_a_class_of_their_own() -> None:
    mixed = actor(
        Grant(Role.AGENT, Scope.REGION, frozenset({3})), Grant(Role.FINANCE, Scope.REGION, frozenset({4}))
    )

    assert projection.visibility_class(mixed) != projection.visibility_class(actor(Role.AGENT, Role.FINANCE))


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812345678", "138****5678"),
        ("+86 138-1234-5678", "+86 1**-****-5678"),
        ("021-6543", "***-**43"),
        ("110", "**0"),
        ("", ""),
    ],
)
def test_a_masked_phone_keeps_its_ends(phone: str, masked: str) -> None:
    assert projection.mask_phone(phone) == masked


ROLE = st.sampled_from(list(Role))
LEVEL = st.sampled_from(["none", "read", "write"])
NODE = st.dictionaries(
    st.sampled_from([role.value for role in Role]),
    st.dictionaries(st.sampled_from(sorted(SENSITIVITY)), LEVEL, max_size=5),
    max_size=6,
)


@given(roles=st.sets(ROLE, max_size=3), node=NODE)
def test_the_fields_returned_are_those_of_the_matrix(
    roles: set[Role], node: Mapping[str, Mapping[str, str]]
) -> None:
    access = projection.visible_fields(actor(*sorted(roles)), FIELDS, node)

    def reads(role: Role, key: str) -> bool:
        granted = node.get(role.value, {}).get(key)
        return SENSITIVITY[key] in SEES[role] if granted is None else granted != "none"

    assert access.read == {key for key in SENSITIVITY if any(reads(role, key) for role in roles)}
    assert access.write <= access.read


@given(roles=st.sets(ROLE, max_size=3))
def test_away_from_any_node_a_viewer_reads_exactly_the_readable_sensitivities(roles: set[Role]) -> None:
    person = actor(*sorted(roles))
    access = projection.visible_fields(person, FIELDS, {})

    assert {SENSITIVITY[key] for key in access.read} == projection.readable(person)
    assert projection.readable(person) == set().union(*(SEES[role] for role in roles))


@given(
    permissions=st.sets(st.sampled_from(sorted(policy.ALL_PERMISSIONS))),
    roles=st.sets(ROLE, max_size=3),
    node=NODE,
)
def test_a_token_of_a_user_never_reads_more_than_the_user(
    permissions: set[str], roles: set[Role], node: Mapping[str, Mapping[str, str]]
) -> None:
    script = channel(*permissions, user_id=7, grants=tuple(sorted(roles)))
    person = actor(*sorted(roles))

    by_token = projection.visible_fields(script, FIELDS, node)
    by_person = projection.visible_fields(person, FIELDS, node)

    assert by_token.read <= by_person.read
    assert by_token.write <= by_person.write
    assert policy.permissions_of(script) <= policy.permissions_of(person)


@given(
    values=st.dictionaries(st.sampled_from([*SENSITIVITY, "unknown"]), st.integers()),
    roles=st.sets(ROLE, max_size=2),
    node=NODE,
)
def test_what_may_not_be_read_leaves_no_key_behind(
    values: Mapping[str, int], roles: set[Role], node: Mapping[str, Mapping[str, str]]
) -> None:
    access = projection.visible_fields(actor(*sorted(roles)), FIELDS, node)

    shown = projection.only_readable(values, access)

    assert shown == {key: value for key, value in values.items() if key in access.read}
