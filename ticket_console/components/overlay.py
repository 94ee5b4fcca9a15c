"""What lies over a page: dialogs, menus, notices, the connection banner and the keyboard."""

from typing import Any, Final

import reflex as rx
from reflex.event import EventType, passthrough_event_spec

from ticket_console.components.scripts import script
from ticket_console.components.text import t

OVERLAY_JS: Final = script(__name__, "overlay.jsx")


class _Overlay(rx.Component):
    library = OVERLAY_JS
    lib_dependencies: list[str] = ["sonner@2.0.8", "lucide-react@1.26.0"]


class _Dialog(_Overlay):
    tag = "Dialog"

    open: rx.Var[bool]
    title: rx.Var[str]
    text: rx.Var[str]
    wide: rx.Var[bool]
    on_close: rx.EventHandler[rx.event.no_args_event_spec]


class _ReasonDialog(_Overlay):
    tag = "ReasonDialog"

    open: rx.Var[bool]
    title: rx.Var[str]
    text: rx.Var[str]
    reason_label: rx.Var[str]
    confirm_label: rx.Var[str]
    tone: rx.Var[str]
    asks_reason: rx.Var[bool]
    suggestions: rx.Var[list[str]]
    on_confirm: rx.EventHandler[passthrough_event_spec(str)]
    on_cancel: rx.EventHandler[rx.event.no_args_event_spec]


class _RowMenu(_Overlay):
    tag = "RowMenu"

    items: rx.Var[list[dict[str, Any]]]
    label: rx.Var[str]
    on_pick: rx.EventHandler[passthrough_event_spec(str)]


class _UserMenu(_Overlay):
    tag = "UserMenu"

    name: rx.Var[str]
    roles: rx.Var[list[str]]


class _NoticeBell(_Overlay):
    tag = "NoticeBell"

    unread: rx.Var[int]
    on_look: rx.EventHandler[rx.event.no_args_event_spec]


class _Shortcuts(_Overlay):
    tag = "Shortcuts"

    places: rx.Var[list[dict[str, str]]]
    extra: rx.Var[list[dict[str, str]]]
    roles: rx.Var[list[str]]
    permissions: rx.Var[list[str]]


class _NoticeHub(_Overlay):
    tag = "NoticeHub"


class _ConnectionBanner(_Overlay):
    tag = "ConnectionBanner"


class _CrashScreen(_Overlay):
    tag = "CrashScreen"


class _LocaleSwitch(_Overlay):
    tag = "LocaleSwitch"


class _ThemeSwitch(_Overlay):
    tag = "ThemeSwitch"


class _NavToggle(_Overlay):
    tag = "NavToggle"


notice_hub = _NoticeHub.create
connection_banner = _ConnectionBanner.create
crash_screen = _CrashScreen.create
locale_switch = _LocaleSwitch.create
theme_switch = _ThemeSwitch.create
nav_toggle = _NavToggle.create
user_menu = _UserMenu.create
notice_bell = _NoticeBell.create
shortcuts = _Shortcuts.create


def dialog(
    *children: rx.Component,
    open: rx.Var[bool],
    title: rx.Var[str],
    on_close: EventType[()],
    wide: bool = False,
    **props: Any,
) -> rx.Component:
    """A modal dialog around whatever stands in it; Escape and a click beside it close it."""
    return _Dialog.create(*children, open=open, title=title, on_close=on_close, wide=wide, **props)


def confirm_dialog(
    *,
    open: rx.Var[bool],
    title: rx.Var[str],
    on_confirm: EventType[str],
    on_cancel: EventType[()],
    danger: bool = False,
    **props: Any,
) -> rx.Component:
    """Are you sure; `on_confirm` gets an empty reason."""
    return _ReasonDialog.create(
        open=open,
        title=title,
        on_confirm=on_confirm,
        on_cancel=on_cancel,
        asks_reason=False,
        tone="danger" if danger else "primary",
        **props,
    )


def reason_dialog(
    *,
    open: rx.Var[bool],
    title: rx.Var[str],
    on_confirm: EventType[str],
    on_cancel: EventType[()],
    danger: bool = False,
    **props: Any,
) -> rx.Component:
    """Asks for a reason, which may not be left empty, and hands it to `on_confirm`."""
    return _ReasonDialog.create(
        open=open,
        title=title,
        on_confirm=on_confirm,
        on_cancel=on_cancel,
        asks_reason=True,
        tone="danger" if danger else "primary",
        **props,
    )


def row_menu(items: Any, *, on_pick: EventType[str], label: rx.Var[str] | None = None) -> rx.Component:
    """Three dots that open a menu of [{key, label {zh, en}, tone?, disabled?, href?, download?}]."""
    return _RowMenu.create(
        items=items, on_pick=on_pick, label=label if label is not None else t("common.more")
    )
