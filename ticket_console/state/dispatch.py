"""Rules of dispatch: the policies there are, the one that is looked at or edited, and trying it out."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.desk import ruling
from ticket_console.dispatch import rulebook
from ticket_console.dispatch.rulebook import PolicyMoved, PolicyView
from ticket_console.dispatch.rules import MOST_BANDS, STANDARD, BadTerms, spell_weights
from ticket_console.forms import reads as form_reads
from ticket_console.i18n import catalog
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.kernel.text import LOCALES
from ticket_console.state.feedback import done, refusal
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

PATH: Final = "/dispatch"
# What learning starts from; another number is another split of the same history.
SEED: Final = 20260401
_DEEPEST: Final = 3

Plain = dict[str, Any]


class DispatchState(SessionState):
    status: str = "loading"
    rows: list[Plain] = []
    classes: list[Plain] = []
    regions: list[Plain] = []
    chosen: Plain = {}
    terms: Plain = STANDARD.as_json()
    problems: dict[str, Plain] = {}
    is_changed: bool = False
    versions: list[Plain] = []
    tried: Plain = {}
    busy: str = ""
    asking: str = ""

    @handler(permission="ticket.assign")
    async def load(self) -> Reply:
        try:
            found = await off_loop(_overview, viewer=self._actor())
        except Exception:
            self.status = "failed"
            raise
        self.rows, self.classes, self.regions = found
        asked = self.router.url.query_parameters.get("policy", "")
        wanted = int(asked) if asked.isdecimal() else self.chosen.get("id")
        if not any(row["id"] == wanted for row in self.rows):
            wanted = self.rows[0]["id"] if self.rows else None
        self.chosen = {}
        if wanted is not None:
            await self._show(wanted)
        self.status = "ready"
        return None

    @handler(permission="ticket.assign")
    async def open_policy(self, policy_id: int) -> Reply:
        await self._show(policy_id)
        return None

    @handler(permission="dispatch.manage")
    async def ask(self, what: str) -> Reply:
        """Open a dialog: "new" or "publish"."""
        self.asking = what if what in ("new", "publish") else ""
        self.problems = {}
        return None

    @handler(permission="dispatch.manage")
    async def stop_asking(self) -> Reply:
        self.asking = ""
        return None

    @handler(permission="dispatch.manage")
    async def create(self, form: Plain) -> Reply:
        region = str(form.get("region") or "")
        try:
            policy_id = await in_writer(
                rulebook.create,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                name={locale: str(form.get(locale) or "").strip() for locale in LOCALES},
                ticket_class=str(form.get("ticket_class") or "")[:32] or None,
                region_id=int(region) if region.isdecimal() else None,
            )
        except InvalidInput as refused:
            self._mark(refused)
            return refusal(refused)
        self.asking = ""
        self.rows, self.classes, self.regions = await off_loop(_overview, viewer=self._actor())
        await self._show(policy_id)
        return done("dispatch_page.created")

    @handler(permission="dispatch.manage")
    async def set_value(self, path: str, value: Any) -> Reply:
        """Change one field of the document shown, by its path; numbers come as the text that was typed."""
        keys = path.split(".")
        terms = deepcopy(self.terms)
        part: Any = terms
        for key in keys[:-1]:
            part = part.get(key) if isinstance(part, dict) else None
        if len(keys) > _DEEPEST or not isinstance(part, dict) or keys[-1] not in part:
            return None
        part[keys[-1]] = value if isinstance(value, bool) else str(value)[:60]
        return self._changed(terms)

    @handler(permission="dispatch.manage")
    async def set_vip(self, is_wanted: bool) -> Reply:
        """Weigh tasks of important customers by themselves, from what is weighed now, or like all others."""
        terms = deepcopy(self.terms)
        terms["vip_weights"] = dict(terms["weights"]) if is_wanted else None
        return self._changed(terms)

    @handler(permission="dispatch.manage")
    async def add_band(self) -> Reply:
        terms = deepcopy(self.terms)
        if len(terms["bands"]) < MOST_BANDS:
            terms["bands"].append({"within_m": 10_000, "certified": False})
        return self._changed(terms)

    @handler(permission="dispatch.manage")
    async def remove_band(self, index: int) -> Reply:
        terms = deepcopy(self.terms)
        if 0 <= index < len(terms["bands"]):
            del terms["bands"][index]
        return self._changed(terms)

    @handler(permission="dispatch.manage")
    async def lift_band(self, index: int) -> Reply:
        """One place up, before the ring above it."""
        terms = deepcopy(self.terms)
        bands = terms["bands"]
        if 0 < index < len(bands):
            bands[index - 1], bands[index] = bands[index], bands[index - 1]
        return self._changed(terms)

    @handler(permission="dispatch.manage")
    async def set_band(self, index: int, part: str, value: Any) -> Reply:
        """`part` is "km", of which an empty text is any distance, or "certified"."""
        terms = deepcopy(self.terms)
        if not 0 <= index < len(terms["bands"]):
            return None
        band = terms["bands"][index]
        if part == "certified":
            band["certified"] = value is True
        else:
            band["within_m"] = _metres(str(value)[:20])
        return self._changed(terms)

    @handler(permission="dispatch.manage")
    async def save(self) -> Any:
        self.busy = "save"
        yield
        reply: Reply = None
        try:
            reply = await self._save() or done("dispatch_page.saved")
        finally:
            self.busy = ""
        yield reply

    @handler(permission="dispatch.manage")
    async def discard(self) -> Reply:
        """Back to what is in force."""
        await in_writer(
            rulebook.discard_draft,
            actor=self._actor(),
            policy_id=int(self.chosen["id"]),
            version=int(self.chosen["version"]),
        )
        await self._show(int(self.chosen["id"]))
        return done("dispatch_page.discarded")

    @handler(permission="dispatch.manage")
    async def try_out(self) -> Any:
        """What these rules would change on the tickets that are open; nothing is assigned."""
        self.busy, self.tried = "try", {}
        yield
        reply: Reply = None
        try:
            found = await off_loop(
                ruling.try_out,
                viewer=self._actor(),
                at=self._now(),
                policy_id=int(self.chosen["id"]),
                terms=_document(self.terms),
            )
            self.problems, self.tried = {}, plain(found)
        except BadTerms as refused:
            self._mark(refused)
            reply = refusal(refused)
        finally:
            self.busy = ""
        yield reply

    @handler(permission="dispatch.manage")
    async def learn(self) -> Any:
        """Learn weights from finished jobs; they hold once they are switched on and published."""
        self.busy = "learn"
        yield
        try:
            learned = await off_loop(
                ruling.learn,
                viewer=self._actor(),
                at=self._now(),
                policy_id=int(self.chosen["id"]),
                seed=SEED,
            )
            terms = deepcopy(self.terms)
            terms["learned"] = {
                "weights": spell_weights(learned.weights),
                "seed": learned.seed,
                "report": dict(learned.report),
            }
            self._changed(terms)
        finally:
            self.busy = ""
        yield done("dispatch_page.learned.done")

    @handler(permission="dispatch.manage")
    async def publish(self, form: Plain) -> Reply:
        if self.is_changed:
            refused = await self._save()
            if refused is not None:
                self.asking = ""
                return refused
        found = await in_writer(
            rulebook.publish,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            policy_id=int(self.chosen["id"]),
            version=int(self.chosen["version"]),
            note=str(form.get("note") or ""),
        )
        self.asking = ""
        await self._refresh(found.id)
        return done("dispatch_page.published", number=found.number)

    @handler(permission="dispatch.manage")
    async def put_back(self, number: int) -> Reply:
        found = await in_writer(
            rulebook.put_back,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            policy_id=int(self.chosen["id"]),
            version=int(self.chosen["version"]),
            number=number,
        )
        await self._refresh(found.id)
        return done("dispatch_page.published", number=found.number)

    @handler(permission="dispatch.manage")
    async def retire(self) -> Reply:
        found = await in_writer(
            rulebook.take_out_of_use,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            policy_id=int(self.chosen["id"]),
            version=int(self.chosen["version"]),
        )
        await self._refresh(found.id)
        return done("dispatch_page.retired")

    async def _save(self) -> Reply:
        """Keep the document as the draft; a refusal where nobody could dispatch by it."""
        try:
            found = await in_writer(
                rulebook.save_draft,
                actor=self._actor(),
                policy_id=int(self.chosen["id"]),
                version=int(self.chosen["version"]),
                terms=_document(self.terms),
            )
        except BadTerms as refused:
            self._mark(refused)
            return refusal(refused)
        except PolicyMoved as refused:
            await self._refresh(int(self.chosen["id"]))
            return refusal(refused)
        await self._refresh(found.id)
        return None

    async def _refresh(self, policy_id: int) -> None:
        self.rows, self.classes, self.regions = await off_loop(_overview, viewer=self._actor())
        await self._show(policy_id)

    async def _show(self, policy_id: int) -> None:
        self.chosen, self.terms, self.versions = await off_loop(
            _policy, viewer=self._actor(), policy_id=policy_id
        )
        self.problems, self.is_changed, self.tried = {}, False, {}

    def _changed(self, terms: Plain) -> Reply:
        self.terms, self.is_changed, self.tried = terms, True, {}
        return None

    def _mark(self, refused: InvalidInput) -> None:
        self.problems = {
            each.path: {"code": each.code, "params": dict(each.params)} for each in refused.problems
        }


def _overview(*, viewer: Actor) -> tuple[list[Plain], list[Plain], list[Plain]]:
    with reading() as connection:
        regions = {each.id: each.name for each in places.regions(connection, viewer.org_id)}
        rows = [_row(each, regions) for each in rulebook.policies(connection, viewer)]
        classes = _classes(connection, viewer.org_id)
    return rows, classes, [{"value": str(key), "label": name} for key, name in regions.items()]


def _policy(*, viewer: Actor, policy_id: int) -> tuple[Plain, Plain, list[Plain]]:
    with reading() as connection:
        found = rulebook.policy_view(connection, viewer, policy_id)
        listed = rulebook.versions(connection, viewer, policy_id)
        regions = {each.id: each.name for each in places.regions(connection, viewer.org_id)}
    versions = [
        {
            **{name: value for name, value in plain(each).items() if name != "terms"},
            "changed": list(dict.fromkeys(_field_key(path) for path in each.changed)),
        }
        for each in listed
    ]
    may_edit = policy.row_scope(viewer, "dispatch.manage").everything
    return {**_row(found, regions), "may_edit": may_edit}, found.shown.as_json(), versions


def _row(found: PolicyView, regions: Mapping[int, Any]) -> Plain:
    return {
        "id": found.id,
        "code": found.code,
        "name": dict(found.name),
        "line": _class_label(found.ticket_class),
        "region": None if found.region_id is None else regions.get(found.region_id),
        "version": found.version,
        "number": found.number,
        "is_in_force": found.in_force is not None,
        "has_draft": found.draft is not None,
        "mode": found.shown.mode.value,
    }


def _classes(connection: Connection, org_id: int) -> list[Plain]:
    codes = sorted({each.ticket_class for each in form_reads.published_templates(connection, org_id)})
    return [{"value": code, "label": _class_label(code)} for code in codes]


def _class_label(code: str | None) -> dict[str, str] | None:
    """The name of a business line; its code where it has none."""
    if code is None:
        return None
    key = f"form_designer.class.{code}"
    return {
        locale: str(known) if isinstance(known := catalog(locale).get(key), str) else code
        for locale in LOCALES
    }


_GROUPS: Final[Mapping[str, str]] = {
    "weights": "dispatch_page.term.",
    "vip_weights": "dispatch_page.term.",
    "filters": "dispatch_page.",
    "scales": "dispatch_page.scales.",
    "offer": "dispatch_page.offer.",
}
_ALONE: Final[Mapping[str, str]] = {
    "bands": "dispatch_page.rings",
    "bands_limit": "dispatch_page.rings.limit",
    "vip_weights": "dispatch_page.vip",
    "use_learned": "dispatch_page.learned.use",
}


def _field_key(path: str) -> str:
    """What a field of the document is called on the page."""
    group, _, name = path.partition(".")
    if name:
        return _GROUPS[group] + name
    return _ALONE.get(group, f"dispatch_page.{group}")


# What is no number in a document.
_WORDS: Final = frozenset({"mode", "brand", "shift_end", "vendors", "to"})


def _document(terms: Any, key: str = "") -> Any:
    """The document as it is judged: what was typed as a number is one, and what is none stays as it is."""
    if isinstance(terms, dict):
        return {name: value if name == "report" else _document(value, name) for name, value in terms.items()}
    if isinstance(terms, list):
        return [_document(each, key) for each in terms]
    if isinstance(terms, str) and key not in _WORDS:
        try:
            return float(terms)
        except ValueError:
            return terms
    return terms


def _metres(typed: str) -> Any:
    """Kilometres as they were typed, in metres; nothing typed is any distance."""
    if not typed.strip():
        return None
    try:
        metres = float(typed) * 1_000
    except ValueError:
        return typed
    return round(metres) if abs(metres) < 1e12 else typed
