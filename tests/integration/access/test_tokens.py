"""API tokens on a real database: what they open, and when they stop."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders.access import (
    Company,
    actor,
    audit_actions,
    make_company,
    make_token,
    make_user,
    token_id,
)
from tests.fixtures.databases import Database
from ticket_console.access import actors, administration, tokens
from ticket_console.access.administration import NewGrant
from ticket_console.access.tables import ApiToken
from ticket_console.access.tokens import TokenNotFound
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import Forbidden, InvalidInput, Unauthenticated


@pytest.fixture
def company(database: Database) -> Company:
    return make_company()


@pytest.fixture
def console(company: Company) -> Actor:
    return system_actor(company.org_id)


def resolve(token: str, at: datetime) -> Actor:
    with reading() as connection:
        return tokens.resolve_token(connection, token=token, at=at)


def test_a_token_stands_for_the_organisation_with_what_is_written_on_it(
    company: Company, at: datetime
) -> None:
    token = make_token(company, "ticket.open", "ticket.view")

    caller = resolve(token, at)

    assert caller.kind is ActorKind.CHANNEL
    assert (caller.org_id, caller.user_id, caller.display) == (company.org_id, None, "shop")
    assert caller.permissions == {"ticket.open", "ticket.view"}
    assert audit_actions() == ["token.created"]


def test_a_token_shows_its_prefix_and_keeps_its_hash(company: Company, console: Actor, at: datetime) -> None:
    token = make_token(company)

    with reading() as connection:
        (kept,) = connection.execute(sa.select(table(ApiToken))).mappings().all()
        (view,) = tokens.tokens(connection, viewer=console)

    assert token.startswith("tc_")
    assert view.prefix == token[:10]
    assert token not in {str(value) for value in kept.values()}


def test_a_token_of_a_user_carries_the_grants_of_the_user(company: Company, at: datetime) -> None:
    user_id = make_user(company, "li", NewGrant(Role.DISPATCHER, Scope.REGION, company.north))

    caller = resolve(make_token(company, "ticket.view", user_id=user_id), at)

    regions = frozenset({company.north, company.harbour})
    assert caller.grants == (Grant(Role.DISPATCHER, Scope.REGION, regions),)
    assert caller.user_id == user_id


def test_a_token_of_a_disabled_user_opens_nothing(company: Company, console: Actor, at: datetime) -> None:
    user_id = make_user(company)
    token = make_token(company, user_id=user_id)

    administration.disable_user(actor=console, at=at, command_id="c1", user_id=user_id)

    with pytest.raises(Unauthenticated):
        resolve(token, at)


def test_a_revoked_token_opens_nothing(company: Company, console: Actor, at: datetime) -> None:
    token = make_token(company)

    for command_id in ("c1", "c2"):
        tokens.revoke_token(actor=console, at=at, command_id=command_id, token_id=token_id(token))

    with pytest.raises(Unauthenticated):
        resolve(token, at)
    assert audit_actions() == ["token.created", "token.revoked"]


def test_a_token_ends_at_its_hour(company: Company, console: Actor, at: datetime) -> None:
    end = at + timedelta(days=1)
    made = tokens.create_token(
        actor=console, at=at, command_id="c1", name="a day", permissions=["ticket.open"], expires_at=end
    )

    assert resolve(made.token, end - timedelta(microseconds=1)).display == "a day"
    with pytest.raises(Unauthenticated):
        resolve(made.token, end)


@pytest.mark.parametrize("token", ["", "tc_", "tc_" + "x" * 43, "\ud800", "nul \0"])
def test_a_token_nobody_made_opens_nothing(company: Company, at: datetime, token: str) -> None:
    with pytest.raises(Unauthenticated):
        resolve(token, at)


def test_nobody_writes_on_a_token_what_they_lack_themselves(company: Company, at: datetime) -> None:
    user_id = make_user(company, "boss", NewGrant(Role.MANAGER))
    with reading() as connection:
        boss = actors.load_actor(connection, user_id)

    with pytest.raises(InvalidInput) as refused:
        tokens.create_token(
            actor=boss,
            at=at,
            command_id="c1",
            name=" ",
            permissions=["ticket.open", "ticket.accept", "settlement.view_own"],
            expires_at=at,
        )

    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("permissions", "token.permission_not_yours"),
        ("permissions", "token.permission_not_yours"),
        ("name", "token.bad_name"),
        ("expires_at", "token.expires_in_the_past"),
    ]


def test_a_token_without_permissions_is_not_made(company: Company, console: Actor, at: datetime) -> None:
    with pytest.raises(InvalidInput):
        tokens.create_token(actor=console, at=at, command_id="c1", name="shop", permissions=[])


def test_only_those_who_manage_users_make_revoke_or_list_tokens(company: Company, at: datetime) -> None:
    token, agent = make_token(company), actor(Role.AGENT)

    with pytest.raises(Forbidden):
        tokens.create_token(actor=agent, at=at, command_id="c1", name="x", permissions=["ticket.open"])
    with pytest.raises(Forbidden):
        tokens.revoke_token(actor=agent, at=at, command_id="c2", token_id=token_id(token))
    with reading() as connection, pytest.raises(Forbidden):
        tokens.tokens(connection, viewer=agent)

    assert resolve(token, at).display == "shop"


def test_tokens_of_another_organisation_are_out_of_reach(company: Company, at: datetime) -> None:
    stranger = system_actor(make_company("elsewhere").org_id)
    token = make_token(company)

    with pytest.raises(TokenNotFound):
        tokens.revoke_token(actor=stranger, at=at, command_id="c1", token_id=token_id(token))
    with reading() as connection:
        assert tokens.tokens(connection, viewer=stranger) == ()

    assert resolve(token, at).display == "shop"
