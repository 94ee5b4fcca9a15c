"""The rule library on screen: which rules there are in which version, and drafts of them.

The address says which rule set, version and part of the page is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import reflex as rx
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.access.places import OrgView
from ticket_console.forms import reads as form_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.condition_sentences import sentence
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.settlement import drafting, wording
from ticket_console.settlement.comparing import RuleChange, compare_rules
from ticket_console.settlement.drafting import RuleSetView, VersionView
from ticket_console.settlement.facts import FIELDS, Facts, plain
from ticket_console.settlement.kinds import Dimension, Party, Side, VersionStatus
from ticket_console.settlement.rule_editing import Edit
from ticket_console.settlement.rule_reading import CONDITION_FIELDS
from ticket_console.settlement.rule_templates import TEMPLATES, RuleTemplate, commute
from ticket_console.settlement.rules import (
    CARD_KEYS,
    ITEM_UNITS,
    NUMBER_UNITS,
    ON_BASE,
    ON_CARD,
    WINDOWED,
    Op,
    Rounding,
    RuleSet,
    Split,
)
from ticket_console.settlement.sides import SIDE_OF
from ticket_console.settlement.tier_grid import TierCell, tier_grid
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

TABS: Final = ("rules", "grid", "cards", "templates", "changes", "shadow")
_FLAGS: Final = frozenset({"cross_city", "vip", "on_time", "is_weekend", "is_holiday", "by_vendor"})
_LISTS: Final = frozenset({"hazards", "parts", "tools"})
# An ordinary forenoon, on which a reference ticket is worked.
_FORENOON: Final = time(10)
_MOST_CHANGES: Final = 200


class RulebookState(SessionState):
    status: str = "loading"
    view: Plain = {}
    tab: str = "rules"
    # The code of the rule in the editor, "" for none; a new rule begins with what `began` says.
    editing: str = ""
    began: Plain = {}
    reference: str = "install"
    # What a dialog asks about: "discard".
    asking: str = ""
    _command_id: str = ""

    @handler(permission="settlement.view")
    async def load(self) -> Reply:
        asked = self.router.url.query_parameters
        tab = asked.get("tab", "rules")
        self.tab = tab if tab in TABS else "rules"
        self.editing, self.asking = "", ""
        try:
            await self._show(asked.get("set", ""), _whole(asked.get("version", "")))
        except NotFound:
            self.status = "missing"
            return None
        except Exception:
            self.status = "failed"
            raise
        self.status = "ready"
        return None

    @handler(permission="settlement.view")
    async def show(self, tab: str) -> Reply:
        self.tab, self.editing = tab if tab in TABS else "rules", ""
        return _keep_in_address("tab", "" if self.tab == "rules" else self.tab)

    @handler(permission="settlement.view")
    async def refer_to(self, service_type: str) -> Reply:
        """Fill the grid for a ticket of another service type."""
        self.reference = service_type[:64]
        await self._again()
        return None

    @handler(permission="settlement.view")
    async def edit(self, code: str) -> Reply:
        self.editing, self.began = code[:64], {}
        return None

    @handler(permission="rules.manage")
    async def edit_new(self, began: Plain) -> Reply:
        """Begin a rule; what is known of it already stands in `began`."""
        self.editing, self.began = "+", {str(key): value for key, value in began.items()}
        return None

    @handler(permission="settlement.view")
    async def stop_editing(self) -> Reply:
        self.editing, self.began = "", {}
        return None

    @handler(permission="rules.manage")
    async def begin(self) -> Reply:
        """A draft of the version that is shown; the page goes on with the draft."""
        base, today = self._shown(), date.fromisoformat(self.view["today"])
        draft_id = await in_writer(
            drafting.begin,
            actor=self._actor(),
            at=self._now(),
            base_id=int(base["id"]),
            effective_from=(today.replace(day=1) + timedelta(days=32)).replace(day=1),
            command_id=str(uuid4()),
        )
        await self._show(self.view["set"], draft_id)
        return [done("rulebook.begun"), _keep_in_address("version", str(draft_id))]

    @handler(permission="rules.manage")
    async def ask_discard(self) -> Reply:
        self.asking, self._command_id = "discard", str(uuid4())
        return None

    @handler(permission="rules.manage")
    async def stop_asking(self) -> Reply:
        self.asking = ""
        return None

    @handler(permission="rules.manage")
    async def discard(self, _reason: str) -> Reply:
        version, self.asking, self.editing = self._shown(), "", ""
        await in_writer(
            drafting.discard,
            actor=self._actor(),
            at=self._now(),
            version_id=int(version["id"]),
            expected_hash=str(version["hash"]),
            command_id=self._command_id,
        )
        await self._show(self.view["set"], None)
        return [done("rulebook.discarded"), _keep_in_address("version", "")]

    async def _show(self, code: str, version_id: int | None) -> None:
        self.view = await off_loop(
            look,
            viewer=self._actor(),
            at=self._now(),
            code=code,
            version_id=version_id,
            reference=self.reference,
        )

    def _shown(self) -> Plain:
        """The version on the page; nothing can be asked of a page that shows none."""
        version: Plain = self.view.get("version") or {}
        if not version:
            raise drafting.RuleVersionNotFound()
        return version

    async def _revise(self, edit: Edit) -> None:
        """Change the draft on the page as it was shown; where somebody was faster, their draft is shown."""
        version = self._shown()
        try:
            await in_writer(
                drafting.revise,
                actor=self._actor(),
                at=self._now(),
                version_id=int(version["id"]),
                expected_hash=str(version["hash"]),
                edit=edit,
                command_id=str(uuid4()),
            )
        except drafting.RulesMoved:
            await self._again()
            raise
        await self._again()

    async def _again(self) -> None:
        """Read what is shown once more, after it was changed."""
        await self._show(self.view["set"], int(self._shown()["id"]))


def _keep_in_address(name: str, value: str) -> Any:
    change = f"searchParams.set('{name}', '{value}')" if value else f"searchParams.delete('{name}')"
    return rx.call_script(
        "(() => { const here = new URL(window.location.href);"
        f" here.{change}; window.history.replaceState(window.history.state, '', here); }})()"
    )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def look(*, viewer: Actor, at: datetime, code: str, version_id: int | None, reference: str) -> Plain:
    """Everything the page shows of one version, by default of the one in force today."""
    with reading() as conn:
        org = places.org(conn, viewer.org_id)
        today = at.astimezone(ZoneInfo(org.tz)).date()
        sets = drafting.rule_sets(conn, viewer=viewer)
        if not sets:
            return {}
        rule_set = next((each for each in sets if each.code == code), sets[0])
        version = _chosen(rule_set, version_id, today)
        rules = drafting.rules_of_version(conn, viewer=viewer, version_id=version.id)
        live = rule_set.in_force(today)
        base = live if live is not None and live.id != version.id else None
        in_force = (
            None if base is None else drafting.rules_of_version(conn, viewer=viewer, version_id=base.id)
        )
        side = SIDE_OF[drafting.purpose_of(rule_set.code)]
        choices = {**_choices(conn, viewer, rules), "side": side.value}
    changes = () if in_force is None else compare_rules(in_force, rules)
    is_draft = version.status is VersionStatus.DRAFT
    return {
        "today": today.isoformat(),
        "sets": [{"value": each.code, "label": dict(each.name)} for each in sets],
        "set": rule_set.code,
        "name": dict(rule_set.name),
        "versions": [_version(each, today) for each in rule_set.versions],
        "version": _version(version, today),
        "live": {} if live is None else _version(live, today),
        "is_draft": is_draft,
        "may_edit": policy.row_scope(viewer, "rules.manage").everything,
        "rules": [rule_wire(rule.to_json(), rule.sentence) for rule in rules.rules],
        "cards": [card.to_json() for card in rules.cards.values()],
        "splits": [_split(split) for split in rules.splits],
        "changes": [change_wire(each) for each in changes[:_MOST_CHANGES]],
        "grid": _grid(rules, org, today, reference, side),
        "choices": choices,
        "templates": [_template(each) for each in TEMPLATES],
    }


def _chosen(rule_set: RuleSetView, version_id: int | None, today: date) -> VersionView:
    if version_id is not None:
        found = next((each for each in rule_set.versions if each.id == version_id), None)
        if found is None:
            raise drafting.RuleVersionNotFound()
        return found
    return rule_set.in_force(today) or rule_set.versions[0]


def _version(version: VersionView, today: date) -> Plain:
    return {
        "id": version.id,
        "number": version.number,
        "state": state_of(version, today),
        "hash": version.content_hash,
        "from": version.effective_from.isoformat(),
        "to": "" if version.effective_to is None else version.effective_to.isoformat(),
        "at": "" if version.published_at is None else version.published_at.isoformat(),
    }


def state_of(version: VersionView, today: date) -> str:
    """draft, upcoming, in_force or retired."""
    if version.status is VersionStatus.DRAFT:
        return "draft"
    if version.effective_from > today:
        return "upcoming"
    return "in_force" if version.effective_to is None or today < version.effective_to else "retired"


def rule_wire(rule: Mapping[str, Any], sentence: LocalText) -> Plain:
    return {**rule, "sentence": dict(sentence)}


def _split(split: Split) -> Plain:
    said = {locale: "" if split.when is None else sentence(split.when, FIELDS, locale) for locale in LOCALES}
    shares = {party.value: plain(split.shares.get(party, Decimal(0))) for party in Party}
    return {"name": dict(split.name), "said": said, "shares": shares}


def change_wire(change: RuleChange) -> Plain:
    return {
        "turn": change.turn.value,
        "kind": change.kind.value,
        "code": change.code,
        "name": dict(change.name),
        "parts": list(change.parts),
        "before": dict(change.before or {}),
        "after": dict(change.after or {}),
    }


def _grid(rules: RuleSet, org: OrgView, today: date, reference: str, side: Side) -> list[Plain]:
    names = {rule.code: rule for rule in rules.rules}
    # A working day, so that no weekend rule colours the grid.
    weekday = today - timedelta(days=max(0, today.isoweekday() - 5))
    start = datetime.combine(weekday, _FORENOON, ZoneInfo(org.tz))
    plain_ticket = Facts(
        ticket_id=0,
        no="",
        technician_id=0,
        service_type=reference,
        started_at=start,
        finished_at=start + timedelta(hours=2),
        site_tz=org.tz,
    )

    def cell(one: TierCell) -> Plain:
        paid = {line.rule_code for line in one.lines}
        return {
            "service_class": one.service_class.value,
            "urgency": one.urgency.value,
            "total": one.total_minor,
            "lines": [
                {
                    "code": line.rule_code,
                    "name": dict(line.rule_name),
                    "formula": line.formula,
                    "amount": line.amount_minor,
                    "special": line.rule_code in one.special,
                }
                for line in one.lines
            ],
            "more": [
                {"code": code, "name": dict(names[code].name), "sentence": dict(names[code].sentence)}
                for code in one.special
                if code not in paid
            ],
        }

    return [cell(each) for each in tier_grid(rules, plain_ticket, side)]


def _choices(conn: Connection, viewer: Actor, rules: RuleSet) -> Plain:
    """What the editor offers; the values of the set's own rules are among what it knows."""
    templates = form_reads.published_templates(conn, viewer.org_id)
    named: dict[str, dict[str, LocalText]] = {key: {} for key in CONDITION_FIELDS}
    for key, label in FIELDS.items():
        field, _, value = key.partition("=")
        if value:
            named[field][value] = label
    for region in places.regions(conn, viewer.org_id):
        named["region_code"][region.code] = region.name
    for template in templates:
        named["template_code"][template.code] = template.name
        named["service_type"].setdefault(template.ticket_class, dict.fromkeys(LOCALES, template.ticket_class))
    for rule in rules.rules:
        for field, value in _compared(rule.condition):
            if isinstance(value, str) and named.get(field):
                named[field].setdefault(value, dict.fromkeys(LOCALES, value))
    listed = {field: _options(values.items()) for field, values in named.items()}
    return {
        "currency": rules.currency,
        "dimensions": _options((each.value, wording.DIMENSIONS[each]) for each in Dimension),
        "fields": [
            {
                "name": key,
                "label": dict(FIELDS[key]),
                "kind": _kind(key, listed),
                "options": listed.get(key, []),
            }
            for key in FIELDS
            if "=" not in key
        ],
        "units": _options((key, wording.UNITS[key]) for key in wording.UNITS if key in NUMBER_UNITS),
        "items": _options((key, wording.UNITS[key]) for key in wording.UNITS if key in ITEM_UNITS),
        "regions": listed["region_code"],
        "lines": listed["service_type"],
        "classes": listed["service_class"],
        "urgencies": listed["urgency"],
        "ops": [op.value for op in Op],
        "on_base": sorted(ON_BASE),
        "on_card": sorted(ON_CARD),
        "windowed": sorted(WINDOWED),
        "roundings": [rounding.value for rounding in Rounding],
        "sides": [side.value for side in Side],
        "card_keys": _options((key, FIELDS[key]) for key in CARD_KEYS),
        "groups": sorted({rule.group for rule in rules.rules if rule.group is not None}),
    }


