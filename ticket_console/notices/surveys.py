"""Surveys: asked once per step of a ticket, answered once by its customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from ticket_console.kernel import ids
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput, NotFound
from ticket_console.notices.tables import Survey

HIGHEST: Final = 5
LONGEST: Final = 2_000

_surveys = table(Survey)


class SurveyNotFound(NotFound):
    code = "survey.not_found"


class AlreadyAnswered(Conflict):
    code = "survey.already_answered"


@dataclass(frozen=True, slots=True)
class SurveyView:
    """`questions`: [{"key", "kind": "rating" | "text", "label": {"zh", "en"}}]."""

    id: int
    org_id: int
    ticket_id: int
    node_key: str
    questions: tuple[Mapping[str, Any], ...]
    asked_at: datetime
    answers: Mapping[str, Any] | None
    answered_at: datetime | None


def _once(insert: Any) -> Any:
    return (
        insert(_surveys)
        .on_conflict_do_nothing(index_elements=["ticket_id", "node_key"])
        .execution_options(preserve_rowcount=True)
    )


_ASK: Final = {"sqlite": _once(sqlite.insert), "postgresql": _once(postgresql.insert)}


def ask(
    connection: Connection,
    *,
    org_id: int,
    at: datetime,
    ticket_id: int,
    node_key: str,
    questions: Sequence[Mapping[str, Any]],
) -> int | None:
    """Ask the customer of a ticket; the survey's id, or None where this step has asked them before."""
    survey_id = ids.take("row")
    row = {
        "id": survey_id,
        "org_id": org_id,
        "ticket_id": ticket_id,
        "node_key": node_key,
        "questions": [dict(question) for question in questions],
        "asked_at": at,
        "answers": None,
        "answered_at": None,
    }
    is_new = connection.execute(_ASK[connection.dialect.name], row).rowcount == 1
    return survey_id if is_new else None


def of_ticket(connection: Connection, ticket_id: int) -> tuple[SurveyView, ...]:
    """A ticket's surveys, the oldest first."""
    rows = connection.execute(
        sa.select(_surveys).where(_surveys.c.ticket_id == ticket_id).order_by(_surveys.c.id)
    )
    return tuple(_view(row) for row in rows)


def answer(
    connection: Connection, *, ticket_id: int, survey_id: int, at: datetime, answers: Mapping[str, Any]
) -> None:
    """Keep the answers to a survey of a ticket.

    Raises SurveyNotFound for one of another ticket, InvalidInput by question, AlreadyAnswered on the second.
    """
    survey = next((each for each in of_ticket(connection, ticket_id) if each.id == survey_id), None)
    if survey is None:
        raise SurveyNotFound()
    kept = checked_answers(survey.questions, answers)
    changed = connection.execute(
        sa.update(_surveys)
        .where(_surveys.c.id == survey.id, _surveys.c.answered_at.is_(None))
        .values(answers=kept, answered_at=at)
    )
    if changed.rowcount != 1:
        raise AlreadyAnswered()


def checked_answers(questions: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as they are kept: ratings 1 to 5 for each rating asked, and texts that were written."""
    asked = {str(question["key"]): str(question["kind"]) for question in questions}
    problems = [FieldProblem(key, "field.unknown") for key in answers if key not in asked]
    kept: dict[str, Any] = {}
    for key, kind in asked.items():
        given = answers.get(key)
        if kind == "rating":
            is_rating = isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= HIGHEST
            if is_rating:
                kept[key] = given
            else:
                problems.append(FieldProblem(key, "survey.rating_missing" if given is None else "survey.bad"))
        elif isinstance(given, str) and given.strip():
            if len(given) > LONGEST:
                problems.append(FieldProblem(key, "field.too_long", {"limit": LONGEST}))
            kept[key] = given.strip()
        elif given is not None and not isinstance(given, str):
            problems.append(FieldProblem(key, "survey.bad"))
    if problems:
        raise InvalidInput(tuple(problems))
    return kept


def _view(row: Row[*tuple[Any, ...]]) -> SurveyView:
    return SurveyView(
        row.id,
        row.org_id,
        row.ticket_id,
        row.node_key,
        tuple(row.questions),
        row.asked_at,
        row.answers,
        row.answered_at,
    )
