"""Whether the console is alive, whether it can work, and which one it is."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa
import structlog
from alembic.script import ScriptDirectory
from starlette.responses import JSONResponse, Response

from ticket_console.api.routing import Call, route
from ticket_console.kernel.database import off_loop, reading

log = structlog.get_logger(__name__)

VERSION: Final = "0.1.0"
_REVISIONS: Final = Path(__file__).parents[2] / "alembic"


async def healthz(call: Call[None]) -> Response:
    """Answer as long as the process does."""
    return JSONResponse({"status": "ok"})


async def readyz(call: Call[None]) -> Response:
    """Say whether the database answers and has the schema this version was made for."""
    try:
        found = await off_loop(_revision)
    except sa.exc.SQLAlchemyError as failure:
        log.warning("readyz.database_failed", error=str(failure))
        return JSONResponse({"status": "database unavailable"}, 503)
    if found != newest_revision():
        return JSONResponse({"status": "schema out of date", "revision": found}, 503)
    return JSONResponse({"status": "ready", "revision": found})


async def version(call: Call[None]) -> Response:
    """Name the version."""
    return JSONResponse({"version": VERSION})


@lru_cache(maxsize=1)
def newest_revision() -> str | None:
    return ScriptDirectory(_REVISIONS).get_current_head()


def _revision() -> str | None:
    with reading() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


endpoints: Final = (
    route("/healthz", healthz, public=True, tag="health"),
    route("/readyz", readyz, public=True, tag="health"),
    route("/version", version, public=True, tag="health"),
)
