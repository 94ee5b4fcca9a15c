"""Rules of dispatch: who may be sent, who is preferred, how it is chosen; tried out before it holds."""

from typing import Any

import reflex as rx

from ticket_console.components.allowed import only_for
from ticket_console.components.blocks import (
    Column,
    badge,
    button,
    card,
    data_table,
    empty,
    field,
    grid,
    icon_button,
    loaded,
    note,
    page_header,
    row,
    select,
    stack,
    stat_tile,
    text_area,
    text_input,
    text_link,
)
from ticket_console.components.overlay import dialog
from ticket_console.components.surge_banner import surge_banner
from ticket_console.components.text import number, t, t_with, tl, when
from ticket_console.dispatch.rules import BrandRule, Mode, OfferedTo, ShiftEnd, Term, Vendors
from ticket_console.pages.frame import console_page
from ticket_console.state.dispatch import DispatchState as Rules
from ticket_console.state.surge import SurgeState

Item = rx.vars.ObjectVar[dict[str, Any]]


@console_page(
    "/dispatch", title="dispatch_page.title", active="dispatch", on_load=[Rules.load, SurgeState.watch_surges]
)
def dispatch() -> rx.Component:
    return only_for(
        Rules.permissions,
        "ticket.assign",
        page_header(
            t("dispatch_page.title"),
            rx.cond(
                _may_edit(),
                button(t("dispatch_page.new"), icon="plus", on_click=Rules.ask("new")),
            ),
            hint=t("dispatch_page.hint"),
        ),
        surge_banner(SurgeState.banner),
        loaded(
            Rules.status,
            rx.cond(
                Rules.rows.length() > 0,
                rx.el.div(_list(), _policy(), class_name="tc-policies"),
                empty(t("dispatch_page.none"), text=t("dispatch_page.none.text"), icon="list_checks"),
            ),
            on_retry=Rules.load,
        ),
        _new_dialog(),
        _publish_dialog(),
    )


def _may_edit() -> rx.Var[bool]:
    return Rules.permissions.contains("dispatch.manage")


def _list() -> rx.Component:
    def one(item: Item) -> rx.Component:
        is_open = item["id"] == Rules.chosen["id"]
        return rx.el.li(
            rx.el.button(
                rx.el.strong(tl(item["name"])),
                rx.el.span(
                    rx.cond(item["line"], tl(item["line"]), t("dispatch_page.every_line")),
                    " · ",
                    rx.cond(item["region"], tl(item["region"]), t("dispatch_page.every_region")),
                    class_name="tc-help",
                ),
                row(
                    rx.cond(
                        item["is_in_force"],
                        badge(t("dispatch_page.version", number=item["number"].to(int)), tone="ok"),
                        badge(t("dispatch_page.not_in_force")),
                    ),
                    rx.cond(item["has_draft"], badge(t("dispatch_page.draft"), tone="warn")),
                    gap=4,
                ),
                type="button",
                on_click=Rules.open_policy(item["id"].to(int)),
                custom_attrs={"aria-current": rx.match(is_open, (True, "true"), rx.Var("undefined"))},
            )
        )

    return rx.el.nav(
        rx.el.ul(rx.foreach(Rules.rows, one), class_name="tc-policy-list"),
        aria_label=t("dispatch_page.title"),
    )


def _policy() -> rx.Component:
    return rx.cond(
        Rules.chosen.contains("id"),
        stack(
            _bar(),
            rx.el.fieldset(
                stack(_how(), _who(), _rings(), _weights(), _learned(), gap=14),
                disabled=~_may_edit(),
                class_name="tc-policy-form",
            ),
            _tried(),
            _versions(),
            gap=14,
        ),
    )


def _bar() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h2(tl(Rules.chosen["name"])),
            rx.cond(Rules.is_changed, badge(t("dispatch_page.unsaved"), tone="warn")),
            class_name="tc-row",
        ),
        rx.cond(
            _may_edit(),
            row(
                button(
                    t("dispatch_page.try_out"),
                    icon="flask_conical",
                    on_click=Rules.try_out,
                    busy=Rules.busy == "try",
                ),
                button(
                    t("dispatch_page.save"),
                    icon="save",
                    on_click=Rules.save,
                    busy=Rules.busy == "save",
                    disabled=~Rules.is_changed,
                ),
                rx.cond(
                    Rules.chosen["has_draft"].to(bool) & ~Rules.is_changed,
                    button(t("dispatch_page.discard"), tone="quiet", on_click=Rules.discard),
                ),
                button(
                    t("dispatch_page.publish"),
                    icon="upload",
                    tone="primary",
                    on_click=Rules.ask("publish"),
                    disabled=~(Rules.is_changed | Rules.chosen["has_draft"].to(bool)),
                ),
            ),
            note(t("dispatch_page.read_only"), icon="lock"),
        ),
        class_name="tc-policy-bar",
    )


