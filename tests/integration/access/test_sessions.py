"""Log-ins on a real database: who gets in, for how long, and how it ends."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from tests.builders.access import PASSWORD, Company, audit_actions, make_company, make_user
from tests.fixtures.databases import Database
from ticket_console.access import administration, passwords, sessions, throttle
from ticket_console.access.administration import NewGrant
from ticket_console.access.sessions import LogInFailed, NewSession
from ticket_console.access.tables import UserAccount, UserSession
from ticket_console.kernel.actor import Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import RateLimited, Unauthenticated

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def company(database: Database) -> Iterator[Company]:
    throttle.forget()
    yield make_company()
    throttle.forget()


def log_in(
    at: datetime, login: str = "li", password: str = PASSWORD, address: str = "192.0.2.7"
) -> NewSession:
    return sessions.log_in(login=login, password=password, at=at, user_agent="Firefox", address=address)


def fail(at: datetime, times: int = 1, login: str = "li") -> None:
    for number in range(times):
        throttle.forget()
        with pytest.raises(LogInFailed):
            log_in(at, login, password=f"wrong {number}")


def account() -> sa.Row[tuple[int, datetime | None, str]]:
    users = table(UserAccount)
    with reading() as connection:
        return connection.execute(
            sa.select(users.c.failed_logins, users.c.locked_until, users.c.password_hash)
        ).one()


def kept_sessions() -> list[sa.Row[tuple[str, datetime, datetime | None]]]:
    rows = table(UserSession)
    with reading() as connection:
        return list(
            connection.execute(
                sa.select(rows.c.token_hash, rows.c.expires_at, rows.c.ended_at).order_by(rows.c.id)
            )
        )


def test_the_right_password_opens_a_session_that_knows_the_user(company: Company, at: datetime) -> None:
    user_id = make_user(
        company, "li", NewGrant(Role.DISPATCHER, Scope.REGION, company.north), NewGrant(Role.AGENT)
    )

    session = log_in(at, login=" Li ")
    actor = sessions.resolve(token=session.token, at=at)

    assert actor == session.actor
    assert (actor.user_id, actor.org_id, actor.display, actor.locale) == (user_id, company.org_id, "Li", "zh")
    assert actor.grants == (
        Grant(Role.DISPATCHER, Scope.REGION, frozenset({company.north, company.harbour})),
        Grant(Role.AGENT, Scope.ORG),
    )
    assert session.expires_at == at + 12 * HOUR


def test_only_the_hash_of_a_session_is_kept(company: Company, at: datetime) -> None:
    make_user(company)

    session = log_in(at)

    (kept,) = kept_sessions()
    assert len(session.token) == 43
    assert session.token not in kept.token_hash


def test_every_log_in_gets_a_token_of_its_own(company: Company, at: datetime) -> None:
    make_user(company)

    assert log_in(at).token != log_in(at).token


@pytest.mark.parametrize("token", ["", "x" * 43, "\ud800", "' OR 1=1 --"])
def test_a_token_nobody_was_given_opens_nothing(company: Company, at: datetime, token: str) -> None:
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=token, at=at)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("nobody", PASSWORD),
        ("li", "wrong"),
        ("gone", PASSWORD),
        ("", ""),
        ("li\0", PASSWORD),
        ("x" * 70_000, PASSWORD),
    ],
)
def test_unknown_wrong_and_disabled_are_refused_in_the_same_words(
    company: Company, at: datetime, login: str, password: str
) -> None:
    make_user(company, "li")
    gone = make_user(company, "gone")
    administration.disable_user(actor=system_actor(company.org_id), at=at, command_id="disable", user_id=gone)

    with pytest.raises(LogInFailed) as refused:
        log_in(at, login, password)

    assert (refused.value.code, refused.value.params) == ("access.log_in_failed", {})
    assert kept_sessions() == []


def test_the_fifth_wrong_password_locks_the_account_for_a_minute(company: Company, at: datetime) -> None:
    make_user(company)
    fail(at, times=4)
    assert account().locked_until is None

    fail(at)

    assert (account().failed_logins, account().locked_until) == (5, at + MINUTE)
    with pytest.raises(LogInFailed):
        log_in(at + MINUTE - timedelta(seconds=1))
    assert log_in(at + MINUTE).actor.display == "Li"
    assert (account().failed_logins, account().locked_until) == (0, None)


def test_each_further_failure_doubles_the_lock_up_to_an_hour(company: Company, at: datetime) -> None:
    make_user(company)
    fail(at, times=5)
    fail(at + MINUTE)

    assert account().locked_until == at + 3 * MINUTE
    assert sessions.lock_until(7, at) == at + 4 * MINUTE
    assert sessions.lock_until(10, at) == at + 32 * MINUTE
    assert sessions.lock_until(11, at) == at + HOUR
    assert sessions.lock_until(9_999, at) == at + HOUR


def test_guesses_during_a_lock_do_not_prolong_it(company: Company, at: datetime) -> None:
    make_user(company)
    fail(at, times=5)

    fail(at + timedelta(seconds=30), times=3)

    assert (account().failed_logins, account().locked_until) == (5, at + MINUTE)


def test_failures_and_locks_leave_a_trace(company: Company, at: datetime) -> None:  # PRM-07
    make_user(company)

    fail(at, times=5)

    assert audit_actions()[2:] == ["session.refused"] * 4 + ["session.locked"]


def test_a_name_is_limited_to_ten_wrong_passwords_a_minute_whether_it_exists_or_not(
    company: Company, at: datetime
) -> None:
    for number in range(10):
        with pytest.raises(LogInFailed):
            log_in(at, login="nobody", address=f"192.0.2.{number}")

    with pytest.raises(RateLimited) as refused:
        log_in(at, login="NOBODY ", address="192.0.2.99")

    assert 1 <= int(str(refused.value.params["retry_after"])) <= 60


def test_an_address_is_limited_to_thirty_wrong_passwords_a_minute(company: Company, at: datetime) -> None:
    make_user(company)
    for number in range(30):
        with pytest.raises(LogInFailed):
            log_in(at, login=f"guess-{number}")

    with pytest.raises(RateLimited):
        log_in(at)
    assert log_in(at, address="192.0.2.99").actor.display == "Li"


def test_right_passwords_are_not_limited(company: Company, at: datetime) -> None:
    make_user(company)

    assert len({log_in(at).token for _ in range(12)}) == 12


def test_a_session_ends_after_its_hours_without_use(company: Company, at: datetime) -> None:
    make_user(company)
    token = log_in(at).token

    assert sessions.resolve(token=token, at=at + MINUTE).display == "Li"
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=token, at=at + 12 * HOUR)


def test_use_prolongs_a_session(company: Company, at: datetime) -> None:
    make_user(company)
    token = log_in(at).token

    sessions.resolve(token=token, at=at + 11 * HOUR)

    assert kept_sessions()[0].expires_at == at + 23 * HOUR
    assert sessions.resolve(token=token, at=at + 22 * HOUR).display == "Li"


def test_no_use_prolongs_a_session_beyond_fourteen_lengths(company: Company, at: datetime) -> None:
    make_user(company)
    token = log_in(at).token
    for half_day in range(1, 17):
        sessions.resolve(token=token, at=at + half_day * 10 * HOUR)

    assert kept_sessions()[0].expires_at == at + 168 * HOUR
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=token, at=at + 168 * HOUR)


def test_frequent_use_is_not_written_down_each_time(company: Company, at: datetime) -> None:
    make_user(company)
    token = log_in(at).token

    sessions.resolve(token=token, at=at + 4 * MINUTE)

    assert kept_sessions()[0].expires_at == at + 12 * HOUR


def test_a_disabled_user_is_cut_off_at_once(company: Company, at: datetime) -> None:
    user_id = make_user(company)
    session = log_in(at)

    administration.disable_user(
        actor=system_actor(company.org_id), at=at, command_id="disable", user_id=user_id
    )

    with pytest.raises(Unauthenticated):
        sessions.resolve(token=session.token, at=at)


def test_of_many_watchers_those_who_may_stay_are_told_in_one_look(company: Company, at: datetime) -> None:
    gone = make_user(company, "gone")
    make_user(company, "li")
    watchers = {name: log_in(at, login=name).actor.session_id or 0 for name in ("gone", "li")}
    left = log_in(at)
    sessions.log_out(token=left.token, at=at)
    administration.disable_user(actor=system_actor(company.org_id), at=at, command_id="disable", user_id=gone)

    with reading() as connection:
        asked = [*watchers.values(), left.actor.session_id or 0, 999_999]
        assert sessions.live(connection, session_ids=asked, at=at) == {watchers["li"]}
        assert sessions.live(connection, session_ids=asked, at=at + 12 * HOUR) == frozenset()
        assert sessions.live(connection, session_ids=[], at=at) == frozenset()


def test_enabling_a_user_again_does_not_bring_old_sessions_back(company: Company, at: datetime) -> None:
    user_id = make_user(company)
    token = log_in(at).token
    console = system_actor(company.org_id)

    administration.disable_user(actor=console, at=at, command_id="disable", user_id=user_id)
    administration.enable_user(actor=console, at=at, command_id="enable", user_id=user_id)

    with pytest.raises(Unauthenticated):
        sessions.resolve(token=token, at=at)
    assert log_in(at).actor.user_id == user_id


def test_a_user_disabled_behind_our_back_is_cut_off_too(company: Company, at: datetime) -> None:
    make_user(company)
    token = log_in(at).token

    with transaction() as connection:
        connection.execute(sa.update(table(UserAccount)).values(is_enabled=False))

    with pytest.raises(Unauthenticated):
        sessions.resolve(token=token, at=at)


def test_a_grant_given_or_withdrawn_counts_with_the_next_event(company: Company, at: datetime) -> None:
    user_id = make_user(company)
    console = system_actor(company.org_id)
    token = log_in(at).token

    grant_id = administration.grant(
        actor=console, at=at, command_id="grant", user_id=user_id, grant=NewGrant(Role.FINANCE)
    )
    with_it = sessions.resolve(token=token, at=at).roles
    administration.withdraw(actor=console, at=at, command_id="withdraw", grant_id=grant_id)

    assert with_it == {Role.DISPATCHER, Role.FINANCE}
    assert sessions.resolve(token=token, at=at).roles == {Role.DISPATCHER}


def test_logging_out_ends_one_session(company: Company, at: datetime) -> None:
    make_user(company)
    here, there = log_in(at).token, log_in(at).token

    sessions.log_out(token=here, at=at)
    sessions.log_out(token=here, at=at)

    with pytest.raises(Unauthenticated):
        sessions.resolve(token=here, at=at)
    assert sessions.resolve(token=there, at=at).display == "Li"
    assert audit_actions()[-1] == "session.ended"


def test_logging_out_everywhere_ends_every_session_of_the_user_and_of_nobody_else(
    company: Company, at: datetime
) -> None:
    make_user(company, "li")
    make_user(company, "wu")
    here, there, other = log_in(at), log_in(at), log_in(at, "wu")

    ended = sessions.log_out_everywhere(actor=here.actor, at=at)

    assert ended == 2
    for session in (here, there):
        with pytest.raises(Unauthenticated):
            sessions.resolve(token=session.token, at=at)
    assert sessions.resolve(token=other.token, at=at).display == "Wu"


def test_a_session_that_ended_meanwhile_is_not_prolonged(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(company)
    session = log_in(at)
    later = at + HOUR
    mark_seen = sessions._mark_seen

    def end_it_first(row: object, seen_at: datetime) -> None:
        sessions.log_out_everywhere(actor=session.actor, at=later)
        mark_seen(row, seen_at)

    monkeypatch.setattr(sessions, "_mark_seen", end_it_first)
    sessions.resolve(token=session.token, at=later)

    assert kept_sessions()[0].ended_at == later
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=session.token, at=later)


def test_a_password_changed_while_it_was_checked_opens_nothing(
    company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = make_user(company)
    matches = passwords.matches

    def change_it_meanwhile(password: str, password_hash: str) -> bool:
        administration.reset_password(
            actor=system_actor(company.org_id),
            at=at,
            command_id="reset",
            user_id=user_id,
            password="another one",
        )
        return matches(password, password_hash)

    monkeypatch.setattr(passwords, "matches", change_it_meanwhile)
    with pytest.raises(LogInFailed):
        log_in(at)

    assert kept_sessions() == []


def test_an_outdated_hash_is_made_anew_at_log_in(company: Company, at: datetime) -> None:
    make_user(company)
    older = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    with transaction() as connection:
        connection.execute(sa.update(table(UserAccount)).values(password_hash=older))

    log_in(at)

    assert not passwords.is_outdated(account().password_hash)
    assert log_in(at).actor.display == "Li"
