"""What every answer tells the browser about what it may do with it."""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ticket_console.kernel.settings import settings

DATA_PREFIXES: Final = ("/api/", "/auth/", "/healthz", "/readyz", "/version")
_DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def map_sources(style_url: str, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Where a configured map comes from: the place of its style, and the hosts named beside it."""
    if not style_url:
        return ()
    parts = urlsplit(style_url)
    return (f"{parts.scheme}://{parts.netloc}", *hosts)


def page_policy(allowed_origins: tuple[str, ...], maps: tuple[str, ...] = ()) -> str:
    """What the pages may load and run.

    Reflex starts its pages from a script within the page and runs what the server calls by `eval`;
    its styles are made in the browser. Everything comes from ourselves, but for a map from elsewhere
    that was asked for.
    """
    elsewhere = "".join(f" {source}" for source in maps)
    sockets = " ".join(origin.replace("http", "ws", 1) for origin in allowed_origins)
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob:{elsewhere}",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            f"connect-src 'self' data: blob: {sockets}{elsewhere}",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """Adds to every HTTP answer the headers that it does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        common = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            # Not "no-referrer": a browser then hides the origin of our own forms from us as well, and
            # that origin is what tells them from those of another site. Other sites get nothing.
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if settings().is_secure:
            common["Strict-Transport-Security"] = "max-age=31536000"
        maps = map_sources(settings().map_style_url, settings().map_hosts)
        self._for_pages = {
            **common,
            "Content-Security-Policy": page_policy(settings().allowed_origins, maps),
        }
        self._for_data = {**common, "Content-Security-Policy": _DATA_POLICY, "Cache-Control": "no-store"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = self._for_data if scope["path"].startswith(DATA_PREFIXES) else self._for_pages

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in added.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