def _value(path: str) -> rx.Var[Any]:
    part: Any = Rules.terms
    for key in path.split("."):
        part = part.to(dict[str, Any])[key]
    return part


def _problem(path: str | rx.Var[str]) -> rx.Component:
    found = Rules.problems[path].to(dict[str, Any])
    return rx.cond(
        Rules.problems.contains(path),
        rx.el.span(t_with(found["code"].to(str), found["params"]), class_name="tc-problem", role="alert"),
    )


def _number(label: str, path: str, least: int, most: int, unit: str = "") -> rx.Component:
    return rx.el.div(
        field(
            t(label),
            rx.el.span(
                text_input(
                    type="number",
                    min=least,
                    max=most,
                    value=_value(path).to(int),
                    on_change=lambda typed: Rules.set_value(path, typed),
                    custom_attrs={"inputMode": "numeric", "aria-invalid": Rules.problems.contains(path)},
                ),
                *([rx.el.span(t(unit), class_name="tc-help")] if unit else []),
                class_name="tc-measure",
            ),
        ),
        _problem(path),
    )


def _choice(label: str, path: str, choices: Any, words: str) -> rx.Component:
    return rx.el.div(
        field(
            t(label),
            select(
                [(each.value, t(f"{words}.{each.value}")) for each in choices],
                value=_value(path).to(str),
                on_change=lambda value: Rules.set_value(path, value),
            ),
        ),
        _problem(path),
    )


def _check(label: str, path: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=_value(path).to(bool),
            on_change=lambda value: Rules.set_value(path, value),
        ),
        rx.el.span(t(label)),
        class_name="tc-check",
    )


def _how() -> rx.Component:
    return card(
        grid(
            _choice("dispatch_page.mode", "mode", Mode, "dispatch_page.mode"),
            rx.cond(
                _value("mode").to(str) == Mode.OFFER.value,
                rx.fragment(
                    _number("dispatch_page.offer.size", "offer.size", 1, 50),
                    _number("dispatch_page.offer.seconds", "offer.seconds", 10, 86_400),
                    _number("dispatch_page.offer.rounds", "offer.rounds", 1, 20),
                    _choice("dispatch_page.offer.to", "offer.to", OfferedTo, "dispatch_page.offer.to"),
                ),
            ),
            _number("dispatch_page.most_handoffs", "most_handoffs", 1, 100),
            _number("dispatch_page.nobody_minutes", "nobody_minutes", 1, 10_080, "dispatch_page.minutes"),
            least=190,
        ),
        title=t("dispatch_page.how"),
    )


def _who() -> rx.Component:
    return card(
        rx.el.p(t("dispatch_page.who.hint"), class_name="tc-help"),
        grid(
            _choice("dispatch_page.brand", "filters.brand", BrandRule, "dispatch_page.brand"),
            _number("dispatch_page.least_level", "filters.least_level", 0, 10),
            _choice("dispatch_page.shift_end", "filters.shift_end", ShiftEnd, "dispatch_page.shift_end"),
            _choice("dispatch_page.vendors", "filters.vendors", Vendors, "dispatch_page.vendors"),
            least=190,
        ),
        row(
            _check("dispatch_page.territory", "filters.territory"),
            _check("dispatch_page.overlap", "filters.overlap"),
            _check("dispatch_page.standby", "filters.standby"),
            gap=18,
        ),
        title=t("dispatch_page.who"),
    )


