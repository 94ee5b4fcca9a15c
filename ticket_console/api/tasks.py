"""The file a task made, for who started it."""

from typing import Final

from starlette.responses import FileResponse, Response

from ticket_console.api.routing import Call, route
from ticket_console.jobs import tasks
from ticket_console.jobs.tasks import ResultFile
from ticket_console.kernel.database import off_loop, reading


async def download_result(call: Call[None]) -> Response:
    """The result of a task the caller started, for as long as it is kept."""

    def read() -> ResultFile:
        with reading() as connection:
            return tasks.result_file(connection, viewer=call.actor, task_id=call.path_param("task_id"))

    found = await off_loop(read)
    return FileResponse(
        found.path,
        media_type="application/octet-stream",
        filename=found.name,
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"},
    )


# Whose task it is is asked below, of its row; whoever may have started one may knock.
endpoints: Final = (
    route(
        "/api/v1/tasks/{task_id:id}/file",
        download_result,
        permission="ticket.view",
        produces="application/octet-stream",
        tag="tasks",
    ),
)
