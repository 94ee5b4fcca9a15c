"""Every setting is documented in the one table."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_of_settings_is_complete_and_holds_nothing_else() -> None:
    read = set(
        re.findall(r'"([A-Z][A-Z_]{3,})"', (ROOT / "ticket_console/kernel/settings.py").read_text("utf-8"))
    )
    documented = set(
        re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/operations.md").read_text("utf-8"), re.MULTILINE)
    )

    assert documented == read