def _rings() -> rx.Component:
    def ring(band: Any, index: Any) -> rx.Component:
        each = band.to(dict[str, Any])
        path = rx.Var.create("bands.") + index.to(str) + ".within_m"
        within = each["within_m"]
        return rx.el.li(
            rx.el.span((index.to(int) + 1).to(str), class_name="tc-ring-place"),
            rx.el.span(
                text_input(
                    type="number",
                    min=0,
                    step="0.1",
                    value=rx.cond(within, (within.to(float) / 1000).to(str), ""),
                    placeholder=t("dispatch.band.anywhere"),
                    aria_label=t("dispatch_page.ring.km"),
                    on_change=lambda typed: Rules.set_band(index, "km", typed).debounce(500),
                ),
                rx.el.span(t("dispatch_page.km"), class_name="tc-help"),
                class_name="tc-measure",
            ),
            rx.el.label(
                rx.el.input(
                    type="checkbox",
                    checked=each["certified"].to(bool),
                    on_change=lambda value: Rules.set_band(index, "certified", value),
                ),
                rx.el.span(t("dispatch_page.ring.certified")),
                class_name="tc-check",
            ),
            row(
                icon_button(
                    "arrow_up",
                    label=t("dispatch_page.ring.up"),
                    on_click=Rules.lift_band(index),
                    disabled=index == 0,
                ),
                icon_button("x", label=t("dispatch_page.ring.remove"), on_click=Rules.remove_band(index)),
                gap=2,
            ),
            _problem(path),
            class_name="tc-ring",
        )

    bands = _value("bands").to(list[dict[str, Any]])
    return card(
        rx.el.p(t("dispatch_page.rings.hint"), class_name="tc-help"),
        rx.cond(
            bands.length() > 0,
            rx.el.ol(rx.foreach(bands, ring), class_name="tc-rings"),
            rx.el.p(t("dispatch_page.rings.none"), class_name="tc-muted"),
        ),
        row(
            button(t("dispatch_page.ring.add"), icon="plus", small=True, on_click=Rules.add_band),
            _check("dispatch_page.rings.limit", "bands_limit"),
            gap=18,
        ),
        title=t("dispatch_page.rings"),
    )


def _weights() -> rx.Component:
    is_learned = _value("use_learned").to(bool)
    return card(
        rx.el.p(t("dispatch_page.weights.hint"), class_name="tc-help"),
        _problem("weights"),
        rx.el.div(*[_weight("weights", term) for term in Term], class_name="tc-weights"),
        rx.cond(is_learned, note(t("dispatch_page.weights.learned"), tone="warn", icon="brain")),
        rx.el.label(
            rx.el.input(type="checkbox", checked=_value("vip_weights").to(bool), on_change=Rules.set_vip),
            rx.el.span(t("dispatch_page.vip")),
            class_name="tc-check",
        ),
        rx.cond(
            _value("vip_weights"),
            rx.el.div(*[_weight("vip_weights", term) for term in Term], class_name="tc-weights"),
        ),
        rx.el.details(
            rx.el.summary(rx.icon("chevron_right", aria_hidden="true"), t("dispatch_page.scales")),
            grid(
                _number(
                    "dispatch_page.scales.half_way_m", "scales.half_way_m", 100, 200_000, "dispatch_page.m"
                ),
                _number("dispatch_page.scales.near_m", "scales.near_m", 100, 200_000, "dispatch_page.m"),
                _number("dispatch_page.scales.top_level", "scales.top_level", 1, 10),
                _number("dispatch_page.scales.travel_kmh", "scales.travel_kmh", 1, 120, "dispatch_page.kmh"),
                _number(
                    "dispatch_page.scales.ample_minutes",
                    "scales.ample_minutes",
                    1,
                    10_080,
                    "dispatch_page.minutes",
                ),
                least=190,
            ),
            class_name="tc-more",
        ),
        title=t("dispatch_page.weights"),
    )


def _weight(group: str, term: Term) -> rx.Component:
    path = f"{group}.{term.value}"
    value = _value(path)
    name = t(f"dispatch_page.term.{term.value}")
    return rx.el.div(
        rx.el.div(
            rx.el.span(name, class_name="tc-strong"),
            rx.el.span(t(f"dispatch_page.term.{term.value}.text"), class_name="tc-help"),
        ),
        rx.el.input(
            type="range",
            min=0,
            max=100,
            value=value.to(int),
            on_change=lambda typed: Rules.set_value(path, typed.to(str)).throttle(120),
            aria_label=name,
        ),
        text_input(
            type="number",
            min=0,
            max=100,
            value=value.to(int),
            on_change=lambda typed: Rules.set_value(path, typed),
            aria_label=name,
            custom_attrs={"aria-invalid": Rules.problems.contains(path)},
        ),
        _problem(path),
        class_name="tc-weight",
    )


