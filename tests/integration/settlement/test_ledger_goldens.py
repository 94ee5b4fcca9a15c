"""Golden cases of the books: commands in a row, and every posting they leave, worked out by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.goldens import read_cases, read_facts
from tests.builders.settlement import Company, correct, facts_of, open_company, settle
from tests.fixtures.databases import Database
from tests.integration.proof.door import everything_kept
from tests.integration.settlement.test_any_order import colleague_of
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.settlement import chain, closing, publishing, refunding, reopening, settling
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import AccountKind, OwnerKind, Purpose
from ticket_console.settlement.standard_rules import CODE, RULES
from ticket_console.settlement.tables import Account, Journal, Period, Posting, RuleSet

CASES = read_cases(Path(__file__).parent / "goldens" / "ledger.yaml")
DECEMBER = datetime(2026, 12, 2, tzinfo=UTC)
PAYABLE = (AccountKind.PAYABLE_WORKER, AccountKind.PAYABLE_VENDOR)
accounts, journals, periods, postings = table(Account), table(Journal), table(Period), table(Posting)


@dataclass
class Books:
    """A company whose books a case writes; tickets are known by the letters of the case."""

    company: Company
    tickets: dict[str, Facts] = field(default_factory=dict)
    done: int = 0

    def facts(self, ticket: str, written: Mapping[str, Any]) -> Facts:
        known = dict(written)
        technician = getattr(self.company, known.pop("technician", "anna"))
        return replace(self.known(ticket), **read_facts(known), technician_id=technician)

    def known(self, ticket: str) -> Facts:
        if ticket not in self.tickets:
            self.tickets[ticket] = facts_of(self.company)
        return self.tickets[ticket]

    def take(self, step: Mapping[str, Any]) -> None:
        self.done += 1
        verb = next(iter(step))
        steps: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "settle": self.settle,
            "correct": self.correct,
            "refund": self.refund,
            "publish": self.publish,
            "begin_closing": self.begin_closing,
            "finish_closing": self.finish_closing,
            "close": self.close,
            "ask_to_reopen": self.ask_to_reopen,
            "approve": self.approve,
            "give_back": self.give_back,
        }
        steps[verb](step)

    def settle(self, step: Mapping[str, Any]) -> None:
        facts = self.facts(step["settle"], step.get("facts", {}))
        settle(self.company, facts, command_id=f"step:{self.done}")

    def correct(self, step: Mapping[str, Any]) -> None:
        facts = self.facts(step["correct"], step.get("facts", {}))
        correct(self.company, facts, command_id=f"step:{self.done}")

    def refund(self, step: Mapping[str, Any]) -> None:
        with transaction() as conn:
            settling.withdraw(
                conn,
                at=DECEMBER,
                actor=self.company.actor(),
                ticket_id=self.tickets[step["refund"]].ticket_id,
                segment=step.get("segment", "main"),
                region_id=self.company.north,
                command_id=f"step:{self.done}",
                reason="the customer was refunded",
            )

    def publish(self, step: Mapping[str, Any]) -> None:
        changed = [
            {**rule, "value": step["publish"].get(rule["code"], rule["value"])} for rule in RULES["rules"]
        ]
        manager, sets = self.company.actor(Role.MANAGER), table(RuleSet)
        with transaction() as conn:
            version_id = publishing.save_draft(
                conn,
                actor=manager,
                rule_set_id=conn.execute(sa.select(sets.c.id).where(sets.c.code == CODE)).scalar_one(),
                rules={**RULES, "currency": step.get("currency", "CNY"), "rules": changed},
                effective_from=date.fromisoformat(str(step["since"])),
            )
            publishing.publish(
                conn, actor=manager, at=DECEMBER, version_id=version_id, command_id=f"step:{self.done}"
            )

    def begin_closing(self, step: Mapping[str, Any]) -> None:
        self.move(closing.begin_closing, step["begin_closing"])

    def finish_closing(self, step: Mapping[str, Any]) -> None:
        self.move(closing.close, step["finish_closing"])

    def close(self, step: Mapping[str, Any]) -> None:
        self.move(closing.begin_closing, step["close"])
        self.move(closing.close, step["close"])

    def ask_to_reopen(self, step: Mapping[str, Any]) -> None:
        with transaction() as conn:
            period = conn.execute(sa.select(periods).where(periods.c.code == step["ask_to_reopen"])).one()
            reopening.ask(
                conn,
                actor=self.company.actor(),
                at=DECEMBER,
                period_id=period.id,
                expected_version=period.version,
                reason="a bill was forgotten",
                command_id=f"step:{self.done}",
            )

    def approve(self, step: Mapping[str, Any]) -> None:
        actor = colleague_of(self.company) if step.get("by") == "colleague" else self.company.actor()
        with transaction() as conn:
            (asked,) = reopening.waiting(conn, viewer=actor)
            reopening.approve(
                conn,
                actor=actor,
                at=DECEMBER,
                reopening_id=asked.id,
                expected_version=asked.version,
                command_id=f"step:{self.done}",
            )

    def give_back(self, step: Mapping[str, Any]) -> None:
        with transaction() as conn:
            refunding.refund(
                conn,
                at=DECEMBER,
                actor=self.company.actor(),
                ticket_id=self.tickets[step["give_back"]].ticket_id,
                segment="main",
                purpose=Purpose.WORKER_PAY,
                region_id=self.company.north,
                command_id=f"step:{self.done}",
                reason="the customer was refunded",
                positions=step.get("lines"),
            )

    def move(self, command: Callable[..., object], code: str) -> None:
        with transaction() as conn:
            period = conn.execute(sa.select(periods).where(periods.c.code == code)).one()
            command(
                conn,
                actor=self.company.actor(),
                at=DECEMBER,
                period_id=period.id,
                expected_version=period.version,
                command_id=f"step:{self.done}:{command.__name__}",
            )

    def written(self) -> list[dict[str, Any]]:
        """Every journal in the order of the chain, as a case writes it."""
        origin = periods.alias("origin")
        with reading() as conn:
            rows = conn.execute(
                sa.select(journals.c.id, journals.c.kind, periods.c.code, origin.c.code.label("origin"))
                .join(periods, periods.c.id == journals.c.period_id)
                .outerjoin(origin, origin.c.id == journals.c.origin_period_id)
                .order_by(journals.c.seq)
            ).all()
            found = []
            for row in rows:
                entries = conn.execute(
                    sa.select(accounts, postings.c.amount_minor)
                    .join(accounts, accounts.c.id == postings.c.account_id)
                    .where(postings.c.journal_id == row.id)
                    .order_by(postings.c.id)
                )
                said = {"kind": row.kind.value, "period": row.code}
                if row.origin is not None:
                    said["origin"] = row.origin
                found.append(
                    said | {"postings": [[self.name_of(each), each.amount_minor] for each in entries]}
                )
        return found

    def owed(self) -> dict[str, dict[str, int]]:
        with reading() as conn:
            rows = conn.execute(
                sa.select(
                    periods.c.code.label("period"),
                    accounts,
                    sa.func.sum(-postings.c.amount_minor).label("owed"),
                )
                .join(accounts, accounts.c.id == postings.c.account_id)
                .join(periods, periods.c.id == postings.c.period_id)
                .where(accounts.c.kind.in_(PAYABLE))
                .group_by(periods.c.code, accounts.c.id)
            ).all()
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row.period, {})[self.name_of(row)] = int(row.owed)
        return found

    def name_of(self, account: Any) -> str:
        names = {self.company.anna: "anna", self.company.bo: "bo"}
        return names[account.owner_id] if account.owner_kind is OwnerKind.TECHNICIAN else str(account.code)


@pytest.fixture
def books(database: Database) -> Books:
    return Books(open_company())


@pytest.mark.parametrize("case", CASES, ids=[str(case["case"]) for case in CASES])
def test_the_books_say_what_was_worked_out_by_hand(books: Books, case: dict[str, Any]) -> None:  # STL-25
    for step in case["steps"]:
        if "refused" in step:
            books.known(next(iter(step.values())))
            before = everything_kept()
            with pytest.raises(ConsoleError) as refused:
                books.take(step)
            assert refused.value.code == step["refused"]
            assert everything_kept() == before
        else:
            books.take(step)

    assert books.written() == [
        {key: str(value) if key != "postings" else value for key, value in journal.items()}
        for journal in case["journals"]
    ]
    assert books.owed() == case["owed"]
    with reading() as conn:
        report = chain.verify(conn, org_id=books.company.org_id)
    assert report == chain.ChainReport(len(case["journals"]), None)


def test_reversals_are_the_exact_negation_in_every_case_written_down() -> None:  # STL-25
    for case in CASES:
        ratings = [each["postings"] for each in case["journals"] if each["kind"] == "rating"]
        for reversal in (each["postings"] for each in case["journals"] if each["kind"] == "reversal"):
            assert [[name, -amount] for name, amount in reversal] in ratings
        assert all(sum(amount for _, amount in journal["postings"]) == 0 for journal in case["journals"])
