"""Which template a request is for when its sender did not say: the words decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

DEFAULT_TEMPLATE: Final = "general"


@dataclass(frozen=True, slots=True)
class Choice:
    """`keyword` is the word that decided, None where none did."""

    template_code: str
    keyword: str | None


def choose_template(text: str, keywords: Mapping[str, Iterable[str]]) -> Choice:
    """The template with the longest keyword that occurs in the text; of equals the one said first.

    `keywords` are those of the published templates, by template code.
    """
    said = text.casefold()
    hits = [
        (-len(word), said.index(word.casefold()), code, word)
        for code, words in keywords.items()
        for word in words
        if word and word.casefold() in said
    ]
    if not hits:
        return Choice(DEFAULT_TEMPLATE, None)
    _, _, code, word = min(hits)
    return Choice(code, word)
