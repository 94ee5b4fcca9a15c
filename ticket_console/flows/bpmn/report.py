"""What became of each element of a foreign file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ticket_console.kernel.errors import Param


class Outcome(StrEnum):
    """`TOOL` is what a drawing tool keeps for itself, such as colours; it is no part of the process."""

    CONVERTED = "converted"
    ADDED = "added"
    DROPPED = "dropped"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Remark:
    """One element, and in a sentence (`code` with `params`) what happened to it."""

    element: str
    id: str
    name: str
    line: int | None
    outcome: Outcome
    code: str
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    remarks: tuple[Remark, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every element of the process was taken over as it was."""
        return all(remark.outcome is Outcome.TOOL for remark in self.remarks)

    def counts(self) -> dict[Outcome, int]:
        return {outcome: sum(each.outcome is outcome for each in self.remarks) for outcome in Outcome}