def _compared(tree: Mapping[str, Any] | None) -> Iterable[tuple[str, Any]]:
    if tree is None:
        return
    if "rules" in tree:
        for part in tree["rules"]:
            yield from _compared(part)
        return
    value = tree.get("value")
    for each in value if isinstance(value, list | tuple) else [value]:
        yield str(tree["field"]), each


def _kind(key: str, listed: Mapping[str, Sequence[Any]]) -> str:
    if key in _FLAGS:
        return "yes_no"
    if key in _LISTS:
        return "multi_choice"
    if key == "service_on":
        return "date"
    if key in NUMBER_UNITS:
        return "number"
    return "choice" if listed.get(key) else "text"


def _options(pairs: Iterable[tuple[str, LocalText]]) -> list[Plain]:
    return [{"value": value, "label": dict(label)} for value, label in pairs]


def _template(template: RuleTemplate) -> Plain:
    return {
        "code": template.code,
        "name": dict(template.name),
        "dimension": template.dimension.value,
        "dimension_name": dict(wording.DIMENSIONS[template.dimension]),
        "blanks": [
            {
                "key": blank.key,
                "kind": blank.kind.value,
                "label": dict(blank.label),
                "example": blank.example,
                "field": blank.field,
            }
            for blank in template.blanks
        ],
        "clashes": [
            other.code for other in TEMPLATES if not commute(template, other) and other is not template
        ],
    }
