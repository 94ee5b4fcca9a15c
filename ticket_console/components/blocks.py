"""The building blocks pages are put together from; they take Vars and handlers and know no State."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventType

from ticket_console.components.shell import link
from ticket_console.components.text import t, tl

Text = rx.Var[str] | str


class _PostForm(rx.el.Div):
    """A form of HTML. Reflex's own never leaves the page, and only an HTTP answer can set our cookie."""

    tag = "form"


def _with_class(props: dict[str, Any], own: str) -> dict[str, Any]:
    extra = props.pop("class_name", "")
    return {**props, "class_name": f"{own} {extra}".strip()}


def _data(**values: Any) -> dict[str, Any]:
    return {f"data-{name}": value for name, value in values.items() if value is not None}


def stack(*children: Any, gap: int = 12, **props: Any) -> rx.Component:
    """Children below each other."""
    return rx.el.div(*children, style={"--gap": f"{gap}px"}, **_with_class(props, "tc-stack"))


def row(*children: Any, gap: int = 8, **props: Any) -> rx.Component:
    """Children beside each other, wrapping where there is no room."""
    return rx.el.div(*children, style={"--gap": f"{gap}px"}, **_with_class(props, "tc-row"))


def grid(*children: Any, least: int = 200, gap: int = 12, **props: Any) -> rx.Component:
    """As many equal columns of at least `least` pixels as fit."""
    style = {"--min": f"{least}px", "--gap": f"{gap}px"}
    return rx.el.div(*children, style=style, **_with_class(props, "tc-grid"))


def split(main: Any, side: Any) -> rx.Component:
    """A wide column with a narrow one beside it, below each other on small screens."""
    return rx.el.div(main, side, class_name="tc-split")


def page_header(title: Text, *actions: rx.Component, hint: Any = None) -> rx.Component:
    """The heading of a page: its one h1, a line below it, and its actions."""
    lead = rx.el.div(
        rx.el.h1(title), *([rx.el.div(hint, class_name="tc-head-hint")] if hint is not None else [])
    )
    return rx.el.header(lead, row(*actions), class_name="tc-head")


def card(
    *children: Any, title: Text | None = None, actions: Sequence[Any] = (), flush: bool = False
) -> rx.Component:
    """A framed section; `flush` for tables and lists that reach its edges."""
    head = [] if title is None else [rx.el.header(rx.el.h2(title), row(*actions))]
    body = rx.el.div(
        *children, class_name="tc-card-body", custom_attrs=_data(flush="true" if flush else None)
    )
    return rx.el.section(*head, body, class_name="tc-card")


def button(
    label: Any,
    *,
    tone: str = "plain",
    icon: str | None = None,
    busy: Any = None,
    small: bool = False,
    **props: Any,
) -> rx.Component:
    """A button; `tone` is plain, primary, danger or quiet. While `busy` it spins and cannot be pressed."""
    lead: list[Any] = [rx.icon(icon, aria_hidden="true")] if icon else []
    if busy is not None:
        lead = [rx.cond(busy, rx.el.span(class_name="tc-spin", aria_hidden="true"), rx.fragment(*lead))]
        props["disabled"] = busy | props["disabled"] if "disabled" in props else busy
    props.setdefault("type", "button")
    attrs = {**_data(tone=tone, size="small" if small else None), **props.pop("custom_attrs", {})}
    return rx.el.button(*lead, label, custom_attrs=attrs, **_with_class(props, "tc-btn"))


def icon_button(icon: str, *, label: Text, tone: str = "quiet", **props: Any) -> rx.Component:
    """A button of one icon; `label` is what it is called."""
    props.setdefault("type", "button")
    return rx.el.button(
        rx.icon(icon, aria_hidden="true"),
        aria_label=label,
        title=label,
        custom_attrs=_data(tone=tone, shape="icon"),
        **_with_class(props, "tc-btn"),
    )


