"""What Reflex has to know before the app is imported. What an operator sets comes from the settings."""

import os
from typing import Any

os.environ.setdefault("REFLEX_USE_NPM", "1")

import reflex as rx
from reflex.constants import StateManagerMode

from ticket_console.kernel.settings import settings

_BAKED_HOST = "endpoint.hostname = frontend_hostname;"
_SAME_HOST = "endpoint.host = window.location.host;"
_BAKED_TLS_PORT = 'endpoint.port = "";'


class SameOriginPlugin(rx.plugins.Plugin):
    """Lets one build serve every address: the browser talks to the host and port it came from.

    Reflex bakes the port of the build into the scripts, which would break PORT, PUBLIC_URL and proxies.
    """

    def pre_compile(self, **context: Any) -> None:
        context["add_modify_task"]("utils/state.js", _talk_to_own_origin)


def _talk_to_own_origin(source: str) -> str:
    if _SAME_HOST in source:
        return source
    if source.count(_BAKED_HOST) != 1 or source.count(_BAKED_TLS_PORT) != 1:
        raise RuntimeError(
            "utils/state.js of this Reflex version builds its addresses differently: adapt rxconfig.py"
        )
    return source.replace(_BAKED_HOST, _SAME_HOST).replace(_BAKED_TLS_PORT, "")


config = rx.Config(
    app_name="ticket_console",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    cors_allowed_origins=settings().allowed_origins,
    redis_url=settings().redis_url or None,
    state_manager_mode=StateManagerMode.REDIS if settings().redis_url else StateManagerMode.MEMORY,
    plugins=[rx.plugins.RadixThemesPlugin(), SameOriginPlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
