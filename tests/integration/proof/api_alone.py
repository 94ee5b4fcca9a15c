"""The HTTP side of the console without its pages, for machines on which nobody has built them."""

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from starlette.applications import Starlette

from ticket_console.api.app import build_api
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.settings import settings


def load() -> Starlette:
    return build_api(SystemClock())


if __name__ == "__main__":
    Granian(
        f"{__spec__.name}:load",
        factory=True,
        address="127.0.0.1",
        port=settings().port,
        interface=Interfaces.ASGI,
        workers=1,
        backlog=1024,
        log_level=LogLevels.error,
    ).serve()
