"""The designer's first page: every form and flow, and the beginning of new ones."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import reflex as rx

from ticket_console.desk import publishing
from ticket_console.flows import drafts as flow_drafts
from ticket_console.forms import drafts as form_drafts
from ticket_console.forms.tables import DraftKind
from ticket_console.i18n import catalog
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.documents import Document
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.packs import contents
from ticket_console.reports import designed
from ticket_console.reports.designed import Designed
from ticket_console.state.asked import text_asked
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import both

Plain = dict[str, Any]

_NAME_LENGTH: Final = 120


class DesignerState(SessionState):
    status: str = "loading"
    cards: list[Plain] = []
    lines: list[Plain] = []
    library: list[Plain] = []

    @handler(permission="template.manage")
    async def load(self) -> Reply:
        self.cards = await off_loop(_cards, viewer=self._actor())
        self.lines = _lines(self.cards)
        self.library = _library()
        self.status = "ready"
        return None

    @handler(permission="template.manage")
    async def create(self, asked: Plain) -> Reply:
        """Begin a form or a flow: empty, as a copy of one there is, or from the library."""
        kind = text_asked(asked, "kind")
        code = await off_loop(
            _begun,
            actor=self._actor(),
            at=self._now(),
            kind=kind,
            code=text_asked(asked, "code"),
            name=_name(asked),
            source=text_asked(asked, "source"),
        )
        return rx.redirect(f"/designer/{kind}s/{code}")


def _name(asked: Mapping[str, Any]) -> dict[str, str]:
    given = asked.get("name")
    if not isinstance(given, Mapping):
        raise InvalidInput((FieldProblem("name", "input.wrong_type"),))
    name = {locale: str(given.get(locale) or "").strip()[:_NAME_LENGTH] for locale in ("zh", "en")}
    if not any(name.values()):
        raise InvalidInput((FieldProblem("name", "publishing.no_name"),))
    return {locale: text for locale, text in name.items() if text}


def _begun(*, actor: Actor, at: datetime, kind: str, code: str, name: dict[str, str], source: str) -> str:
    try:
        wanted = DraftKind(kind)
    except ValueError:
        raise InvalidInput((FieldProblem("kind", "input.not_allowed"),)) from None
    document = _source(actor, wanted, source)
    if wanted is DraftKind.FORM:
        document = {**document, "face": {**document["face"], "name": name}}
        return form_drafts.start(actor=actor, at=at, code=code, document=document).code
    return flow_drafts.start(actor=actor, at=at, code=code, document={**document, "name": name}).code


def _source(actor: Actor, kind: DraftKind, source: str) -> Document:
    """What a new one starts from: "" for nothing, "copy:<code>", or "library:<pack>/<template>"."""
    subject = publishing.SUBJECTS[kind]
    where, _, code = source.partition(":")
    if not where:
        return subject.empty
    if where == "library" and kind is DraftKind.FORM:
        return _from_library(code)
    with reading() as connection:
        found = subject.newest(connection, actor.org_id, code)
    if where != "copy" or found is None:
        raise subject.unknown(code=code)
    return found.document


def _from_library(code: str) -> Document:
    pack, _, wanted = code.partition("/")
    if pack in contents.pack_codes():
        for template in contents.read_pack(pack).templates:
            if template.code == wanted:
                return {"definition": dict(template.definition), "face": _face_of(template)}
    raise publishing.SUBJECTS[DraftKind.FORM].unknown(code=code)


def _face_of(template: contents.PackTemplate) -> Plain:
    face = template.face
    return {
        "name": dict(face.name),
        "business_line": face.business_line,
        "ticket_class": face.ticket_class,
        "icon": face.icon,
        "keywords": list(face.keywords),
        "flow": template.flow,
    }


def _library() -> list[Plain]:
    return [
        {
            "value": f"library:{pack}/{template.code}",
            "label": dict(template.face.name),
            "icon": template.face.icon,
        }
        for pack in contents.pack_codes()
        for template in contents.read_pack(pack).templates
    ]


def _cards(*, viewer: Actor) -> list[Plain]:
    with reading() as connection:
        return [_card(each) for each in designed.designed(connection, viewer=viewer)]


def _card(each: Designed) -> Plain:
    return {
        "kind": each.kind,
        "code": each.code,
        "name": dict(each.name),
        "icon": each.icon,
        "line": each.business_line,
        "number": each.number,
        "at": each.published_at and instant_text(each.published_at),
        "by": each.published_by,
        "open_tickets": each.open_tickets,
        "is_standard": each.is_standard,
        "flow": each.flow,
        "used_by": [dict(name) for name in each.used_by],
        "drafts": [
            {"author": note.author, "is_mine": note.is_mine, "at": instant_text(note.at)}
            for note in each.drafts
        ],
    }


def _lines(cards: list[Plain]) -> list[Plain]:
    texts = catalog("zh")
    lines = sorted({card["line"] for card in cards if card["line"]})
    return [
        {"value": line, "label": both(f"new.line.{line}") if f"new.line.{line}" in texts else line}
        for line in lines
    ]
