"""Files of tickets: they hold what their reader may see, and what the page and the API show."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.desk.page import ticket_page
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HANDLED_KINDS
from ticket_console.forms import publishing as form_publishing
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import definition_json
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import NotFound
from ticket_console.reports import metrics
from ticket_console.reports.ticket_files import tickets_csv, tickets_xlsx
from ticket_console.reports.ticket_table import TicketTable, TooManyTickets, ticket_table
from ticket_console.tickets.tables import FieldValue, Ticket, TokenRow

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
EVERYBODY = ("manager", "dispatcher", "dispatcher_cd", "agent", "finance", "auditor", "tech_near", "tech_far")

BASE_COLUMNS = 11

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    return found_company(AT)


def table_of(company: Company, login: str, **wish: Any) -> TicketTable:
    with reading() as connection:
        return ticket_table(
            connection,
            viewer=company.actor(login),
            at=AT,
            locale="en",
            slice=metrics.EVERYTHING,
            metric=None,
            **wish,
        )


def fill_in(company: Company, ticket_id: int, values: dict[str, Any]) -> None:
    """Put values on a ticket past every rule, so that there is something to hide."""
    made = table(FieldValue)
    with transaction() as connection:
        with_version = sa.select(made.c.template_version_id).where(made.c.ticket_id == ticket_id).limit(1)
        version = connection.execute(with_version).scalar_one()
        connection.execute(sa.delete(made).where(made.c.ticket_id == ticket_id, made.c.field_key.in_(values)))
        connection.execute(
            sa.insert(made),
            [
                {
                    "ticket_id": ticket_id,
                    "field_key": key,
                    "value": value,
                    "template_version_id": version,
                    "provenance": "typed",
                    "command_id": "test",
                }
                for key, value in values.items()
            ],
        )


def sample_of(spec: Any) -> Any:
    """Some value that the kind of the field keeps as it is."""
    options = [option.value for option in spec.options]
    return {
        "choice": options[:1] and options[0],
        "multi_choice": options[:1],
        "yes_no": True,
        "number": "3",
        "money": "12.50",
        "rating": 4,
        "date": "2026-03-01",
        "datetime": "2026-03-01T08:00:00Z",
        "photo": [1],
        "file": [1],
        "parts": [{"sku": "CAP-35", "qty": "1"}],
        "signature": "M0 0",
        "location": {"lat": 31.2, "lon": 121.4},
    }.get(spec.kind.value, f"value of {spec.key}")


def shown_to(company: Company, login: str, ticket_id: int) -> set[str] | None:
    """The headings of the fields a person's ticket page shows, or None where there is no page for them."""
    with reading() as connection:
        try:
            page = ticket_page(connection, viewer=company.actor(login), ticket_id=ticket_id, at=AT)
        except NotFound:
            return None
    return {each.label["en"] for each in page.fields}


def test_page_and_file_agree_for_everybody_at_every_node(company: Company) -> None:  # PRM-01 PRM-03 PRM-06
    ticket = company.open()
    with reading() as connection:
        template = form_reads.template_by_code(connection, company.org_id, "repair")
        graph = flow_reads.compiled(connection, template.flow_version_id)
    fill_in(company, ticket.ticket_id, {spec.key: sample_of(spec) for spec in template.definition.fields})
    steps = [node.key for node in graph.nodes if node.kind in HANDLED_KINDS]
    seen: dict[tuple[str, str], set[str] | None] = {}
    for node_key in steps:
        put_at(ticket.ticket_id, node_key)
        for login in EVERYBODY:
            shown = seen[node_key, login] = shown_to(company, login, ticket.ticket_id)
            found = table_of(company, login)
            if shown is None:
                assert found.rows == ()
            elif found.rows:
                assert set(found.columns[BASE_COLUMNS:]) == shown, (login, node_key)

    assert len(steps) > 3
    assert seen[steps[0], "agent"] != seen[steps[0], "manager"]
    assert any(seen[steps[0], login] != seen[other, login] for other in steps for login in EVERYBODY)