def button_link(
    label: Any,
    *,
    href: Any,
    tone: str = "plain",
    icon: str | None = None,
    document: bool = False,
    **props: Any,
) -> rx.Component:
    """A link that looks like a button; `document` for downloads and what else is no screen of ours."""
    lead = [rx.icon(icon, aria_hidden="true")] if icon else []
    common = {"custom_attrs": _data(tone=tone), **_with_class(props, "tc-btn")}
    if document:
        # Within the pages even a plain `a` is taken over by the router, which would look for a screen.
        return link(*lead, label, href=href, reload_document=True, **common)
    return link(*lead, label, href=href, **common)


def text_link(label: Any, *, href: Any, **props: Any) -> rx.Component:
    return link(label, href=href, **_with_class(props, "tc-link"))


def stat_tile(
    label: Text, value: Any, *, icon: str | None = None, href: Any = None, tone: Any = None, hint: Any = None
) -> rx.Component:
    """A number with its name; with `href` it opens the list behind the number."""
    parts = [
        rx.el.span(*([rx.icon(icon, aria_hidden="true")] if icon else []), label, class_name="tc-tile-label"),
        rx.el.span(value, class_name="tc-tile-value"),
        *([rx.el.span(hint, class_name="tc-help")] if hint is not None else []),
    ]
    attrs = _data(tone=tone)
    if href is None:
        return rx.el.div(*parts, class_name="tc-tile", custom_attrs=attrs)
    return link(*parts, href=href, class_name="tc-tile", custom_attrs=attrs)


def badge(label: Any, *, tone: Any = "plain", icon: str | None = None) -> rx.Component:
    """A small label; `tone` is plain, ok, warn, danger, accent, violet or teal."""
    lead = [rx.icon(icon, aria_hidden="true")] if icon else []
    return rx.el.span(*lead, label, class_name="tc-badge", custom_attrs=_data(tone=tone))


def stage_chip(name: Any, category: Any) -> rx.Component:
    """A stage by its {zh, en} name, coloured by category: todo, doing, waiting, done or cancelled."""
    return badge(tl(name), tone=category)


def priority_chip(level: Any, *, words: bool = True) -> rx.Component:
    """A priority from 1 (most urgent) to 4, as bars and a word."""
    key = rx.Var.create("priority.") + rx.Var.create(level).to(str)
    bars = rx.el.span(
        rx.el.i(),
        rx.el.i(),
        rx.el.i(),
        class_name="tc-bars",
        custom_attrs=_data(level=level),
        aria_hidden="true",
    )
    word = rx.el.span(t(key), class_name="" if words else "tc-sr")
    return rx.el.span(bars, word, class_name="tc-priority")


def progress_bar(basis_points: Any, *, label: Text) -> rx.Component:
    """Progress from 0 to 10,000 basis points."""
    percent = rx.Var.create(basis_points).to(int) / 100
    bar = rx.el.i(style={"width": percent.to(str) + "%"})
    return rx.el.div(
        bar,
        class_name="tc-progress",
        role="progressbar",
        aria_label=label,
        custom_attrs={
            "aria-valuemin": 0,
            "aria-valuemax": 100,
            "aria-valuenow": percent,
            "data-done": (percent >= 100).to(str),
        },
    )


def note(*children: Any, tone: str = "plain", icon: str = "info", **props: Any) -> rx.Component:
    """A framed remark; `tone` is plain, ok, warn or danger."""
    return rx.el.div(
        rx.icon(icon, aria_hidden="true"),
        rx.el.div(*children),
        custom_attrs=_data(tone=tone),
        **_with_class(props, "tc-note"),
    )


def facts(*pairs: tuple[Text, Any]) -> rx.Component:
    """Names with their values."""
    entries = [part for name, value in pairs for part in (rx.el.dt(name), rx.el.dd(value))]
    return rx.el.dl(*entries, class_name="tc-facts")