def _learned() -> rx.Component:
    learned = _value("learned").to(dict[str, Any])
    report = learned["report"].to(dict[str, Any])
    return card(
        rx.el.p(t("dispatch_page.learned.hint"), class_name="tc-help"),
        rx.cond(
            _value("learned"),
            stack(
                _check("dispatch_page.learned.use", "use_learned"),
                rx.cond(
                    report["after"].to(dict[str, Any])["right_bp"].to(int)
                    <= report["before"].to(dict[str, Any])["right_bp"].to(int),
                    note(t("dispatch_page.learned.no_better"), tone="warn", icon="triangle_alert"),
                ),
                rx.el.p(
                    t(
                        "dispatch_page.learned.from",
                        jobs=report["learned_from"].to(int),
                        asked=report["asked"].to(int),
                        seed=learned["seed"].to(int),
                    ),
                    class_name="tc-help",
                ),
                rx.el.div(
                    rx.el.table(
                        rx.el.caption(t("dispatch_page.back_test"), class_name="tc-sr"),
                        rx.el.thead(
                            rx.el.tr(
                                rx.el.th(t("dispatch_page.back_test"), scope="col"),
                                rx.el.th(t("dispatch_page.before"), scope="col"),
                                rx.el.th(t("dispatch_page.after"), scope="col"),
                            )
                        ),
                        rx.el.tbody(
                            *[
                                _result(
                                    name, report["before"], report["after"], is_share=name.endswith("_bp")
                                )
                                for name in (
                                    "right_bp",
                                    "minutes_high",
                                    "minutes_low",
                                    "done_high_bp",
                                    "done_low_bp",
                                )
                            ],
                            *[_learned_weight(term, report, learned) for term in Term],
                        ),
                        class_name="tc-table",
                    ),
                    class_name="tc-table-box",
                    tab_index=0,
                    role="region",
                    aria_label=t("dispatch_page.back_test"),
                ),
                gap=10,
            ),
            rx.el.p(t("dispatch_page.learned.none"), class_name="tc-muted"),
        ),
        rx.cond(
            _may_edit(),
            button(
                t("dispatch_page.learn"),
                icon="brain",
                small=True,
                on_click=Rules.learn,
                busy=Rules.busy == "learn",
            ),
        ),
        title=t("dispatch_page.learned"),
    )


def _result(name: str, before: Any, after: Any, *, is_share: bool) -> rx.Component:
    def figure(part: Any) -> rx.Component:
        value = part.to(dict[str, Any])[name]
        shown = (
            rx.fragment(number(value.to(float) / 100), " %")
            if is_share
            else rx.fragment(number(value.to(int)), " ", t("dispatch_page.minutes"))
        )
        return rx.el.td(rx.cond(rx.Var.create(value).is_none(), "—", shown))

    return rx.el.tr(
        rx.el.th(t(f"dispatch_page.back_test.{name}"), scope="row"), figure(before), figure(after)
    )


def _learned_weight(term: Term, report: Any, learned: Any) -> rx.Component:
    return rx.el.tr(
        rx.el.th(t("dispatch_page.weight_of", what=t(f"dispatch_page.term.{term.value}")), scope="row"),
        rx.el.td(report["weights_before"].to(dict[str, Any])[term.value].to(str)),
        rx.el.td(learned["weights"].to(dict[str, Any])[term.value].to(str)),
    )


