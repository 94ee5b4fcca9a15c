"""Money as integer minor units, with the one rounding and the one way to divide it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    currency: str


def round_half_up(amount: Decimal) -> int:
    """Round an amount in minor units to a whole one, halves away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def allocate(total_minor: int, weights: Sequence[Decimal]) -> tuple[int, ...]:
    """Divide a total so that the parts add up to it exactly (largest remainder, ties to the first).

    Raises ValueError when no weight is positive or one is negative.
    """
    whole = sum(weights, Decimal(0))
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if total_minor < 0 else 1
    exact = [abs(total_minor) * weight / whole for weight in weights]
    parts = [int(share) for share in exact]
    missing = abs(total_minor) - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[:missing]:
        parts[index] += 1
    return tuple(sign * part for part in parts)