def timeline(entries: Any, draw: Callable[[Any], tuple[rx.Component, Any, Any]]) -> rx.Component:
    """What happened, newest or oldest first as given; `draw` returns icon, tone and content of an entry."""

    def entry(item: Any) -> rx.Component:
        icon, tone, content = draw(item)
        dot = rx.el.span(icon, class_name="tc-dot", custom_attrs=_data(tone=tone), aria_hidden="true")
        return rx.el.li(dot, rx.el.div(content))

    return rx.el.ol(rx.foreach(entries, entry), class_name="tc-timeline")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its heading and how a row's cell is drawn."""

    title: Text
    draw: Callable[[Any], Any]
    align: str | None = None
    nowrap: bool = False
    width: str | None = None


def data_table(
    columns: Sequence[Column],
    rows: Any,
    *,
    caption: Text,
    on_row_click: Callable[[Any], EventType[()]] | None = None,
    cards_on_phone: bool = True,
    height: str | None = None,
    foot: Sequence[Any] = (),
) -> rx.Component:
    """A table with a heading that stays in sight; `caption` names it for screen readers.

    A row that can be clicked should also hold a link, for the keyboard.
    """

    def heading(column: Column) -> rx.Component:
        style = {"width": column.width} if column.width else {}
        return rx.el.th(column.title, scope="col", custom_attrs=_data(align=column.align), style=style)

    def line(item: Any) -> rx.Component:
        cells = [
            rx.el.td(
                column.draw(item),
                custom_attrs=_data(
                    label=column.title, align=column.align, nowrap="true" if column.nowrap else None
                ),
            )
            for column in columns
        ]
        if on_row_click is None:
            return rx.el.tr(*cells)
        return rx.el.tr(*cells, on_click=on_row_click(item), custom_attrs=_data(link="true"))

    table = rx.el.table(
        rx.el.caption(caption, class_name="tc-sr"),
        rx.el.thead(rx.el.tr(*[heading(column) for column in columns])),
        rx.el.tbody(rx.foreach(rows, line)),
        *([rx.el.tfoot(rx.el.tr(*[rx.el.td(cell) for cell in foot]))] if foot else []),
        class_name="tc-table",
        custom_attrs=_data(cards="true" if cards_on_phone else None),
    )
    style = {"--table-height": height} if height else {}
    # Scrollable areas must be reachable with the keyboard.
    return rx.el.div(
        table, class_name="tc-table-box", style=style, tab_index=0, role="region", aria_label=caption
    )


def pagination(
    *, page: Any, pages: Any, total: Any, on_previous: EventType[()], on_next: EventType[()]
) -> rx.Component:
    """Which page of how many; pages count from 1."""
    return rx.el.nav(
        rx.el.span(t("table.total", n=total), class_name="tc-small"),
        row(
            icon_button(
                "chevron_left",
                label=t("table.previous"),
                tone="plain",
                on_click=on_previous,
                disabled=page <= 1,
            ),
            rx.el.span(t("table.page", page=page, pages=pages), class_name="tc-small"),
            icon_button(
                "chevron_right", label=t("table.next"), tone="plain", on_click=on_next, disabled=page >= pages
            ),
        ),
        class_name="tc-pages",
        aria_label=t("table.pages"),
    )


def tabs(
    options: Sequence[tuple[str, Text]], *, value: Any, on_change: Callable[[str], EventType[()]], label: Text
) -> rx.Component:
    """A few views of which one is shown: [(key, text)]."""
    buttons = [
        rx.el.button(
            text,
            type="button",
            on_click=on_change(key),
            custom_attrs={"aria-pressed": rx.cond(value == key, "true", "false")},
        )
        for key, text in options
    ]
    return rx.el.div(*buttons, class_name="tc-tabs", role="group", aria_label=label)


