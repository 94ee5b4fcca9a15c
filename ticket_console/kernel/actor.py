"""Who asks: a user, a customer with a link, a channel with a token, or the console itself."""

from dataclasses import dataclass, field
from enum import StrEnum


class ActorKind(StrEnum):
    USER = "user"
    CUSTOMER = "customer"
    CHANNEL = "channel"
    SYSTEM = "system"


class Role(StrEnum):
    MANAGER = "manager"
    DISPATCHER = "dispatcher"
    TECHNICIAN = "technician"
    FINANCE = "finance"
    AGENT = "agent"
    AUDITOR = "auditor"
    ACCOUNT_MANAGER = "account_manager"


class Scope(StrEnum):
    ORG = "org"
    REGION = "region"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a scope. Regions are already expanded to their descendants; no classes means all."""

    role: Role
    scope: Scope
    region_ids: frozenset[int] = frozenset()
    ticket_classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf a command runs or a read is projected.

    `department` is the code of the one they work for, empty for none; `vendor_id` the service partner
    whose person they are.
    `permissions` narrows an API token to the permissions written on it; for everybody else it is
    empty and the grants decide.
    """

    kind: ActorKind
    org_id: int
    display: str
    user_id: int | None = None
    technician_id: int | None = None
    vendor_id: int | None = None
    grants: tuple[Grant, ...] = ()
    permissions: frozenset[str] = frozenset()
    locale: str = "zh"
    department: str = ""
    session_id: int | None = None
    ticket_id: int | None = None
    roles: frozenset[Role] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", frozenset(grant.role for grant in self.grants))

    @property
    def label(self) -> str:
        """What the audit trail keeps of the actor: kind and number, never a personal name."""
        number = self.ticket_id if self.kind is ActorKind.CUSTOMER else self.user_id
        return self.kind.value if number is None else f"{self.kind.value}:{number}"


def system_actor(org_id: int) -> Actor:
    """The console acting by itself: timers, automatic nodes, recovery."""
    return Actor(kind=ActorKind.SYSTEM, org_id=org_id, display="system")
