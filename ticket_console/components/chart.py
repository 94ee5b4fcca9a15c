"""Bar charts whose bars lead somewhere."""

from collections.abc import Sequence
from typing import Any, Final

import reflex as rx

from ticket_console.components.scripts import script

CHART_JS: Final = script(__name__, "chart.jsx")


class _BarChart(rx.Component):
    library = CHART_JS
    # The smallest build of plotly with bars; chart.jsx imports it when a chart is first shown.
    lib_dependencies: list[str] = ["plotly.js-basic-dist-min@3.7.0"]
    tag = "BarChart"

    rows: rx.Var[list[dict[str, Any]]]
    series: rx.Var[list[dict[str, str]]]
    kind: rx.Var[str]
    form: rx.Var[str]
    currency: rx.Var[str]
    label: rx.Var[str]
    empty: rx.Var[str]
    height: rx.Var[int]


def bar_chart(
    rows: Any,
    series: Sequence[tuple[str, rx.Var[str], str]],
    *,
    label: rx.Var[str],
    empty: rx.Var[str],
    across: bool = False,
    spans: bool = False,
    currency: Any = None,
    between: tuple[str, str] | None = None,
    height: int = 260,
) -> rx.Component:
    """Bars of `rows` by `series`: [(key, name, colour token)], beside each other or, `across`, stacked.

    A row is {"name": {zh, en} or "day": ISO date, key: number, "hrefs": {key: address}}. With `spans`
    the numbers are seconds, with a `currency` its minor units. `between` are the keys of what each number
    should lie between. The numbers also stand below as a table of links, for the keyboard.
    """
    unit = {} if currency is None else {"currency": currency}
    limits = {} if between is None else {"low": between[0], "high": between[1]}
    return _BarChart.create(
        rows=rows,
        series=[{"key": key, "name": name, "tone": tone, **limits} for key, name, tone in series],
        kind="rows" if across else "columns",
        form="span" if spans else "number" if currency is None else "money",
        **unit,
        label=label,
        empty=empty,
        height=height,
    )
