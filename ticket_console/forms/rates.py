"""Options that say by which rates work is settled. Pure; what rates there are is known further up."""

from collections.abc import Iterator, Mapping

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldSpec, Option, RateBinding


def bound_options(definition: TemplateDefinition) -> Iterator[tuple[FieldSpec, Option, RateBinding]]:
    for spec in definition.fields:
        for option in spec.options:
            if option.rates is not None:
                yield spec, option, option.rates


def chosen_rates(definition: TemplateDefinition, values: Mapping[str, object]) -> RateBinding | None:
    """What was agreed on by the option that is chosen; None where rates follow the day of the work."""
    for spec, option, rates in bound_options(definition):
        if values.get(spec.key) == option.value:
            return rates
    return None
