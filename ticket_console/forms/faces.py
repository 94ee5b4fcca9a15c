"""The icons a form can have for its face, by their names in Lucide.

One list for whoever draws a form and for every screen that shows it.
"""

from typing import Final

FACE_ICONS: Final = (
    "clipboard-list",
    "clipboard-check",
    "wrench",
    "message-circle-question",
    "message-square-warning",
    "package-plus",
    "package-search",
    "truck",
    "house",
    "store",
    "building-2",
    "headset",
    "phone-call",
    "calendar-check",
    "shield-check",
    "bug",
    "zap",
    "snowflake",
    "droplets",
    "flame",
    "plug",
    "car",
    "utensils",
    "users",
    "graduation-cap",
    "stethoscope",
    "dog",
    "shirt",
    "star",
    "tags",
    "badge-dollar-sign",
    "wallet",
    "scroll-text",
    "video",
    "rocket",
    "lightbulb",
    "key-round",
)
