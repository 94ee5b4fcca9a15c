"""Branches of the live plan: tried out by dragging, with the figures beside it, and committed."""

import reflex as rx

from ticket_console.components.blocks import loaded
from ticket_console.components.sandbox.sandbox import sandbox
from ticket_console.pages.frame import console_page
from ticket_console.state.sandbox import SandboxState


@console_page(
    "/sandbox",
    title="sandbox.title",
    active="sandbox",
    permission="ticket.assign",
    width="full",
    on_load=[SandboxState.load, SandboxState.watch],
)
def branches() -> rx.Component:
    return loaded(
        SandboxState.status,
        sandbox(
            branch=SandboxState.branch,
            branches=SandboxState.branches,
            choices=SandboxState.choices,
            verdict=SandboxState.verdict,
            outcome=SandboxState.outcome,
            on_begin=SandboxState.begin,
            on_put=SandboxState.put,
            on_undo=SandboxState.undo,
            on_drop_move=SandboxState.drop,
            on_refresh=SandboxState.refresh,
            on_discard=SandboxState.discard,
            on_commit=SandboxState.commit,
            on_outcome_read=SandboxState.forget_outcome,
        ),
        on_retry=SandboxState.load,
    )
