"""What a flow says and does outside its own ticket: notices, calls of other systems, linked tickets, surveys.

Each is put into the outbox in the transaction of the step that leads to it, and carried out after the commit:
a step never waits for another system, and what it caused is never lost or done for a step that was not.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from ticket_console.clocks import timers
from ticket_console.desk.work import Work
from ticket_console.flows.elements import (
    CallWebhook,
    CreateTicket,
    Node,
    NodeAction,
    NoticeMoment,
    Question,
)
from ticket_console.forms import reads as form_reads
from ticket_console.forms.behaviours import notices_due
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.text import LocalText
from ticket_console.notices import outbox, surveys
from ticket_console.notices.tables import Channel

OVERDUE_TIMER: Final = "overdue"
UNCLAIMED_TIMER: Final = "unclaimed"
TARGET_TIMERS: Final = frozenset({OVERDUE_TIMER, UNCLAIMED_TIMER})

_NAMES: Final = re.compile(r"\{(no|title|step)\}")


def carry_out_action(work: Work, *, node_key: str, index: int, action: NodeAction) -> None:
    """Do what an automatic node says; passed again after a return, it is done again."""
    fact = _fact(work, "act", node_key, index)
    if isinstance(action, CallWebhook):
        _put(work, fact, Channel.WEBHOOK, action.url, _report(work, node_key, action.fields))
        work.draft.say("ticket.webhook_due", node=node_key)
    elif isinstance(action, CreateTicket):
        order = {
            "template": action.template,
            "title": _filled_in(action.title, work, node_key, "zh"),
            "values": dict(action.values),
            "link": action.link.value,
        }
        _put(work, fact, Channel.TICKET, action.template, order)
        work.draft.say("ticket.linked_due", node=node_key, template=action.template)
    else:
        tell(work, fact=fact, to=action.to, text=action.text, channel=action.channel, node_key=node_key)


def ask_survey(work: Work, *, node_key: str, questions: Iterable[Question]) -> None:
    """Ask the customer, once per step of a ticket however often it is passed."""
    survey_id = surveys.ask(
        work.connection,
        org_id=work.actor.org_id,
        at=work.at,
        ticket_id=work.ticket_id,
        node_key=node_key,
        questions=[
            {"key": question.key, "kind": question.kind.value, "label": dict(question.label)}
            for question in questions
        ],
    )
    if survey_id is not None:
        work.draft.say("ticket.survey_asked", node=node_key, survey_id=survey_id)


def on_entering(work: Work, *, node: Node, token_id: int) -> None:
    """A ticket came to rest at a step: its notices, and the moments by which somebody should have acted."""
    _tell_moment(work, node, NoticeMoment.ENTERED, token_id)
    if node.targets is None:
        return
    for kind, minutes in (
        (UNCLAIMED_TIMER, node.targets.claim_minutes),
        (OVERDUE_TIMER, node.targets.finish_minutes),
    ):
        if minutes is not None:
            timers.arm(
                work.connection,
                fact_key=timers.fact_of_target(kind, token_id),
                kind=kind,
                ticket_id=work.ticket_id,
                token_id=token_id,
                due_at=work.at + timedelta(minutes=minutes),
            )


def on_completing(work: Work, *, node: Node, token_id: int) -> None:
    """A step was finished: its notices."""
    _tell_moment(work, node, NoticeMoment.COMPLETED, token_id)


def on_staying_too_long(work: Work, *, node: Node, token_id: int, kind: str) -> None:
    """The moment of a step's time target came and the ticket still stands there."""
    work.draft.say("ticket.step_late", node=node.key, target=kind)
    _tell_moment(work, node, NoticeMoment.OVERDUE, token_id)


def _tell_moment(work: Work, node: Node, moment: NoticeMoment, token_id: int) -> None:
    for index, notice in enumerate(node.notices):
        if notice.on is moment:
            fact = f"step:{token_id}:{moment.value}:{index}"
            tell(work, fact=fact, to=notice.to, text=notice.text, channel=notice.channel, node_key=node.key)


def tell_of_values(work: Work, *, before: Mapping[str, object]) -> None:
    """Tell whom the fields of the template want told: of every condition that began to hold just now."""
    template = form_reads.template_version(work.connection, work.draft.get("template_version_id"))
    for notice in notices_due(template.definition, before, work.facts):
        fact = f"field:{work.ticket_id}.{work.draft.version}:{notice.field_key}:{notice.to}:{notice.channel}"
        tell(work, fact=fact, to=notice.to, text=notice.text, channel=notice.channel, node_key="")


def tell(work: Work, *, fact: str, to: str, text: LocalText, channel: str, node_key: str) -> None:
    """Put down what somebody is to be told. `to` is "assignee", "customer" or "role:<role>".

    A technician nobody has become yet is the dispatchers' matter. A customer without a number cannot be
    told by SMS: the history says so.
    """
    known = Channel(channel)
    recipient = _recipient(work, to, known)
    if not recipient:
        work.draft.say("ticket.notice_without_address", to=to, channel=known.value)
        return
    said = {language: _filled_in(words, work, node_key, language) for language, words in text.items()}
    _put(work, fact, known, recipient, {"text": said, "no": work.draft.get("no")})
    work.draft.say("ticket.notice_due", to=to, channel=known.value)


def _recipient(work: Work, to: str, channel: Channel) -> str:
    if to == "customer":
        number = str(work.draft.get("contact_phone") or "")
        return number if channel is Channel.SMS else f"customer:{work.ticket_id}"
    if to == "assignee":
        assignee_id = work.draft.get("assignee_id")
        return "role:dispatcher" if assignee_id is None else f"technician:{assignee_id}"
    return to


def _filled_in(words: str, work: Work, node_key: str, language: str) -> str:
    """`{no}`, `{title}` and `{step}` of a text, as the ticket has them; other braces stay as they are."""
    node = work.graph.node_by_key.get(node_key)
    step = "" if node is None else node.name.get(language) or next(iter(node.name.values()), "")
    known = {"no": work.draft.get("no"), "title": work.draft.get("title"), "step": step}
    # All at once: what a customer wrote into the title is not filled in again.
    return _NAMES.sub(lambda found: str(known[found[1]]), words)


def _report(work: Work, node_key: str, fields: Iterable[str]) -> Mapping[str, Any]:
    """What another system is told: the ticket by its number, and the fields the flow's author named."""
    get = work.draft.get
    return {
        "event": "ticket.step_passed",
        "at": instant_text(work.at),
        "node": node_key,
        "ticket": {"id": work.ticket_id, "no": get("no"), "priority": get("priority")},
        "fields": {key: work.facts[key] for key in fields if work.facts.get(key) is not None},
    }


def _fact(work: Work, kind: str, node_key: str, index: int) -> str:
    return f"{kind}:{work.ticket_id}.{work.draft.version}:{node_key}:{index}"


def _put(work: Work, fact: str, channel: Channel, recipient: str, payload: Mapping[str, Any]) -> None:
    outbox.enqueue(
        work.connection,
        org_id=work.actor.org_id,
        at=work.at,
        ticket_id=work.ticket_id,
        fact_key=fact,
        channel=channel,
        recipient=recipient,
        payload=payload,
    )
