"""What the log-in page shows before anybody is known."""

from typing import Final

from ticket_console.demo.company import OFFICE
from ticket_console.demo.seed import PASSWORD
from ticket_console.kernel.actor import Role
from ticket_console.kernel.settings import settings
from ticket_console.state.session import Reply, SessionState, handler

_DEMO_TECHNICIAN: Final = "tech01"


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
    """One account of each role, of those who see the whole company."""
    accounts = {role: login for login, _, role, region, classes in OFFICE if not (region or classes)}
    accounts[Role.TECHNICIAN] = _DEMO_TECHNICIAN
    return [
        {"role": role.value, "username": login, "password": PASSWORD}
        for role, login in sorted(accounts.items(), key=lambda each: list(Role).index(each[0]))
    ]
