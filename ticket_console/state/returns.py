"""Where work is sent back, on screen: every step with the address of the tickets it happened to."""

from datetime import datetime
from typing import Any, Final

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import off_loop, reading
from ticket_console.reports import returns
from ticket_console.reports.metrics import Slice
from ticket_console.reports.returns import StepReturns
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.tickets import address_of, choices_of, slice_of

Plain = dict[str, Any]

PERIODS: Final = (7, 30, 90)
USUAL: Final = 30


class ReturnsState(SessionState):
    status: str = "loading"
    rows: list[Plain] = []
    days: str = str(USUAL)
    choices: dict[str, list[Plain]] = {"region": [], "template": []}

    @handler(permission="dashboard.view")
    async def load(self) -> Reply:
        asked = self.router.url.query_parameters
        count = period_of(asked.get("days", ""))
        try:
            choices = await off_loop(choices_of, viewer=self._actor())
            self.rows = await off_loop(
                _rows,
                viewer=self._actor(),
                at=self._now(),
                slice=slice_of(asked),
                count=count,
            )
        except Exception:
            self.status = "failed"
            raise
        if choices != self.choices:
            self.choices = choices
        self.days = str(count)
        self.status = "ready"
        return None


def period_of(text: str) -> int:
    """How many days an address asks for; the usual number where it asks for none there is."""
    return next((days for days in PERIODS if str(days) == text), USUAL)


def _rows(*, viewer: Actor, at: datetime, slice: Slice, count: int) -> list[Plain]:
    with reading() as connection:
        days = returns.last_days(connection, org_id=viewer.org_id, at=at, count=count)
        found = returns.returns_by_step(connection, viewer=viewer, slice=slice, days=days)
    return [_row(each) for each in found]


def _row(step: StepReturns) -> Plain:
    return {
        "step": step.name,
        "flow": step.flow_name,
        "passed": step.passed,
        "returns": step.returns,
        "tickets": step.tickets,
        "rate": step.rate_bp / 100,
        "rate_bp": step.rate_bp,
        "href": address_of(slice=step.slice),
        "by": [{"key": _whose(who), "count": count} for who, count in step.by],
        "reasons": [{"text": text, "count": count} for text, count in step.reasons],
    }


def _whose(who: str) -> str:
    return f"ticket.owner.{who}" if who in ("customer", "system") else f"role.{who}"
