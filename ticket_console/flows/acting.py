"""Who may do what at a step, and who may fill in its fields, as far as the graph alone can say."""

from collections.abc import Iterator

from ticket_console.access.policy import PERMISSIONS
from ticket_console.flows.elements import Act, FieldAccess, HandlerMode, Node
from ticket_console.kernel.actor import Role
from ticket_console.kernel.errors import FieldProblem

CUSTOMER = "customer"
SYSTEM = "system"

_ANYWHERE = frozenset({Role.MANAGER, Role.DISPATCHER})


def hands(node: Node, act: Act) -> frozenset[str]:
    """The roles that may do this at the step; beside them "customer" and "system", where it is theirs."""
    modes = {handler.mode for handler in node.possible_handlers}
    found = {role.value for role in Role if _may(role, node, act, modes)}
    if HandlerMode.CUSTOMER in modes:
        found.add(CUSTOMER)
    if HandlerMode.SYSTEM in modes:
        found.add(SYSTEM)
    return frozenset(found)


def _may(role: Role, node: Node, act: Act, modes: set[HandlerMode]) -> bool:
    if "ticket.act" not in PERMISSIONS[role]:
        return False
    grant = node.grant_of(role)
    if grant is not None:
        return act in grant.acts and (role is not Role.TECHNICIAN or HandlerMode.TECHNICIAN in modes)
    if role in _ANYWHERE:
        return True
    if role is Role.TECHNICIAN:
        return HandlerMode.TECHNICIAN in modes
    return any(
        handler.mode is HandlerMode.QUEUE and handler.role == role for handler in node.possible_handlers
    )


def acting_problems(node: Node) -> Iterator[FieldProblem]:
    """A step nobody can finish, one that whoever it is given to cannot, and entries nobody can make."""
    path = f"nodes.{node.key}.permissions"
    finishing = hands(node, Act.COMPLETE)
    if not finishing:
        yield FieldProblem(path, "flow.nobody_may_act")
        return
    for handler in node.possible_handlers:
        role = Role.TECHNICIAN.value if handler.mode is HandlerMode.TECHNICIAN else handler.role
        is_given = handler.mode in (HandlerMode.TECHNICIAN, HandlerMode.QUEUE)
        if is_given and role is not None and role not in finishing:
            yield FieldProblem(path, "flow.handler_may_not_act", {"role": role})
    for use in node.fields:
        if use.required and not any(_may_fill(role, node, use.key) for role in finishing):
            yield FieldProblem(path, "flow.nobody_may_fill", {"field": use.key})


def _may_fill(role: str, node: Node, field_key: str) -> bool:
    grant = node.grant_of(role)
    return grant is None or grant.fields.get(field_key, FieldAccess.WRITE) is FieldAccess.WRITE
