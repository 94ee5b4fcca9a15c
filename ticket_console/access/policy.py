"""What an actor may do: the only place that refuses for want of a permission."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.errors import Forbidden

_TICKET_WORK: Final = frozenset({"ticket.view", "ticket.act", "ticket.comment", "ticket.attach"})
_FLOOR: Final = _TICKET_WORK | {"board.view", "dashboard.view", "ticket.open", "ticket.cancel", "intake.view"}
_MONEY: Final = frozenset(
    {
        "money.view",
        "settlement.view",
        "settlement.issue",
        "settlement.correct",
        "settlement.respond",
        "settlement.pay",
        "period.close",
    }
)
# Whoever gives out the work says what is first, shares boards, and answers for going over a limit.
_BOARD: Final = frozenset({"board.order", "board.override", "board.share"})
_DEFINITIONS: Final = frozenset({"template.manage", "flow.manage", "rules.manage"})

PERMISSIONS: Final[dict[Role, frozenset[str]]] = {
    Role.MANAGER: _FLOOR
    | _MONEY
    | _DEFINITIONS
    | _BOARD
    | {"board.limit", "dispatch.manage", "roster.manage"}
    | {"ticket.assign", "ticket.adjust", "intake.import", "user.manage", "audit.view", "position.view"}
    | {"shift.hand_over"},
    Role.DISPATCHER: _FLOOR
    | _BOARD
    | {"ticket.assign", "ticket.adjust", "position.view", "roster.manage", "shift.hand_over"},
    Role.TECHNICIAN: _TICKET_WORK | {"settlement.view_own", "settlement.respond", "shift.hand_over"},
    Role.FINANCE: _TICKET_WORK | _MONEY | {"board.view", "dashboard.view"},
    Role.AGENT: _FLOOR | {"intake.import"},
    Role.ACCOUNT_MANAGER: _TICKET_WORK | {"board.view", "dashboard.view", "ticket.open"},
    Role.AUDITOR: frozenset(
        {
            "board.view",
            "ticket.view",
            "dashboard.view",
            "intake.view",
            "money.view",
            "settlement.view",
            "audit.view",
        }
    ),
}
CUSTOMER_PERMISSIONS: Final = frozenset({"ticket.track", "ticket.accept"})
ALL_PERMISSIONS: Final = frozenset[str]().union(*PERMISSIONS.values())


@dataclass(frozen=True, slots=True)
class ScopePart:
    """Rows that satisfy every condition that is set: in these regions, of these classes, the actor's own."""

    region_ids: frozenset[int] | None = None
    ticket_classes: frozenset[str] | None = None
    own: bool = False

    def covers(self, other: "ScopePart") -> bool:
        """Whether every row of `other` is also a row of this part."""
        return (
            (
                self.region_ids is None
                or (other.region_ids is not None and self.region_ids >= other.region_ids)
            )
            and (
                self.ticket_classes is None
                or (other.ticket_classes is not None and self.ticket_classes >= other.ticket_classes)
            )
            and (not self.own or other.own)
        )


@dataclass(frozen=True, slots=True)
class RowScope:
    """The rows a permission reaches: the union of `parts`; no part means no row at all.

    `region_ids`, `ticket_classes` and `own` gather what the parts mention, for display only: to
    filter, use the parts.
    """

    parts: tuple[ScopePart, ...] = ()
    everything: bool = field(init=False)
    region_ids: frozenset[int] = field(init=False)
    ticket_classes: frozenset[str] = field(init=False)
    own: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "everything", ScopePart() in self.parts)
        object.__setattr__(
            self, "region_ids", frozenset().union(*(part.region_ids or () for part in self.parts))
        )
        classes = frozenset[str]().union(*(part.ticket_classes or () for part in self.parts))
        object.__setattr__(self, "ticket_classes", classes)
        object.__setattr__(self, "own", any(part.own for part in self.parts))


NOTHING: Final = RowScope()
EVERYTHING: Final = RowScope((ScopePart(),))


def require(
    actor: Actor,
    permission: str,
    *,
    region_id: int | None = None,
    ticket_class: str | None = None,
    is_own: bool = False,
) -> None:
    """Refuse an actor who lacks the permission; see `allows` for what the arguments ask."""
    if not allows(actor, permission, region_id=region_id, ticket_class=ticket_class, is_own=is_own):
        raise Forbidden(permission=permission)


