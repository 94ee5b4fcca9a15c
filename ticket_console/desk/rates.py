"""Where forms and settlement meet: the rates that options of a form stand for."""

from collections.abc import Iterator, Mapping

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.rates import bound_options, chosen_rates
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import FieldProblem
from ticket_console.settlement import pinned
from ticket_console.settlement.pinned import RateVersion


def rate_versions(connection: Connection, viewer: Actor) -> tuple[RateVersion, ...]:
    """What whoever draws a form may bind an option to; amounts are no part of it."""
    policy.require(viewer, "template.manage")
    return pinned.rate_versions(connection, viewer.org_id)


def pinned_rules(definition: TemplateDefinition, values: Mapping[str, object]) -> str | None:
    """The version that was agreed on by what was chosen, as facts name it."""
    rates = chosen_rates(definition, values)
    return None if rates is None else pinned.pin(rates.rule_set, rates.version)


def rate_problems(
    connection: Connection, org_id: int, definition: TemplateDefinition
) -> Iterator[FieldProblem]:
    """Options bound to rates that were never published."""
    bound = list(bound_options(definition))
    known = (
        {(each.rule_set, each.version) for each in pinned.rate_versions(connection, org_id)}
        if bound
        else set()
    )
    for spec, option, rates in bound:
        if (rates.rule_set, rates.version) not in known:
            yield FieldProblem(
                f"fields.{spec.key}.options",
                "template.unknown_rate_version",
                {"option": option.value, "rule_set": rates.rule_set, "number": rates.version},
            )