def _tried() -> rx.Component:
    before = Rules.tried["before"].to(dict[str, Any])
    after = Rules.tried["after"].to(dict[str, Any])

    def tile(label: str, name: str, draw: Any) -> rx.Component:
        return stat_tile(t(label), rx.fragment(draw(before[name]), " → ", draw(after[name])), icon=None)

    return rx.cond(
        Rules.tried.contains("tasks"),
        card(
            rx.el.p(
                t("dispatch_page.tried.text", n=Rules.tried["tasks"].to(int)),
                rx.cond(Rules.tried["is_cut"], rx.fragment(" ", t("dispatch_page.tried.cut"))),
                class_name="tc-help",
            ),
            grid(
                tile("dispatch_page.tried.placed", "placed", lambda each: number(each.to(int))),
                tile("dispatch_page.tried.km", "metres", lambda each: number(each.to(int) // 1000)),
                tile("dispatch_page.tried.busiest", "busiest", lambda each: number(each.to(int))),
                tile("dispatch_page.tried.gini", "gini_bp", lambda each: number(each.to(int) / 10_000)),
                least=170,
            ),
            rx.cond(
                Rules.tried["moved"].to(list[dict[str, Any]]).length() > 0,
                data_table(
                    [
                        Column(t("dispatch_page.tried.ticket"), _ticket_cell),
                        Column(
                            t("dispatch_page.before"), lambda each: _person(each["before"], each["before_km"])
                        ),
                        Column(
                            t("dispatch_page.after"), lambda each: _person(each["after"], each["after_km"])
                        ),
                    ],
                    Rules.tried["moved"].to(list[dict[str, Any]]),
                    caption=t("dispatch_page.tried"),
                    height="420px",
                ),
                empty(t("dispatch_page.tried.same"), icon="circle_check"),
            ),
            title=t("dispatch_page.tried"),
        ),
    )


def _ticket_cell(each: Item) -> rx.Component:
    return rx.el.div(
        text_link(each["title"].to(str), href="/tickets/" + each["ticket_id"].to_string()),
        rx.el.span(" ", each["no"].to(str), class_name="tc-help tc-mono"),
    )


def _person(name: Any, km: Any) -> rx.Component:
    return rx.cond(
        name,
        rx.fragment(
            name.to(str),
            rx.cond(km.is_none(), "", rx.el.span(" ", t("waiting.distance", km=km), class_name="tc-help")),
        ),
        rx.el.span(t("dispatch_page.nobody"), class_name="tc-muted"),
    )


def _versions() -> rx.Component:
    def one(each: Item) -> rx.Component:
        changed = each["changed"].to(list[str])
        return rx.el.li(
            row(
                badge(t("dispatch_page.version", number=each["number"].to(int))),
                rx.cond(each["is_in_force"], badge(t("dispatch_page.in_force"), tone="ok", icon="check")),
                rx.el.span(each["published_by"].to(str)),
                when(each["published_at"], class_name="tc-help"),
                rx.cond(
                    _may_edit() & ~each["is_in_force"].to(bool),
                    button(
                        t("dispatch_page.put_back"),
                        icon="history",
                        small=True,
                        on_click=Rules.put_back(each["number"].to(int)),
                    ),
                ),
            ),
            rx.cond(each["note"].to(str) != "", rx.el.p(each["note"].to(str))),
            rx.cond(
                changed.length() > 0,
                rx.el.p(
                    t("dispatch_page.changed"),
                    " ",
                    rx.foreach(changed, lambda key: badge(t(key.to(str)))),
                    class_name="tc-help",
                ),
            ),
        )

    return card(
        rx.cond(
            Rules.versions.length() > 0,
            rx.el.ol(rx.foreach(Rules.versions, one), class_name="tc-policy-versions"),
            rx.el.p(t("dispatch_page.versions.none"), class_name="tc-muted"),
        ),
        rx.cond(
            _may_edit() & Rules.chosen["is_in_force"].to(bool),
            button(t("dispatch_page.retire"), icon="power_off", small=True, on_click=Rules.retire),
        ),
        title=t("dispatch_page.versions"),
    )


def _new_dialog() -> rx.Component:
    return dialog(
        rx.el.form(
            stack(
                field(
                    t("dispatch_page.line"),
                    rx.el.select(
                        rx.el.option(t("dispatch_page.every_line"), value=""),
                        rx.foreach(
                            Rules.classes,
                            lambda each: rx.el.option(tl(each["label"]), value=each["value"].to(str)),
                        ),
                        name="ticket_class",
                        class_name="tc-select",
                    ),
                ),
                field(
                    t("dispatch_page.region"),
                    rx.el.select(
                        rx.el.option(t("dispatch_page.every_region"), value=""),
                        rx.foreach(
                            Rules.regions,
                            lambda each: rx.el.option(tl(each["label"]), value=each["value"].to(str)),
                        ),
                        name="region",
                        class_name="tc-select",
                    ),
                ),
                field(
                    t("dispatch_page.name.zh"),
                    text_input(name="zh", required=True, max_length=60),
                    required=True,
                ),
                _problem("name.zh"),
                field(
                    t("dispatch_page.name.en"),
                    text_input(name="en", required=True, max_length=60),
                    required=True,
                ),
                _problem("name.en"),
                rx.el.p(t("dispatch_page.order"), class_name="tc-help"),
            ),
            rx.el.div(
                button(t("common.cancel"), on_click=Rules.stop_asking),
                button(t("dispatch_page.create"), tone="primary", type="submit"),
                class_name="tc-dialog-foot",
            ),
            on_submit=Rules.create,
        ),
        open=Rules.asking == "new",
        title=t("dispatch_page.new"),
        on_close=Rules.stop_asking,
    )


def _publish_dialog() -> rx.Component:
    return dialog(
        rx.el.form(
            stack(
                rx.el.p(t("dispatch_page.publish.text")),
                field(t("dispatch_page.note"), text_area(name="note", max_length=500)),
            ),
            rx.el.div(
                button(t("common.cancel"), on_click=Rules.stop_asking),
                button(t("dispatch_page.publish"), tone="primary", type="submit", icon="upload"),
                class_name="tc-dialog-foot",
            ),
            on_submit=Rules.publish,
        ),
        open=Rules.asking == "publish",
        title=t("dispatch_page.publish"),
        on_close=Rules.stop_asking,
    )
