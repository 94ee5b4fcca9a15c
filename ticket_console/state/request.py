"""The public forms: what strangers are asked, and what they get for an answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import reflex as rx

from ticket_console.forms.asking import form_fields
from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds import BadValue, parse_value
from ticket_console.forms.reads import TemplateNotFound
from ticket_console.i18n import translate
from ticket_console.intake import public_form
from ticket_console.intake.public_form import PublicForm
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput, RateLimited
from ticket_console.kernel.settings import settings
from ticket_console.kernel.text import LOCALES
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets.tracking import tracking_path

Plain = dict[str, Any]

# A template's own field may be called like one of ours.
_VALUE: Final = "value:"
_PLACE: Final = "place"
_HIDDEN: Final = "website"
# What is asked beside the template's fields: key, kind, whether it must be filled in.
_BEFORE: Final = (("description", FieldKind.LONG_TEXT, True),)
_AFTER: Final = (
    ("contact_name", FieldKind.TEXT, True),
    ("contact_phone", FieldKind.PHONE, True),
    ("address", FieldKind.TEXT, False),
    (_PLACE, FieldKind.LOCATION, False),
    (_HIDDEN, FieldKind.TEXT, False),
)
_SHOWN_AT: Final = {"title": "description", "latitude": _PLACE, "longitude": _PLACE}
# The address of a receipt differs, so that a reload shows it again and a visit shows the form. The draft
# of what was sent goes, or the next request would begin with it.
_SENT: Final = """
sessionStorage.removeItem("tc_draft:request:" + location.pathname.split("/").filter(Boolean).pop());
history.replaceState(history.state, "", location.pathname + %s);
"""
_REMEMBER: Final = rx.call_script(_SENT % '"?sent=1"')
_FORGET: Final = rx.call_script(_SENT % '""')


class RequestState(SessionState):
    status: str = "loading"
    company: dict[str, str] = {}
    forms: list[Plain] = []
    code: str = ""
    name: dict[str, str] = {}
    fields: list[Plain] = []
    actions: list[Plain] = []
    problems: dict[str, Any] = {}
    problem: Plain = {}
    busy: bool = False
    ticket_no: str = ""
    tracking_url: str = ""

    _submission_key: str = ""

    @handler(public=True)
    async def list_forms(self) -> Reply:
        forms = await off_loop(_forms)
        self.forms = [
            {"code": form.code, "name": form.name, "icon": form.icon, "href": f"/request/{form.code}"}
            for form in forms
        ]
        self.company = forms[0].company if forms else {}
        self.status = "ready"
        return None

    @handler(public=True)
    async def open_form(self) -> Reply:
        """Show the form of the address; after a reload the receipt that it still shows."""
        code = self._code()
        if self.ticket_no and self.code == code and "sent" in self.router.url.query_parameters:
            return None
        self._forget()
        self.code = code
        try:
            form = await off_loop(_form, code)
        except TemplateNotFound:
            self.status = "missing"
            return None
        self.company, self.name = form.company, form.name
        self.fields = _fields(form, self._now())
        self.actions = [{"key": "send", "label": _both("request.send"), "tone": "primary"}]
        self.status = "ready"
        return None

    @handler(public=True)
    async def send(self, answer: Plain) -> Any:
        """Receive what was filled in; the same form sent twice is one request."""
        if self.ticket_no:
            return
        self.problems, self.problem = {}, {}
        self.busy = True
        yield
        values = answer.get("values")
        entered = values if isinstance(values, dict) else {}
        try:
            _refuse_unreachable(entered)
            receipt = await in_writer(
                public_form.receive_public,
                at=self._now(),
                template_code=self._code(),
                answer=_answer(entered),
                submission_key=self._submission_key,
                address=self.router.session.client_ip,
            )
        except InvalidInput as refused:
            self._show_problems(refused)
            return
        except RateLimited as refused:
            self.problem = {"code": "request.too_often", "params": refused.params}
            return
        except ConsoleError as refused:
            self.problem = {"code": refused.code, "params": refused.params}
            return
        finally:
            self.busy = False
        self.ticket_no = receipt.ticket_no or ""
        token = receipt.tracking_token
        self.tracking_url = settings().public_url + tracking_path(token) if token else ""
        yield _REMEMBER

    @handler(public=True)
    async def another(self) -> Reply:
        """The empty form again."""
        self._forget()
        return _FORGET

    def _code(self) -> str:
        return self.router.url.path.rstrip("/").rpartition("/")[2][:64]

    def _forget(self) -> None:
        self.status, self.problems, self.problem = "ready", {}, {}
        self.ticket_no = self.tracking_url = ""
        self._submission_key = str(uuid4())

    def _show_problems(self, refused: InvalidInput) -> None:
        known = {field["key"] for field in self.fields}
        found: dict[str, Any] = {}
        elsewhere = 0
        for each in refused.problems:
            path = _SHOWN_AT.get(each.path, each.path)
            key = path if path in known else _VALUE + path.removeprefix("values.")
            if key in known:
                found[key] = {"code": each.code, "params": dict(each.params)}
            else:
                elsewhere += 1
        self.problems = found
        self.problem = {
            "code": "request.check_again" if found else refused.code,
            "params": {"n": len(found), "count": elsewhere or len(found)},
        }


def _fields(form: PublicForm, at: datetime) -> list[Plain]:
    standard = [
        [_plain_field(key, kind, is_required) for key, kind, is_required in part]
        for part in (_BEFORE, _AFTER)
    ]
    drawn = form_fields(
        form.definition,
        asked={spec.key: spec.required for spec in form.fields},
        values={},
        at=at,
        readable={spec.key for spec in form.fields},
    )
    own = [{**each, "key": _VALUE + each["key"], "name": each["key"]} for each in drawn]
    return [*standard[0], *own, *standard[1]]


def _plain_field(key: str, kind: FieldKind, is_required: bool) -> Plain:
    return {
        "key": key,
        "kind": kind.value,
        "label": _both(f"request.field.{key}"),
        "help": _both(f"request.help.{key}"),
        "required": is_required,
        "writable": True,
        "value": None,
        "options": [],
    }


def _both(key: str) -> dict[str, str]:
    return {locale: translate(key, locale) for locale in LOCALES}


def _refuse_unreachable(entered: Mapping[str, Any]) -> None:
    """A request nobody can be called about helps nobody: say so before anything is kept."""
    problems = []
    for key, kind, is_required in (*_BEFORE, *_AFTER):
        text = str(entered.get(key) or "").strip()
        if not text:
            problems += [FieldProblem(key, "field.required")] if is_required else []
        elif kind is FieldKind.PHONE:
            try:
                parse_value(FieldSpec(key, kind, {}), text, None)
            except BadValue as bad:
                problems.append(FieldProblem(key, bad.code, bad.params))
    if problems:
        raise InvalidInput(tuple(problems))


def _answer(entered: Mapping[str, Any]) -> Plain:
    """What was filled in, as the intake takes it; empty fields are left out."""
    given = {key: value for key, value in entered.items() if value not in (None, "", [])}
    place = given.pop(_PLACE, None)
    answer: Plain = {
        "values": {key.removeprefix(_VALUE): value for key, value in given.items() if key.startswith(_VALUE)}
    }
    answer |= {key: value for key, value in given.items() if not key.startswith(_VALUE)}
    if isinstance(place, dict):
        answer |= {"latitude": place.get("lat"), "longitude": place.get("lon")}
    return answer


def _forms() -> tuple[PublicForm, ...]:
    with reading() as connection:
        return public_form.public_forms(connection)


def _form(code: str) -> PublicForm:
    with reading() as connection:
        return public_form.public_form(connection, code)
