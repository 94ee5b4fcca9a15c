"""Managing users: what is made, refused and left as a trace."""

from datetime import datetime

import pytest
import sqlalchemy as sa

from tests.builders.access import PASSWORD, Company, actor, audit_actions, make_company, make_user
from tests.fixtures.databases import Database
from ticket_console.access import actors, administration, audit, sessions
from ticket_console.access.actors import UserNotFound
from ticket_console.access.administration import (
    GrantNotFound,
    LoginTaken,
    NewGrant,
    NewUser,
    OwnAccount,
)
from ticket_console.access.tables import RoleGrant, UserAccount
from ticket_console.kernel.actor import Actor, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden, InvalidInput, Unauthenticated


@pytest.fixture
def company(database: Database) -> Company:
    return make_company()


@pytest.fixture
def console(company: Company) -> Actor:
    return system_actor(company.org_id)


def count(model: type[UserAccount] | type[RoleGrant]) -> int:
    with reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table(model))).scalar_one()


def test_a_user_is_made_with_grants_and_a_trace(company: Company, console: Actor, at: datetime) -> None:
    user_id = administration.create_user(
        actor=console,
        at=at,
        command_id="c1",
        user=NewUser(
            " Marketing ",
            "唐一诺",
            PASSWORD,
            "en",
            (NewGrant(Role.AGENT, Scope.REGION, company.china, frozenset({"consult"})),),
        ),
    )

    with reading() as connection:
        made = actors.actor_by_login(connection, "marketing")
    everywhere = frozenset({company.china, company.north, company.south, company.harbour})
    assert (made.user_id, made.display, made.locale) == (user_id, "唐一诺", "en")
    assert made.grants == (Grant(Role.AGENT, Scope.REGION, everywhere, frozenset({"consult"})),)
    assert audit_actions() == ["user.created", "user.granted"]


def test_regions_that_form_a_ring_end(company: Company, at: datetime) -> None:
    make_user(company, "li", NewGrant(Role.AGENT, Scope.REGION, company.harbour))
    with transaction() as connection:
        connection.execute(
            sa.text("UPDATE region SET parent_id = :harbour WHERE id = :north"),
            {"harbour": company.harbour, "north": company.north},
        )

    with reading() as connection:
        made = actors.actor_by_login(connection, "li")

    assert made.grants[0].region_ids == {company.harbour, company.north}


def test_several_users_are_made_all_or_none(company: Company, console: Actor, at: datetime) -> None:
    make_user(company, "li")

    with pytest.raises(LoginTaken) as refused:
        administration.create_users(
            actor=console,
            at=at,
            command_id="c1",
            users=(NewUser("wu", "Wu", PASSWORD), NewUser("LI", "Li", PASSWORD)),
        )

    assert refused.value.params == {"login": "li"}
    assert count(UserAccount) == 1


def test_everything_wrong_with_a_new_user_is_named(company: Company, console: Actor, at: datetime) -> None:
    user = NewUser(
        "a\0b",
        " ",
        "short",
        "fr",
        (NewGrant(Role.AGENT, Scope.REGION), NewGrant(Role.AGENT, Scope.ORG, company.north)),
    )

    with pytest.raises(InvalidInput) as refused:
        administration.create_user(actor=console, at=at, command_id="c1", user=user)

    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("password", "user.password_too_short"),
        ("login", "user.bad_login"),
        ("display_name", "user.bad_name"),
        ("locale", "input.not_allowed"),
        ("grants[0].region_id", "user.region_missing"),
        ("grants[1].region_id", "user.region_without_scope"),
    ]
    assert count(UserAccount) == 0


def test_a_region_of_another_organisation_cannot_be_granted(
    company: Company, console: Actor, at: datetime
) -> None:
    other = make_company("elsewhere")
    user_id = make_user(company)

    with pytest.raises(InvalidInput):
        administration.grant(
            actor=console,
            at=at,
            command_id="c1",
            user_id=user_id,
            grant=NewGrant(Role.MANAGER, Scope.REGION, other.north),
        )

    assert count(RoleGrant) == 1


def test_users_of_another_organisation_are_out_of_reach(company: Company, at: datetime) -> None:
    stranger = system_actor(make_company("elsewhere").org_id)
    user_id = make_user(company)
    with reading() as connection:
        grant_id = connection.execute(sa.select(table(RoleGrant).c.id)).scalar_one()

    with pytest.raises(UserNotFound):
        administration.disable_user(actor=stranger, at=at, command_id="c1", user_id=user_id)
    with pytest.raises(UserNotFound):
        administration.reset_password(
            actor=stranger, at=at, command_id="c2", user_id=user_id, password="another one"
        )
    with pytest.raises(UserNotFound):
        administration.grant(
            actor=stranger, at=at, command_id="c3", user_id=user_id, grant=NewGrant(Role.AGENT)
        )
    with pytest.raises(GrantNotFound):
        administration.withdraw(actor=stranger, at=at, command_id="c4", grant_id=grant_id)

    assert audit_actions() == ["user.created", "user.granted"]


