"""A refusal that was kept is told again in the same words."""

import pytest

from ticket_console.intake.messages import InvalidRequest
from ticket_console.intake.refusals import KeyReused, reason_of, refusal_of
from ticket_console.kernel.errors import ConsoleError, FieldProblem, Forbidden


@pytest.mark.parametrize(
    "refusal",
    [
        InvalidRequest((FieldProblem("title", "input.too_long", {"max_length": 200}),)),
        InvalidRequest(()),
        Forbidden(permission="ticket.open"),
        KeyReused(),
    ],
)
def test_a_kept_refusal_equals_the_one_that_was_raised(refusal: ConsoleError) -> None:
    again = refusal_of(reason_of(refusal))

    assert (again.code, again.http_status, again.params) == (
        refusal.code,
        refusal.http_status,
        refusal.params,
    )
    assert getattr(again, "problems", None) == getattr(refusal, "problems", None)
