"""Facts, rules and a company with open books, for tests of settlement."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlmodel import SQLModel

from ticket_console.access.tables import Org, Region, UserAccount
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.forms.tables import Template, TemplateVersion, VersionStatus
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.database import table, transaction
from ticket_console.people.tables import Technician
from ticket_console.settlement import books, publishing, settling, standard_rules
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.settling import SettledTicket
from ticket_console.settlement.standard_rules import RULES
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Ticket

STANDARD = parse_rules(RULES)
# Ten till noon in Shanghai, a Saturday.
STARTED = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
FINISHED = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SETTLED = datetime(2026, 11, 21, 4, 5, tzinfo=UTC)


def make_facts(**changes: Any) -> Facts:
    """An installation by day, nearby, with nothing special about it: 100.00 in all."""
    plain: dict[str, Any] = {
        "ticket_id": 1,
        "no": "T-2026-000001",
        "technician_id": 1,
        "service_type": "install",
        "started_at": STARTED,
        "finished_at": FINISHED,
        "site_tz": "Asia/Shanghai",
    }
    return Facts(**plain | changes)


def make_rule(code: str, **changes: Any) -> dict[str, Any]:
    """One rule of a document; base labour of 100.00 unless told otherwise."""
    plain: dict[str, Any] = {
        "code": code,
        "dimension": "base_labour",
        "name": {"zh": code, "en": code},
        "op": "add",
        "value": "10000",
        "order": 10,
    }
    return plain | changes


def make_rules(*rules: Mapping[str, Any], currency: str = "CNY", **more: Any) -> RuleSet:
    return parse_rules({"schema": 2, "currency": currency, "rules": list(rules), **more})


def when(field: str, operator: str, value: object) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


@dataclass(frozen=True, slots=True)
class Company:
    """An organisation with open books, two regions and a technician in each."""

    org_id: int
    north: int
    south: int
    anna: int
    bo: int
    user_id: int
    template: Mapping[str, int]

    def actor(self, role: Role = Role.FINANCE, **changes: Any) -> Actor:
        grant = Grant(
            role=role,
            scope=changes.pop("scope", Scope.ORG),
            region_ids=frozenset(changes.pop("region_ids", ())),
            ticket_classes=frozenset(changes.pop("ticket_classes", ())),
        )
        return Actor(
            kind=ActorKind.USER,
            org_id=self.org_id,
            display="Fei",
            user_id=self.user_id,
            grants=(grant,),
            **changes,
        )

    def technician(self, technician_id: int) -> Actor:
        return self.actor(Role.TECHNICIAN, scope=Scope.OWN, technician_id=technician_id)


def open_company(
    *, at: datetime = STARTED, tz: str = "Asia/Shanghai", codes: Collection[str] = (standard_rules.CODE,)
) -> Company:
    """Make a company in the database in use, with the standard rules of `codes` in force: those of pay alone,
    unless told otherwise."""
    with transaction() as conn:
        org_id = _add(conn, Org, code="acme", name=_named("Acme"), tz=tz, currency="CNY", version=1)
        north, south = (
            _add(conn, Region, org_id=org_id, code=code, name=_named(code), tz=tz, version=1)
            for code in ("N", "S")
        )
        anna, bo = (
            _add(
                conn,
                Technician,
                org_id=org_id,
                name=name,
                phone="",
                region_id=region_id,
                lat=31.0,
                lon=121.0,
                level=1,
                capacity=8,
                is_on_duty=True,
                is_active=True,
                version=1,
            )
            for name, region_id in (("安娜", north), ("Bo", south))
        )
        user_id = _add(
            conn,
            UserAccount,
            org_id=org_id,
            login="fei",
            display_name="Fei",
            password_hash="-",
            locale="zh",
            is_enabled=True,
            failed_logins=0,
            created_at=at,
            version=1,
        )
        template = _add_template(conn, org_id)
        books.open_books(conn, org_id=org_id, tz=tz, currency="CNY")
        publishing.install_standard(conn, org_id=org_id, at=at, codes=codes)
    return Company(org_id, north, south, anna, bo, user_id, template)


def make_ticket(conn: Connection, company: Company, *, region_id: int | None = None) -> tuple[int, str]:
    """A ticket to hang a rating on; its id and number."""
    ticket_id = ids.take("ticket")
    no = f"T-2026-{ticket_id:06}"
    conn.execute(
        sa.insert(table(Ticket)),
        {
            "id": ticket_id,
            "org_id": company.org_id,
            "no": no,
            "root_id": ticket_id,
            "ticket_class": "install",
            **company.template,
            "title": "Install",
            "description": "",
            "source": "web",
            "contact_name": "",
            "contact_phone": "",
            "region_id": region_id or company.north,
            "address": "",
            "urgency": 2,
            "impact": 2,
            "priority": 3,
            "priority_reason": {},
            "is_vip": False,
            "status": TicketStatus.OPEN,
            "stage": "settle",
            "priority_class": 3,
            "rank": "a",
            "marking": {},
            "progress_bp": 9000,
            "returns": 0,
            "opened_at": STARTED,
            "updated_at": STARTED,
            "event_count": 0,
            "head_hash": "",
            "version": 1,
        },
    )
    return ticket_id, no


def facts_of(company: Company, **changes: Any) -> Facts:
    """Facts of a new ticket of the company, finished by Anna."""
    with transaction() as conn:
        ticket_id, no = make_ticket(conn, company)
    return make_facts(**{"ticket_id": ticket_id, "no": no, "technician_id": company.anna, **changes})


def settle(company: Company, facts: Facts, **changes: Any) -> SettledTicket:
    with transaction() as conn:
        wanted: dict[str, Any] = {
            "at": SETTLED,
            "actor": company.actor(),
            "facts": facts,
            "region_id": company.north,
            "command_id": f"settle:{facts.no}:{facts.segment}",
        }
        return settling.settle(conn, **wanted | changes)


def correct(company: Company, facts: Facts, **changes: Any) -> SettledTicket:
    with transaction() as conn:
        wanted: dict[str, Any] = {
            "at": SETTLED + timedelta(hours=1),
            "actor": company.actor(),
            "facts": facts,
            "region_id": company.north,
            "command_id": f"correct:{facts.no}",
            "reason": "the photo shows a ladder",
        }
        return settling.correct(conn, **wanted | changes)


def _add_template(conn: Connection, org_id: int) -> dict[str, int]:
    flow_id = _add(conn, Flow, org_id=org_id, code="install", name=_named("Install"), version=1)
    published = {"number": 1, "status": VersionStatus.PUBLISHED, "content_hash": "-"}
    flow_version_id = _add(conn, FlowVersion, flow_id=flow_id, graph={}, **published)
    template_id = _add(
        conn,
        Template,
        org_id=org_id,
        code="install",
        name=_named("Install"),
        business_line="delivery",
        ticket_class="install",
        icon="",
        is_public=False,
        keywords=[],
        is_active=True,
        version=1,
    )
    template_version_id = _add(conn, TemplateVersion, template_id=template_id, definition={}, **published)
    return {
        "template_id": template_id,
        "template_version_id": template_version_id,
        "flow_version_id": flow_version_id,
    }


def _add(conn: Connection, model: type[SQLModel], **columns: Any) -> int:
    made = table(model)
    return int(conn.execute(sa.insert(made).values(**columns).returning(made.c.id)).scalar_one())


def _named(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}
