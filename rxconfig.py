"""What Reflex has to know before the app is imported. The product's own settings are in `ticket_console.kernel.settings`."""

import os

os.environ.setdefault("REFLEX_USE_NPM", "1")

import reflex as rx

config = rx.Config(
    app_name="ticket_console",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    plugins=[rx.plugins.RadixThemesPlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
