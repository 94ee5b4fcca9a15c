"""Many hands at one moment: threads that start together, and a crew for them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any, TypeVar

from tests.builders.company import SHANGHAI, Company
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.people import hiring
from ticket_console.people.hiring import NewTechnician

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | ConsoleError]:
    """Make every call in a thread of its own, all at one moment; answers and refusals in their order."""
    line = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | ConsoleError:
        line.wait()
        try:
            return call()
        except ConsoleError as refusal:
            return refusal

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def answers(outcomes: Sequence[T | ConsoleError]) -> list[T]:
    return [outcome for outcome in outcomes if not isinstance(outcome, ConsoleError)]


def refusals(outcomes: Sequence[T | ConsoleError]) -> list[ConsoleError]:
    return [outcome for outcome in outcomes if isinstance(outcome, ConsoleError)]


def hire_crew(company: Company, number: int) -> list[Actor]:
    """Technicians of Shanghai, each fit for air conditioning, as the actors they are when they log in."""
    by: dict[str, Any] = {"actor": system_actor(company.org_id), "at": company.at, "command_id": "crew"}
    crew = []
    with transaction() as connection:
        for each in range(number):
            technician_id = hiring.hire(
                connection,
                **by,
                new=NewTechnician(
                    name=f"crew-{each}",
                    region_id=company.regions["sh"],
                    lat=SHANGHAI[0] + 0.02,
                    lon=SHANGHAI[1],
                    capacity=20,
                ),
            )
            hiring.certify(
                connection,
                **by,
                technician_id=technician_id,
                skill="hvac",
                level=2,
                valid_from=date(2025, 1, 1),
            )
            crew.append(
                Actor(
                    kind=ActorKind.USER,
                    org_id=company.org_id,
                    display=f"crew-{each}",
                    user_id=5_000 + each,
                    technician_id=technician_id,
                    grants=(Grant(Role.TECHNICIAN, Scope.OWN),),
                )
            )
    return crew
