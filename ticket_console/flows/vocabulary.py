"""What the conditions of a flow may ask about: what each is called, and which facts it can have at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ticket_console.kernel.condition_analysis import Domain, Field, Witness
from ticket_console.kernel.condition_sentences import sentence
from ticket_console.kernel.text import LOCALES, LocalText

_DOMAINS: Final = {
    "number": Domain.NUMBER,
    "money": Domain.NUMBER,
    "duration": Domain.NUMBER,
    "rating": Domain.WHOLE,
    "date": Domain.DATE,
    "datetime": Domain.INSTANT,
    "yes_no": Domain.FLAG,
    "choice": Domain.CHOICE,
    "multi_choice": Domain.LIST,
    "checklist": Domain.LIST,
    "text": Domain.TEXT,
    "long_text": Domain.TEXT,
}
# What a ticket counts, and never by halves.
_COUNTED: Final = frozenset({"priority", "urgency", "impact", "returns"})


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`labels` name fields by their key and values by "field=value"; `zone` is where instants are read.

    A field of which too little is known has no domain: nothing is said of its conditions that may be wrong.
    """

    domains: Mapping[str, Field] = field(default_factory=dict)
    labels: Mapping[str, LocalText] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"

    def example(self, witness: Witness) -> LocalText:
        """Facts in words: "Quote is 12,000.00 and Urgency is empty"."""
        rules = [rule for name, fact in witness.items() for rule in _rules(name, fact)]
        tree: dict[str, object] = {"combinator": "and", "rules": rules}
        return {locale: sentence(tree, self.labels, locale, self.kinds, self.zone) for locale in LOCALES}


def vocabulary(fields: Iterable[Mapping[str, Any]], *, zone: str) -> Vocabulary:
    """Fields as a browser chooses from them: {value, label, kind, options: [{value, label}]}.

    The same key may come several times, from several forms: its options are those of all of them, and where
    the kinds differ nobody can say what facts it has.
    """
    kinds: dict[str, set[str]] = {}
    options: dict[str, dict[str, None]] = {}
    labels: dict[str, LocalText] = {}
    for each in fields:
        key = str(each["value"])
        kinds.setdefault(key, set()).add(str(each["kind"]))
        labels.setdefault(key, each["label"])
        for option in each["options"]:
            options.setdefault(key, {})[str(option["value"])] = None
            labels.setdefault(f"{key}={option['value']}", option["label"])
    alike = {key: next(iter(found)) for key, found in kinds.items() if len(found) == 1}
    return Vocabulary(
        domains={
            key: Field(Domain.WHOLE if key in _COUNTED else _DOMAINS[kind], tuple(options.get(key, ())))
            for key, kind in alike.items()
            if kind in _DOMAINS
        },
        labels=labels,
        kinds=alike,
        zone=zone,
    )


def _rules(name: str, fact: object) -> list[dict[str, object]]:
    if fact is None or fact == []:
        return [{"field": name, "operator": "null"}]
    if isinstance(fact, list):
        return [{"field": name, "operator": "contains", "value": member} for member in dict.fromkeys(fact)]
    return [{"field": name, "operator": "=", "value": fact}]


NOTHING_KNOWN: Final = Vocabulary()
