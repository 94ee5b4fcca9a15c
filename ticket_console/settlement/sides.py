"""The sides of one settlement: who is paid, who is charged, by which rules, and what is posted for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.database import table
from ticket_console.settlement import ledger, payees, pinned, publishing, standard_rules, standard_sides
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import Party, Purpose, Side, VersionStatus
from ticket_console.settlement.ledger import AccountKey, Entry
from ticket_console.settlement.publishing import NoRulesInForce, VersionInForce
from ticket_console.settlement.rating import Line, Rating, rate
from ticket_console.settlement.rules import Split
from ticket_console.settlement.splitting import share_out, split_for
from ticket_console.settlement.tables import RuleSet, RuleSetVersion

_SETS = table(RuleSet)
_VERSIONS = table(RuleSetVersion)

# Which rule set rates for whom, and which of its rules count.
RULE_SETS: Final[Mapping[Purpose, str]] = {
    Purpose.WORKER_PAY: standard_rules.CODE,
    Purpose.VENDOR_PAY: standard_sides.VENDOR_CODE,
    Purpose.CUSTOMER_CHARGE: standard_sides.CUSTOMER_CODE,
}
SIDE_OF: Final[Mapping[Purpose, Side]] = {
    Purpose.WORKER_PAY: Side.WORKER,
    Purpose.VENDOR_PAY: Side.VENDOR,
    Purpose.CUSTOMER_CHARGE: Side.CUSTOMER,
}
# Newest last, so that of two in force on a day the newer one stands.
_IN_FORCE: Final = (
    sa.select(_SETS.c.code, _VERSIONS.c.id, _VERSIONS.c.number, _VERSIONS.c.content_hash)
    .join(_SETS, _SETS.c.id == _VERSIONS.c.rule_set_id)
    .where(
        _SETS.c.org_id == sa.bindparam("org_id"),
        _SETS.c.code.in_(tuple(RULE_SETS.values())),
        _VERSIONS.c.status == VersionStatus.PUBLISHED,
        _VERSIONS.c.effective_from <= sa.bindparam("day"),
        sa.or_(_VERSIONS.c.effective_to.is_(None), _VERSIONS.c.effective_to > sa.bindparam("day")),
    )
    .order_by(_VERSIONS.c.effective_from)
)


@dataclass(frozen=True, slots=True)
class RatedSide:
    """A side, rated and not posted yet. `split` is how its lines are shared out, None where they are not."""

    purpose: Purpose
    version: VersionInForce
    rating: Rating
    owner: AccountKey
    split: Split | None


def rated_sides(
    conn: Connection, *, org_id: int, facts: Facts, without: frozenset[Purpose] = frozenset()
) -> tuple[RatedSide, ...]:
    """Every side the facts have, pay first; those in `without` are left alone.

    Work done under a partner's contract is paid to the partner while there are rules for partners, else to
    whoever did it. The customer is charged while there are rules for customers. Raises NoRulesInForce where
    nothing says what the work pays.
    """
    versions = versions_on(conn, org_id=org_id, day=facts.service_on, pinned_rules=facts.pinned_rules)
    return rate_sides(org_id=org_id, facts=facts, versions=versions, without=without)


def rate_sides(
    *,
    org_id: int,
    facts: Facts,
    versions: Mapping[Purpose, VersionInForce],
    without: frozenset[Purpose] = frozenset(),
) -> tuple[RatedSide, ...]:
    """What `rated_sides` makes of facts, by rules that are known already."""
    pay = Purpose.WORKER_PAY
    if facts.vendor_id is not None and Purpose.VENDOR_PAY in versions:
        pay = Purpose.VENDOR_PAY
    if pay not in versions and pay not in without:
        raise NoRulesInForce(rule_set=RULE_SETS[pay], day=facts.service_on.isoformat())
    wanted = [each for each in (pay, Purpose.CUSTOMER_CHARGE) if each in versions and each not in without]
    return tuple(_rated(org_id, facts, purpose, versions[purpose]) for purpose in wanted)


def version_for(conn: Connection, *, org_id: int, purpose: Purpose, facts: Facts) -> VersionInForce:
    """The rules that rate these facts for a purpose: those agreed on, else those in force on the day of the
    work."""
    versions = versions_on(conn, org_id=org_id, day=facts.service_on, pinned_rules=facts.pinned_rules)
    if purpose not in versions:
        raise NoRulesInForce(rule_set=RULE_SETS[purpose], day=facts.service_on.isoformat())
    return versions[purpose]


def keys_of(org_id: int, facts: Facts, side: RatedSide) -> tuple[AccountKey, ...]:
    """Every account the side is posted on."""
    found = [side.owner, *(_contra(org_id, side, line) for line in side.rating.lines)]
    if side.split is not None:
        found += [
            _share_account(org_id, facts, side, party, line)
            for party in side.split.shares
            for line in side.rating.lines
        ]
    return tuple(dict.fromkeys(found))


def entries_of(
    org_id: int,
    facts: Facts,
    side: RatedSide,
    *,
    accounts: Mapping[AccountKey, int],
    line_ids: Sequence[int],
    region_id: int | None,
) -> list[Entry]:
    """The balanced entries of a side.

    Without a split every line has an entry of its own and the sum goes to the owner. With one, each line is
    shared out by itself: an entry for every party that gets some of it.
    """
    sign = -1 if side.purpose is Purpose.CUSTOMER_CHARGE else 1
    lines = list(zip(side.rating.lines, line_ids, strict=True))
    if side.split is None:
        entries = [
            Entry(accounts[_contra(org_id, side, line)], sign * line.amount_minor, region_id, line_id)
            for line, line_id in lines
        ]
        entries.append(Entry(accounts[side.owner], -sign * side.rating.total_minor, region_id))
        return entries
    entries = []
    for line, line_id in lines:
        whole = side.owner if side.purpose is Purpose.CUSTOMER_CHARGE else _contra(org_id, side, line)
        entries.append(Entry(accounts[whole], line.amount_minor, region_id, line_id))
        for party, share in share_out(line.amount_minor, side.split).items():
            if share:
                key = _share_account(org_id, facts, side, party, line)
                entries.append(Entry(accounts[key], -share, region_id, line_id))
    return entries or [Entry(accounts[side.owner], 0, region_id)]


def versions_on(
    conn: Connection, *, org_id: int, day: date, pinned_rules: str | None = None
) -> dict[Purpose, VersionInForce]:
    """The rules of every side that has some for work finished on a day; agreed ones stand in for those."""
    purposes = {code: purpose for purpose, code in RULE_SETS.items()}
    found = {
        purposes[code]: (id, number, content_hash)
        for code, id, number, content_hash in conn.execute(_IN_FORCE, {"org_id": org_id, "day": day})
    }
    versions = {
        purpose: VersionInForce(id, number, publishing.rules_of(conn, id, content_hash))
        for purpose, (id, number, content_hash) in found.items()
    }
    if pinned_rules is not None:
        code = pinned_rules.rpartition(":")[0]
        agreed = purposes.get(code, Purpose.WORKER_PAY)
        versions[agreed] = pinned.version_of(conn, org_id=org_id, pinned=pinned_rules)
    return versions


def _rated(org_id: int, facts: Facts, purpose: Purpose, version: VersionInForce) -> RatedSide:
    rating = rate(facts, version.rules, SIDE_OF[purpose])
    return RatedSide(
        purpose, version, rating, _owner(org_id, facts, purpose), split_for(facts, version.rules)
    )


def _owner(org_id: int, facts: Facts, purpose: Purpose) -> AccountKey:
    """Whose account the total of a side stands on."""
    if purpose is Purpose.VENDOR_PAY and facts.vendor_id is not None:
        return ledger.payee_account(payees.vendor(facts.vendor_id))
    if purpose is Purpose.CUSTOMER_CHARGE:
        if facts.customer_id is None:
            return ledger.unknown_customer_account(org_id)
        return ledger.payee_account(payees.customer(facts.customer_id))
    return ledger.worker_account(facts.technician_id)


def _contra(org_id: int, side: RatedSide, line: Line) -> AccountKey:
    if side.purpose is Purpose.CUSTOMER_CHARGE:
        return ledger.revenue_account(org_id, line.dimension)
    return ledger.cost_account(org_id, line.dimension)


def _share_account(org_id: int, facts: Facts, side: RatedSide, party: Party, line: Line) -> AccountKey:
    """Where a party's share goes; the share of a partner without a contract stays with us."""
    if party is Party.WORKER:
        return ledger.worker_account(facts.technician_id)
    if party is Party.VENDOR and facts.vendor_id is not None:
        return ledger.payee_account(payees.vendor(facts.vendor_id))
    if side.purpose is Purpose.CUSTOMER_CHARGE:
        return ledger.revenue_account(org_id, line.dimension)
    return ledger.retained_account(org_id)
