"""Every issued statement is signed by its organisation's key, and its files verify offline."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders.settlement import SETTLED, Company, facts_of, open_company, settle
from tests.fixtures.databases import Database
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.settings import settings
from ticket_console.settlement import documents, exports, payees, signatures, statements, verifying
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.kinds import StatementState
from ticket_console.settlement.signatures import SigningKeySealed
from ticket_console.settlement.tables import Journal, Period, SigningKey, Statement, StatementSignature


@pytest.fixture
def company(database: Database) -> Company:
    company = open_company()
    settle(company, facts_of(company))
    settle(company, facts_of(company, service_type="repair"))
    return company


def drafted(company: Company) -> statements.StatementView:
    with transaction() as conn:
        period_id = conn.execute(sa.select(table(Period).c.id)).scalar_one()
        return statements.draft(
            conn,
            actor=company.actor(),
            payee=payees.technician(company.anna),
            period_id=period_id,
            command_id="draft",
        )


def issued(company: Company, draft: statements.StatementView | None = None) -> StatementDocument:
    draft = draft or drafted(company)
    with transaction() as conn:
        statements.issue(
            conn,
            actor=company.actor(),
            at=SETTLED + timedelta(days=1),
            statement_id=draft.id,
            expected_version=draft.version,
            command_id=f"issue:{draft.id}",
        )
    return document(company, draft.id)


def document(company: Company, statement_id: int) -> StatementDocument:
    with reading() as conn:
        return documents.document(conn, viewer=company.actor(), statement_id=statement_id)


def keys(company: Company) -> list[str]:
    with reading() as conn:
        return [key.public_key for key in signatures.keys(conn, org_id=company.org_id)]


def test_the_files_of_an_issued_statement_are_genuine(company: Company) -> None:  # moonshot 20
    statement = issued(company)

    (key,) = keys(company)
    for verdict in (
        verifying.verify_json(exports.statement_json(statement), public_key=key),
        verifying.verify_xlsx(exports.statement_xlsx(statement, locale="zh"), public_key=key),
        verifying.verify_csv(
            exports.statement_csv(statement, locale="en"), exports.statement_sig(statement), public_key=key
        ),
    ):
        assert verdict.problems == ()
        assert (verdict.head["total_minor"], verdict.head["line_count"]) == (18000, 2)


def test_what_is_signed_names_the_place_in_the_chain_of_journals(company: Company) -> None:
    statement = issued(company)

    journals = table(Journal)
    with reading() as conn:
        at_the_end = conn.execute(
            sa.select(journals.c.hash).where(journals.c.seq == statement.as_of_seq)
        ).scalar_one()
    assert statement.signature is not None
    head = statement.signature.head
    assert (head["as_of_seq"], head["chain_head"]) == (2, at_the_end)
    assert (head["payee_kind"], head["payee_id"], head["number"]) == ("technician", company.anna, 1)


def test_a_draft_is_not_signed(company: Company) -> None:
    assert document(company, drafted(company).id).signature is None


def test_files_made_after_the_line_was_rewritten_by_hand_are_not_genuine(company: Company) -> None:
    statement = issued(company)
    (key,) = keys(company)

    # The lines are read from the books each time; the signature is the one made at issuing.
    first, second = statement.lines
    forged = replace(
        statement,
        lines=(replace(first, amount_minor=first.amount_minor + 1), second),
        total_minor=statement.total_minor + 1,
    )

    assert verifying.verify_xlsx(exports.statement_xlsx(forged, locale="zh"), public_key=key).problems != ()


def test_a_key_sealed_with_another_secret_signs_nothing_and_is_renewed(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = issued(company)
    settle(company, facts_of(company))
    draft = drafted(company)
    chosen = replace(settings(), secret_key="another" * 8)
    monkeypatch.setattr(signatures, "settings", lambda: chosen)

    with pytest.raises(SigningKeySealed):
        issued(company, draft)

    with reading() as conn:
        states = conn.execute(sa.select(table(Statement).c.state).order_by(table(Statement).c.id)).scalars()
        assert states.all() == [StatementState.ISSUED, StatementState.DRAFT]
        signed = conn.execute(sa.select(sa.func.count()).select_from(table(StatementSignature))).scalar_one()
        assert signed == 1
    with transaction() as conn:
        signatures.renew_key(conn, org_id=company.org_id, at=SETTLED + timedelta(days=2))
    second = issued(company, draft)
    new, old = keys(company)
    for statement, key, other in ((first, old, new), (second, new, old)):
        content = exports.statement_json(statement)
        assert verifying.verify_json(content, public_key=key).problems == ()
        assert verifying.verify_json(content, public_key=other).problems != ()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE statement_signature SET signature = 'x'",
        "DELETE FROM statement_signature",
        "UPDATE signing_key SET public_key = 'x'",
        "DELETE FROM signing_key",
    ],
)
def test_the_database_keeps_signatures_and_keys_as_they_are(company: Company, change: str) -> None:
    issued(company)

    with pytest.raises(sa.exc.IntegrityError, match="is written once"), transaction() as conn:
        conn.execute(sa.text(change))


def test_the_private_key_is_nowhere_to_be_read(company: Company) -> None:
    issued(company)

    with reading() as conn:
        sealed = conn.execute(sa.select(table(SigningKey).c.sealed)).scalar_one()
    assert len(sealed) > 60
    assert settings().secret_key not in sealed


def test_who_may_see_no_statement_is_told_no_key(company: Company) -> None:
    issued(company)

    with reading() as conn:
        finance = signatures.known_keys(conn, viewer=company.actor())
        own = signatures.known_keys(
            conn, viewer=company.actor(Role.TECHNICIAN, scope=Scope.OWN, technician_id=company.anna)
        )
        with pytest.raises(Forbidden):
            signatures.known_keys(conn, viewer=company.actor(Role.DISPATCHER))
    assert finance == own
    assert len(finance[0].fingerprint.split()) == 8
