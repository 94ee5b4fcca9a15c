"""Starts the web process: `python -m ticket_console.serve` serves pages, events and API on one port."""

import asyncio
import signal
import sys
from pathlib import Path

from ticket_console.kernel.settings import BadSetting, Settings, settings


def main() -> int:
    try:
        chosen = settings()
    except BadSetting as wrong:
        print(wrong, file=sys.stderr)
        return 2
    if not Path(".web/build/client/index.html").exists():
        print("The front end is not built yet: run `make build` first.", file=sys.stderr)
        return 2
    asyncio.run(_serve(chosen))
    return 0


async def _serve(chosen: Settings) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server
    from reflex.constants import Env
    from reflex_base.environment import environment

    # The pages were compiled by the build; Reflex must only load and serve them.
    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)

    from ticket_console.ticket_console import app

    server = Server(app(), address="0.0.0.0", port=chosen.port, interface=Interfaces.ASGI, log_enabled=True)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


if __name__ == "__main__":
    sys.exit(main())