def search_box(*, label: Text, **props: Any) -> rx.Component:
    """A search field; the key "/" leads to it."""
    field = rx.el.input(
        type="search",
        placeholder=label,
        aria_label=label,
        custom_attrs={"data-search": "true"},
        **_with_class(props, "tc-input"),
    )
    return rx.el.label(rx.icon("search", aria_hidden="true"), field, class_name="tc-search")


def field(
    label: Text,
    control: rx.Component,
    *,
    required: bool = False,
    help: Text | None = None,
    problem: Any = None,
) -> rx.Component:
    """A control with its label above and its help or problem below."""
    star = [rx.el.span("*", class_name="tc-need", aria_hidden="true")] if required else []
    caption = rx.el.span(label, *star, class_name="tc-label")
    parts: list[Any] = [rx.el.label(caption, control, class_name="tc-field")]
    if help is not None:
        parts.append(rx.el.span(help, class_name="tc-help"))
    if problem is not None:
        parts.append(
            rx.cond(problem, rx.el.span(problem, class_name="tc-problem", role="alert"), rx.fragment())
        )
    return rx.el.div(*parts, class_name="tc-field")


def post_form(*children: Any, action: str, **props: Any) -> rx.Component:
    """A form that the browser itself posts to one of our HTTP routes."""
    return _PostForm.create(*children, custom_attrs={"action": action, "method": "post"}, **props)


def text_input(**props: Any) -> rx.Component:
    return rx.el.input(**_with_class(props, "tc-input"))


def text_area(**props: Any) -> rx.Component:
    return rx.el.textarea(**_with_class(props, "tc-area"))


def select(options: Any, *, value: Any, **props: Any) -> rx.Component:
    """A native select over [{value, label}] (a Var) or over literal (value, text) pairs."""
    if isinstance(options, rx.Var):
        entries: Any = [
            rx.foreach(options, lambda each: rx.el.option(tl(each["label"]), value=each["value"].to(str)))
        ]
    else:
        entries = [rx.el.option(text, value=key) for key, text in options]
    return rx.el.select(*entries, value=value, **_with_class(props, "tc-select"))


def empty(title: Text, *actions: rx.Component, text: Any = None, icon: str = "inbox") -> rx.Component:
    """Nothing here, and what to do about it."""
    return rx.el.div(
        rx.icon(icon, aria_hidden="true"),
        rx.el.strong(title),
        *([rx.el.div(text, class_name="tc-empty-text")] if text is not None else []),
        *actions,
        class_name="tc-empty",
    )


def failed(*, on_retry: EventType[()], title: Text | None = None) -> rx.Component:
    """Loading went wrong; try again."""
    return rx.el.div(
        rx.icon("circle_alert", aria_hidden="true"),
        rx.el.strong(title if title is not None else t("load.failed")),
        rx.el.div(t("load.failed.text"), class_name="tc-empty-text"),
        button(t("load.retry"), icon="rotate_cw", on_click=on_retry),
        class_name="tc-empty",
        role="alert",
    )


def bone(*, width: str = "100%", height: str = "14px") -> rx.Component:
    """One grey bar where a text will stand."""
    return rx.el.div(class_name="tc-bone", style={"--width": width, "--height": height})


def loading_rows(count: int = 6) -> rx.Component:
    """The grey shape of a list that is being loaded."""
    widths = ("92%", "78%", "85%", "64%", "88%", "72%")
    bones = [bone(width=widths[at % len(widths)], height="16px") for at in range(count)]
    return stack(
        rx.el.span(t("load.busy"), class_name="tc-sr", role="status"),
        *bones,
        gap=18,
        class_name="tc-card-body",
    )


def loaded(
    status: Any, content: rx.Component, *, waiting: rx.Component | None = None, on_retry: EventType[()]
) -> rx.Component:
    """The content once `status` is "ready"; before that its grey shape, after a fault a way to try again.

    `status` is "loading", "ready" or "failed".
    """
    return rx.match(
        status,
        ("ready", content),
        ("failed", failed(on_retry=on_retry)),
        waiting if waiting is not None else loading_rows(),
    )