def require_everywhere(actor: Actor, permission: str) -> None:
    """Refuse an actor who lacks the permission over the whole organisation, for what belongs to no region."""
    if not row_scope(actor, permission).everything:
        raise Forbidden(permission=permission)


def allows(
    actor: Actor,
    permission: str,
    *,
    region_id: int | None = None,
    ticket_class: str | None = None,
    is_own: bool = False,
) -> bool:
    """Whether the actor has the permission: anywhere at all, or, with arguments, over one row.

    Naming a `ticket_class` or a `region_id` asks about one row. A row with a class and no region is
    one that belongs to no region: only grants over the whole organisation reach it, and those over
    the actor's own rows when `is_own` (the row is, or by this very command becomes, the actor's).
    """
    if actor.kind is ActorKind.SYSTEM:
        return True
    if actor.kind is ActorKind.CUSTOMER:
        return actor.ticket_id is not None and permission in CUSTOMER_PERMISSIONS
    if actor.kind is ActorKind.CHANNEL and permission not in actor.permissions:
        return False
    if _is_unowned_channel(actor):
        return True
    is_about_a_row = region_id is not None or ticket_class is not None
    return any(
        permission in PERMISSIONS[grant.role]
        and (not is_about_a_row or _reaches(grant, region_id, ticket_class, is_own))
        for grant in actor.grants
    )


def row_scope(actor: Actor, permission: str) -> RowScope:
    """Which rows the permission reaches; a list, a count or a search reads exactly those."""
    if actor.kind is ActorKind.SYSTEM:
        return EVERYTHING
    if actor.kind is ActorKind.CUSTOMER:
        return NOTHING
    if actor.kind is ActorKind.CHANNEL and permission not in actor.permissions:
        return NOTHING
    if _is_unowned_channel(actor):
        return EVERYTHING
    return RowScope(
        _without_covered(_part(grant) for grant in actor.grants if permission in PERMISSIONS[grant.role])
    )


def permissions_of(actor: Actor) -> frozenset[str]:
    """Every permission the actor has somewhere; what the screens offer."""
    if actor.kind is ActorKind.SYSTEM:
        return ALL_PERMISSIONS
    if actor.kind is ActorKind.CUSTOMER:
        return CUSTOMER_PERMISSIONS if actor.ticket_id is not None else frozenset()
    granted = frozenset[str]().union(*(PERMISSIONS[role] for role in actor.roles))
    if actor.kind is ActorKind.USER:
        return granted
    return actor.permissions if _is_unowned_channel(actor) else actor.permissions & granted


def over_row(actor: Actor, *, region_id: int | None, ticket_class: str | None, is_own: bool = False) -> Actor:
    """The actor with only the grants that reach this row.

    Somebody may be finance in one region and agent in another: what they see of a row is decided by
    the grants that reach it.
    """
    reaching = tuple(grant for grant in actor.grants if _reaches(grant, region_id, ticket_class, is_own))
    return actor if len(reaching) == len(actor.grants) else replace(actor, grants=reaching)


def _is_unowned_channel(actor: Actor) -> bool:
    """A token of the organisation itself; the one of a user never reaches further than that user."""
    return actor.kind is ActorKind.CHANNEL and actor.user_id is None


def _reaches(grant: Grant, region_id: int | None, ticket_class: str | None, is_own: bool) -> bool:
    if grant.ticket_classes and ticket_class is not None and ticket_class not in grant.ticket_classes:
        return False
    if grant.scope is Scope.ORG:
        return True
    if grant.scope is Scope.REGION:
        return region_id in grant.region_ids
    return is_own


def _part(grant: Grant) -> ScopePart:
    return ScopePart(
        region_ids=grant.region_ids if grant.scope is Scope.REGION else None,
        ticket_classes=grant.ticket_classes or None,
        own=grant.scope is Scope.OWN,
    )


def _without_covered(parts: Iterable[ScopePart]) -> tuple[ScopePart, ...]:
    distinct = tuple(dict.fromkeys(parts))
    return tuple(
        part for part in distinct if not any(other != part and other.covers(part) for other in distinct)
    )