@pytest.mark.parametrize(
    "somebody",
    [
        pytest.param(actor(Role.DISPATCHER), id="without the permission"),
        pytest.param(actor(Grant(Role.MANAGER, Scope.REGION, frozenset({1}))), id="in one region only"),
    ],
)
def test_only_managers_of_the_whole_organisation_manage_users(
    company: Company, at: datetime, somebody: Actor
) -> None:
    user_id = make_user(company)

    with pytest.raises(Forbidden):
        administration.create_user(actor=somebody, at=at, command_id="c1", user=NewUser("wu", "Wu", PASSWORD))
    with pytest.raises(Forbidden):
        administration.grant(
            actor=somebody, at=at, command_id="c2", user_id=user_id, grant=NewGrant(Role.MANAGER)
        )
    with pytest.raises(Forbidden):
        administration.disable_user(actor=somebody, at=at, command_id="c3", user_id=user_id)
    with pytest.raises(Forbidden):
        administration.enable_user(actor=somebody, at=at, command_id="c4", user_id=user_id)
    with pytest.raises(Forbidden):
        administration.reset_password(
            actor=somebody, at=at, command_id="c5", user_id=user_id, password="another one"
        )
    with pytest.raises(Forbidden):
        administration.withdraw(actor=somebody, at=at, command_id="c6", grant_id=1)

    assert audit_actions() == ["user.created", "user.granted"]


def test_a_manager_can_neither_disable_nor_strip_themselves(company: Company, at: datetime) -> None:
    user_id = make_user(company, "boss", NewGrant(Role.MANAGER))
    with reading() as connection:
        boss = actors.load_actor(connection, user_id)
        grant_id = connection.execute(sa.select(table(RoleGrant).c.id)).scalar_one()

    with pytest.raises(OwnAccount):
        administration.disable_user(actor=boss, at=at, command_id="c1", user_id=user_id)
    with pytest.raises(OwnAccount):
        administration.withdraw(actor=boss, at=at, command_id="c2", grant_id=grant_id)

    with reading() as connection:
        assert actors.load_actor(connection, user_id) == boss


def test_a_new_password_ends_every_session_and_lifts_a_lock(
    company: Company, console: Actor, at: datetime
) -> None:
    user_id = make_user(company)
    session = sessions.log_in(login="li", password=PASSWORD, at=at, user_agent="", address="192.0.2.8")

    administration.reset_password(
        actor=console, at=at, command_id="c1", user_id=user_id, password="another one"
    )

    with pytest.raises(Unauthenticated):
        sessions.resolve(token=session.token, at=at)
    again = sessions.log_in(login="li", password="another one", at=at, user_agent="", address="192.0.2.8")
    assert again.actor.user_id == user_id


def test_the_trail_is_read_by_those_who_audit_the_whole_organisation(
    company: Company, console: Actor, at: datetime
) -> None:  # PRM-07
    user_id = make_user(company, "audit", NewGrant(Role.AUDITOR))
    make_user(make_company("elsewhere"), "stranger")
    administration.disable_user(actor=console, at=at, command_id="c1", user_id=make_user(company, "li"))

    with reading() as connection:
        auditor = actors.load_actor(connection, user_id)
        newest, *older = audit.entries(connection, viewer=auditor)
        page = audit.entries(connection, viewer=auditor, limit=2, before_id=newest.id)
        with pytest.raises(Forbidden):
            audit.entries(connection, viewer=actor(Role.DISPATCHER))

    assert (newest.action, newest.actor, newest.at) == ("user.disabled", "system", at)
    assert [each.action for each in older] == ["user.granted", "user.created"] * 2
    assert list(page) == older[:2]


def test_a_disabled_user_cannot_be_acted_for(company: Company, console: Actor, at: datetime) -> None:
    user_id = make_user(company)
    administration.disable_user(actor=console, at=at, command_id="c1", user_id=user_id)

    with reading() as connection:
        with pytest.raises(UserNotFound):
            actors.load_actor(connection, user_id)
        with pytest.raises(UserNotFound):
            actors.actor_by_login(connection, "li")
