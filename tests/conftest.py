"""What every test may ask for: a moment, a database, a running console and a browser."""

import atexit
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# Nothing a test forgets to say may reach the developer's own console.
_SURROUNDINGS = tempfile.mkdtemp(prefix="console-tests-")
atexit.register(shutil.rmtree, _SURROUNDINGS, ignore_errors=True)
os.environ.update(
    DATA_DIR=_SURROUNDINGS,
    ATTACHMENTS_DIR=f"{_SURROUNDINGS}/attachments",
    DATABASE_URL=f"sqlite:///{_SURROUNDINGS}/no-test-asked-for-this.db",
    SECRET_KEY="a key that only tests are signed with",
    PUBLIC_URL="http://console.test",
    REDIS_URL="",
)

pytest_plugins = ("tests.fixtures.databases", "tests.fixtures.browsers", "tests.fixtures.boards")

KINDS = ("unit", "state", "guards", "integration", "browser")

# Two busy cores make single examples slow without meaning anything.
hypothesis_settings.register_profile(
    "console", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
hypothesis_settings.load_profile("console")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        kind = item.path.relative_to(here).parts[0]
        if kind in KINDS:
            item.add_marker(getattr(pytest.mark, kind))


@pytest.fixture
def at() -> datetime:
    """The moment at which tests happen: ten in the morning in Shanghai, a Saturday."""
    return datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