def put_at(ticket_id: int, node_key: str) -> None:
    """Let the ticket's token stand at another step, as if it had gone there."""
    tickets, tokens = table(Ticket), table(TokenRow)
    with transaction() as connection:
        row = connection.execute(sa.select(tickets.c.marking).where(tickets.c.id == ticket_id)).one()
        (token,) = row.marking["tokens"]
        marking = {**row.marking, "tokens": [{**token, "node_key": node_key}]}
        connection.execute(sa.update(tickets).where(tickets.c.id == ticket_id).values(marking=marking))
        connection.execute(sa.update(tokens).where(tokens.c.ticket_id == ticket_id).values(node_key=node_key))


def test_an_advisor_finds_no_cost_in_the_file(company: Company) -> None:  # PRM-02
    ticket = company.open()
    with reading() as connection:
        template = form_reads.template_by_code(connection, company.org_id, "repair")
    fill_in(company, ticket.ticket_id, {spec.key: sample_of(spec) for spec in template.definition.fields})
    costs = {
        spec.label["en"] for spec in template.definition.fields if spec.sensitivity in ("cost", "settlement")
    }
    assert costs

    assert not costs & set(table_of(company, "agent").columns)
    assert costs <= set(table_of(company, "manager").columns)


def test_a_dispatcher_of_another_region_gets_an_empty_file(company: Company) -> None:  # PRM-05
    company.open()

    assert table_of(company, "dispatcher_cd").rows == ()


def test_a_list_that_is_too_long_is_refused(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticket_console.reports.ticket_table.MOST_TICKETS", 1)
    company.open()
    company.open()

    with pytest.raises(TooManyTickets) as refusal:
        table_of(company, "manager")
    assert refusal.value.params == {"limit": 1}


def test_files_hold_the_table_and_nothing_that_runs(company: Company) -> None:
    company.open(title="=HYPERLINK(1)", description="-")
    made = table_of(company, "manager")

    lines = list(csv.reader(io.StringIO(tickets_csv(made).decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(tickets_xlsx(made, created=AT, locale="en"))).active
    assert sheet is not None
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]

    assert lines[0] == list(made.columns) == cells[0]
    assert lines[1][:2] == [made.rows[0][0], "'=HYPERLINK(1)"]
    assert cells[1][1] == "=HYPERLINK(1)"
    assert sheet["B2"].data_type == "s"
    assert str(cells[1][8]) == "2026-03-02 10:00:00"
    assert sheet.freeze_panes == "B2"


def test_a_hidden_field_is_absent_but_for_the_history(company: Company) -> None:  # TPL-04
    company.open(values={"category": "hvac"})
    with reading() as connection:
        template = form_reads.template_by_code(connection, company.org_id, "repair")
    label = template.definition.field("category").label["en"]
    assert label in table_of(company, "manager").columns
    definition = definition_json(template.definition)
    for section in definition["sections"]:
        for spec in section["fields"]:
            if spec["key"] == "category":
                spec["state"] = "hidden"
    with transaction() as connection:
        form_publishing.publish_template(
            connection,
            actor=company.system,
            at=AT,
            code="repair",
            face=form_publishing.TemplateFace(template.name, template.business_line, template.ticket_class),
            definition=definition,
        )

    assert label not in table_of(company, "manager").columns
    assert label in table_of(company, "manager", with_history=True).columns


def test_a_field_of_another_kind_has_what_its_predecessor_was_filled_in_with(company: Company) -> None:
    company.open(values={"model": "35.5"})
    company.open(values={"model": "K35"})
    with reading() as connection:
        template = form_reads.template_by_code(connection, company.org_id, "repair")
    definition = definition_json(template.definition)
    for section in definition["sections"]:
        for at, spec in enumerate(section["fields"]):
            if spec["key"] == "model":
                spec["state"] = "hidden"
                power = {"key": "power", "kind": "number", "label": {"zh": "功率", "en": "Power"}}
                section["fields"].insert(at + 1, {**power, "converts": "model", "at_opening": True})
                break
    with transaction() as connection:
        form_publishing.publish_template(
            connection,
            actor=company.system,
            at=AT,
            code="repair",
            face=form_publishing.TemplateFace(template.name, template.business_line, template.ticket_class),
            definition=definition,
        )
    company.open(values={"power": "12"})

    found = table_of(company, "manager")

    assert "Model" not in found.columns
    power = found.columns.index("Power")
    assert sorted(str(row[power]) for row in found.rows) == ["12", "35.5", "None"]
    assert "Model" in table_of(company, "manager", with_history=True).columns
