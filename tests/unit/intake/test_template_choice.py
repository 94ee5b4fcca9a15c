"""Words that choose a template."""

import pytest

from ticket_console.intake.template_choice import Choice, choose_template

KEYWORDS = {
    "repair": ("修", "坏了", "leak", "broken"),
    "install": ("安装", "install"),
    "complaint": ("投诉", "维修投诉"),
    "quiet": (),
}


# INT-10
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("空调坏了", Choice("repair", "坏了")),
        ("我要对维修投诉", Choice("complaint", "维修投诉")),
        ("Water LEAK in the hall", Choice("repair", "leak")),
        ("Please install it, then fix what is broken", Choice("install", "install")),
        ("安装以后坏了", Choice("install", "安装")),
        ("坏了要安装", Choice("repair", "坏了")),
        ("Good morning", Choice("general", None)),
        ("", Choice("general", None)),
    ],
)
def test_the_longest_keyword_wins_and_of_equals_the_first_said(text: str, expected: Choice) -> None:
    assert choose_template(text, KEYWORDS) == expected
