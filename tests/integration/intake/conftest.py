"""A company with a published pack in a fresh database of each kind."""

from datetime import datetime

import pytest

from tests.builders.intake import Company, make_company


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return make_company(at)
