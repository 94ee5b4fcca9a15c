"""Scripts beside Python modules are found by the front end under the name of their module."""

from pathlib import Path

import pytest

from ticket_console.components import chart
from ticket_console.components.scripts import script

MODULE = "ticket_console.components.chart"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "assets/external/ticket_console/components/chart/chart.jsx"


def test_a_script_is_linked_below_the_name_of_its_module(elsewhere: Path) -> None:
    address = script(MODULE, "chart.jsx")

    assert address == "$/public/external/ticket_console/components/chart/chart.jsx"
    assert elsewhere.resolve() == Path(chart.__file__).with_name("chart.jsx")


def test_a_link_that_led_elsewhere_is_put_right(elsewhere: Path, tmp_path: Path) -> None:
    elsewhere.parent.mkdir(parents=True)
    elsewhere.symlink_to(tmp_path)

    script(MODULE, "chart.jsx")
    script(MODULE, "chart.jsx")

    assert elsewhere.resolve() == Path(chart.__file__).with_name("chart.jsx")
    assert [each.name for each in elsewhere.parent.iterdir()] == ["chart.jsx"]


def test_a_script_that_is_not_there_is_missed_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        script(MODULE, "chart.jxs")
