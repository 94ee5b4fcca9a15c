"""The form that anybody may fill in without logging in: what it asks, and what is done with an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from limits import RateLimitItemPerMinute
from sqlalchemy.engine import Connection

from ticket_console.access import throttle
from ticket_console.access.house import house
from ticket_console.access.places import OrgView
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldSpec
from ticket_console.forms.reads import PublishedTemplate, TemplateNotFound
from ticket_console.intake.public_fields import public_fields
from ticket_console.intake.receiving import Receipt, channel_actor, receive
from ticket_console.kernel.database import reading
from ticket_console.kernel.text import LocalText

CHANNEL: Final = "web_form"
PER_ADDRESS: Final = RateLimitItemPerMinute(20, namespace="public_form")


@dataclass(frozen=True, slots=True)
class PublicForm:
    """A template as the public sees it: the fields asked for at opening that are no internal matter."""

    code: str
    name: LocalText
    icon: str
    company: LocalText
    org_id: int
    tz: str
    fields: tuple[FieldSpec, ...]
    definition: TemplateDefinition


def public_forms(connection: Connection) -> tuple[PublicForm, ...]:
    """Every template that is open to the public."""
    org = house(connection)
    return tuple(
        _form(template, org)
        for template in form_reads.published_templates(connection, org.id)
        if template.is_public
    )


def public_form(connection: Connection, template_code: str) -> PublicForm:
    """The form of a public template; TemplateNotFound also for one that is not public."""
    org = house(connection)
    template = form_reads.template_by_code(connection, org.id, template_code)
    if not template.is_public:
        raise TemplateNotFound(code=template_code)
    return _form(template, org)


def receive_public(
    *,
    at: datetime,
    template_code: str,
    answer: Mapping[str, Any],
    submission_key: str,
    address: str,
) -> Receipt:
    """Receive a filled-in form.

    `answer` holds `title`, `description`, `contact_name`, `contact_phone`, `address`, `latitude`,
    `longitude`, `values` by field, and `website`, which the page hides and only programs fill in.
    `submission_key` is made once per form shown, so that a double click sends one request.
    `address` is where it comes from, for the limit per minute. Raises RateLimited,
    TemplateNotFound, InvalidInput, LooksAutomatic.
    """
    throttle.hit(PER_ADDRESS, address)
    with reading() as connection:
        form = public_form(connection, template_code)
    return receive(
        actor=channel_actor(form.org_id, CHANNEL),
        at=at,
        channel=CHANNEL,
        delivery_key=submission_key,
        payload={**answer, "template": template_code},
    )


def _form(template: PublishedTemplate, org: OrgView) -> PublicForm:
    return PublicForm(
        template.code,
        template.name,
        template.icon,
        org.name,
        org.id,
        org.tz,
        public_fields(template.definition),
        template.definition,
    )
