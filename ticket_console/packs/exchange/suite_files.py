"""A flow's golden tickets as they are exchanged: all of its tests in one file, under the flow's code."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.engine import Connection

from ticket_console.desk import golden
from ticket_console.flows import in_use as flows_in_use
from ticket_console.forms.json_form import JsonForm
from ticket_console.packs.exchange.definitions import Definition, Hand, Reference
from ticket_console.packs.exchange.shapes import BadDefinition


class _TestForm(JsonForm):
    name: Annotated[str, Field(min_length=1, max_length=golden.NAME_LENGTH)]
    ticket: Annotated[str, Field(min_length=1, max_length=golden.TICKET_NO_LENGTH)]
    story: dict[str, Any]
    expected: dict[str, Any]


class _SuiteForm(JsonForm):
    tests: Annotated[list[_TestForm], Field(max_length=golden.MAX_TESTS)]


class GoldenTickets:
    """A test that is there already stays as it is: what it expects was accepted there."""

    name = "golden_ticket"
    permissions: tuple[str, ...] = ("flow.manage",)
    wrapper = ""

    def codes(self, conn: Connection, org_id: int) -> tuple[str, ...]:
        return tuple(
            code
            for code in flows_in_use.codes(conn, org_id)
            if golden.exported(conn, org_id=org_id, code=code)
        )

    def document(self, conn: Connection, org_id: int, code: str) -> Mapping[str, Any] | None:
        tests = golden.exported(conn, org_id=org_id, code=code)
        return {"tests": tests} if tests else None

    def normal(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        form = _SuiteForm.read(document, BadDefinition)
        by_name = {test.name: test.plain() for test in form.tests}
        return {"tests": [by_name[name] for name in sorted(by_name)]}

    def after(self, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        by_name = {test["name"]: test for test in (*wanted["tests"], *current["tests"])}
        return {"tests": [by_name[name] for name in sorted(by_name)]}

    def needs(self, definition: Definition) -> frozenset[Reference]:
        return frozenset({Reference("flow", definition.code)})

    def write(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        golden.take_in(
            conn,
            actor=hand.actor,
            at=hand.at,
            code=definition.code,
            entries=definition.document["tests"],
        )

    def connect(self, conn: Connection, hand: Hand, definition: Definition) -> None:
        return
