"""Boards that are kept under a name: one's own, or shared with everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ticket_console.access import accounts, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from ticket_console.tickets.tables import BoardView

NAME_LENGTH: Final = 60
QUERY_LENGTH: Final = 500
MOST_KEPT: Final = 50
# What an address of a board may ask for; anything else is left out of what is kept.
ASKED: Final = (
    "by",
    "rows",
    "density",
    "region",
    "template",
    "priority",
    "assignee",
    "overdue",
    "late",
    "mine",
    "vip",
    "unread",
    "q",
)

_views = table(BoardView)


class ViewNotFound(NotFound):
    """Also said of views that somebody else keeps for themselves."""

    code = "board.view_not_found"


class ViewExists(Conflict):
    code = "board.view_exists"


class TooManyViews(Conflict):
    code = "board.too_many_views"


class NotYourView(Forbidden):
    """A shared view is changed by whoever made it, and taken away by them or by who may share as well."""

    code = "board.not_your_view"


@dataclass(frozen=True, slots=True)
class SavedView:
    id: int
    name: str
    is_shared: bool
    is_mine: bool
    owner: str
    query: str


def views(connection: Connection, viewer: Actor) -> tuple[SavedView, ...]:
    """The viewer's own views and those that are shared with them, by name."""
    policy.require(viewer, "board.view")
    rows = connection.execute(
        sa.select(_views)
        .where(_views.c.org_id == viewer.org_id, _seen_by(viewer))
        .order_by(sa.func.lower(_views.c.name), _views.c.id)
    ).all()
    names = accounts.names(connection, viewer.org_id, {row.owner_id for row in rows})
    return tuple(_view(row, viewer, names) for row in rows)


def view(connection: Connection, viewer: Actor, view_id: int) -> SavedView:
    policy.require(viewer, "board.view")
    row = _find(connection, viewer, view_id)
    return _view(row, viewer, accounts.names(connection, viewer.org_id, {row.owner_id}))


def save_view(*, actor: Actor, at: datetime, view_id: int, name: str, is_shared: bool, query: str) -> int:
    """Keep a board, or change one that is kept; returns its number.

    `query` is what its address asks for, of which only what a board knows is kept. Raises ViewExists for a
    second one of the name, NotYourView for somebody else's, and Forbidden where it is shared by somebody who
    may not.
    """
    policy.require(actor, "board.view")
    owner_id = _user_of(actor)
    kept = _checked(name, query)
    if is_shared:
        policy.require(actor, "board.share")
    columns = {**kept, "is_shared": is_shared, "changed_at": at}
    try:
        with transaction() as connection:
            if view_id:
                row = _find(connection, actor, view_id)
                if row.owner_id != owner_id:
                    raise NotYourView()
                connection.execute(
                    sa.update(_views)
                    .where(_views.c.id == view_id)
                    .values(version=_views.c.version + 1, **columns)
                )
                return view_id
            count = connection.execute(
                sa.select(sa.func.count()).select_from(_views).where(_views.c.owner_id == owner_id)
            ).scalar_one()
            if count >= MOST_KEPT:
                raise TooManyViews(limit=MOST_KEPT)
            made = sa.insert(_views).values(org_id=actor.org_id, owner_id=owner_id, version=1, **columns)
            return int(connection.execute(made.returning(_views.c.id)).scalar_one())
    except IntegrityError as failure:
        raise ViewExists(name=kept["name"]) from failure


def delete_view(*, actor: Actor, view_id: int) -> None:
    """Keep a view no longer: one's own, or a shared one for those who may share."""
    policy.require(actor, "board.view")
    with transaction() as connection:
        row = _find(connection, actor, view_id)
        if row.owner_id != _user_of(actor) and not policy.allows(actor, "board.share"):
            raise NotYourView()
        connection.execute(sa.delete(_views).where(_views.c.id == view_id))


def _checked(name: str, query: str) -> dict[str, str]:
    wanted = " ".join(_printable(name).split())
    problems = []
    if not wanted:
        problems.append(FieldProblem("name", "field.required"))
    if len(wanted) > NAME_LENGTH:
        problems.append(FieldProblem("name", "field.too_long", {"max": NAME_LENGTH}))
    if len(query) > QUERY_LENGTH:
        problems.append(FieldProblem("query", "field.too_long", {"max": QUERY_LENGTH}))
    if problems:
        raise InvalidInput(tuple(problems))
    asked = dict(parse_qsl(_printable(query).removeprefix("?")))
    return {"name": wanted, "query": urlencode({key: asked[key] for key in ASKED if asked.get(key)})}


def _printable(text: str) -> str:
    """Without what no screen shows and not every database keeps."""
    return "".join(each for each in text if each.isprintable())


def _find(connection: Connection, viewer: Actor, view_id: int) -> Any:
    row = connection.execute(
        sa.select(_views).where(_views.c.id == view_id, _views.c.org_id == viewer.org_id, _seen_by(viewer))
    ).first()
    if row is None:
        raise ViewNotFound(view_id=view_id)
    return row


def _seen_by(viewer: Actor) -> sa.ColumnElement[bool]:
    return sa.or_(_views.c.is_shared, _views.c.owner_id == (viewer.user_id or 0))


def _user_of(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden(permission="board.view")
    return actor.user_id


def _view(row: Any, viewer: Actor, names: Mapping[int, str]) -> SavedView:
    return SavedView(
        row.id,
        row.name,
        row.is_shared,
        row.owner_id == viewer.user_id,
        names.get(row.owner_id, ""),
        row.query,
    )
