"""Labels that customers write themselves, in each language of the console."""

from collections.abc import Mapping

LocalText = dict[str, str]
LOCALES = ("zh", "en")


def pick(text: Mapping[str, str] | None, locale: str) -> str:
    """The label in the wanted language, or in the other one where it was left empty."""
    if not text:
        return ""
    return text.get(locale) or next((text[other] for other in LOCALES if text.get(other)), "")
