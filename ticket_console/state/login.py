"""What the log-in page shows before anybody is known."""

from ticket_console.kernel.settings import settings
from ticket_console.state.session import Reply, SessionState, handler


class LoginState(SessionState):
    next_path: str = "/"
    problem: str = ""
    demo_logins: list[dict[str, str]] = []

    @handler(public=True)
    async def load(self) -> Reply:
        asked = self.router.url.query_parameters
        wanted = asked.get("next", "/")
        # A path of ours and nothing else: "//host" and "/\host" would lead away.
        self.next_path = wanted if wanted.startswith("/") and wanted[1:2] not in {"/", "\\"} else "/"
        self.problem = asked.get("error", "")
        self.demo_logins = _demo_logins() if settings().demo else []
        return None


def _demo_logins() -> list[dict[str, str]]:
    return []
