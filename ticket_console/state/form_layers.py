"""What a form says otherwise in a business line, a region or a store."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.engine import Connection

from ticket_console.access import places
from ticket_console.forms import overrides, reads
from ticket_console.forms.definitions import Section
from ticket_console.forms.layers import Effective, Layer, resolve
from ticket_console.forms.overrides import OverrideView
from ticket_console.forms.reads import PublishedTemplate, TemplateNotFound, TemplateWithoutFlow
from ticket_console.forms.tables import OverrideScope
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading, transaction
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.reports import designed
from ticket_console.state.asked import number_asked, text_asked
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]
Place = tuple[OverrideScope, str]

_SETTINGS: Final = ("label", "help", "required", "hidden", "default", "options")


class FormLayersState(SessionState):
    layers: Plain = {}

    @handler(permission="template.manage")
    async def show(self, asked: Plain) -> Reply:
        """The form in use as it holds at a place, setting by setting, and what that place itself says."""
        self.layers = await off_loop(_layers, actor=self._actor(), asked=asked)
        return None

    @handler(permission="template.manage")
    async def put(self, asked: Plain) -> Reply:
        """Keep what a place says otherwise; tickets opened there from now on follow it."""
        code, scope = text_asked(asked, "code"), _scope(asked)
        await off_loop(
            _put,
            actor=self._actor(),
            at=self._now(),
            command_id=text_asked(asked, "command_id") or str(uuid4()),
            code=code,
            scope=scope,
            ref=text_asked(asked, "ref"),
            patch=asked.get("patch"),
            expected_version=number_asked(asked, "expected_version"),
        )
        self.layers = await off_loop(_layers, actor=self._actor(), asked=asked)
        return done("form_designer.layers.saved")

    @handler(permission="template.manage")
    async def apply(self, asked: Plain) -> Reply:
        """Let a region say what another place says."""
        name = await off_loop(_apply, actor=self._actor(), at=self._now(), asked=asked)
        self.layers = await off_loop(_layers, actor=self._actor(), asked=asked)
        return done("form_designer.layers.applied", name=name)

    @handler(permission="template.manage")
    async def save_as_standard(self, asked: Plain) -> Reply:
        """Keep the form in use, as it holds at a place, as a standard that new forms start from."""
        standard_code = text_asked(asked, "standard_code")
        await off_loop(
            _standard,
            actor=self._actor(),
            at=self._now(),
            code=text_asked(asked, "code"),
            standard_code=standard_code,
            name=asked.get("name"),
            asked=asked,
        )
        return done("form_designer.standard.done", code=standard_code)


def _layers(*, actor: Actor, asked: Mapping[str, Any]) -> Plain:
    code, region, store = (text_asked(asked, name) for name in ("code", "region", "store"))
    told: Plain = {"code": code, "region": region, "store": store, "is_published": False}
    with reading() as connection:
        try:
            template = reads.template_by_code(connection, actor.org_id, code)
        except (TemplateNotFound, TemplateWithoutFlow):
            return told
        known = overrides.overrides_of(connection, viewer=actor, code=code)
        chain = _chain(connection, actor, template, region, store)
        stores = designed.stores(connection, actor.org_id)
    scope, ref = chain[-1]
    own = next((each for each in known if (each.scope, each.ref) == (scope, ref)), None)
    below = resolve(template.definition, _laid(known, chain[:-1]))
    return {
        **told,
        "is_published": True,
        "scope": scope.value,
        "ref": ref,
        "line": template.business_line,
        "chain": [f"{each.value}:{name}" for each, name in chain],
        "patch": {} if own is None else dict(own.patch),
        "version": 0 if own is None else own.version,
        "sections": [_section(section, below) for section in below.definition.sections],
        "overrides": [_override(each) for each in known],
        "stores": stores,
    }


def _chain(
    connection: Connection, actor: Actor, template: PublishedTemplate, region: str, store: str
) -> list[Place]:
    """The layers over the base at a place, the widest first; the last one is what is being edited."""
    chain: list[Place] = [(OverrideScope.LINE, template.business_line)]
    site = places.find_site(connection, org_id=actor.org_id, code=store) if store else None
    found = places.find_region(connection, org_id=actor.org_id, code=region) if region else None
    region_id = site.region_id if site is not None else found.id if found is not None else None
    above: list[Place] = []
    while region_id is not None and len(above) < 20:
        each = places.region(connection, region_id)
        above.insert(0, (OverrideScope.REGION, each.code))
        region_id = each.parent_id
    chain += above
    if site is not None:
        chain.append((OverrideScope.STORE, site.code))
    return chain


def _laid(known: tuple[OverrideView, ...], chain: list[Place]) -> tuple[Layer, ...]:
    patches = {(each.scope, each.ref): each.patch for each in known}
    return tuple(
        Layer(f"{scope.value}:{ref}", patches[scope, ref]) for scope, ref in chain if (scope, ref) in patches
    )


def _section(section: Section, effective: Effective) -> Plain:
    return {
        "key": section.key,
        "title": dict(section.title),
        "owner": section.owner,
        "fields": [
            {
                "key": spec.key,
                "kind": spec.kind.value,
                "label": dict(spec.label),
                "help": dict(spec.help),
                "required": spec.required,
                "hidden": spec.state.value == "hidden",
                "options": [{"value": option.value, "label": dict(option.label)} for option in spec.options],
                "origins": {name: effective.origin_of(f"fields.{spec.key}.{name}") for name in _SETTINGS},
            }
            for spec in section.fields
        ],
    }


def _override(each: OverrideView) -> Plain:
    return {
        "scope": each.scope.value,
        "ref": each.ref,
        "count": len(each.patch.get("fields", {})) + len(each.patch.get("order", {})),
        "at": instant_text(each.changed_at),
    }


def _scope(asked: Mapping[str, Any]) -> OverrideScope:
    try:
        return OverrideScope(text_asked(asked, "scope"))
    except ValueError:
        raise InvalidInput((FieldProblem("scope", "input.not_allowed"),)) from None


def _put(**change: Any) -> int:
    with transaction() as connection:
        return overrides.put_override(connection, **change)


def _apply(*, actor: Actor, at: datetime, asked: Mapping[str, Any]) -> dict[str, str]:
    """Put the patch on the region; the region's name."""
    region_code = text_asked(asked, "to")
    with transaction() as connection:
        overrides.apply_to_region(
            connection,
            actor=actor,
            at=at,
            command_id=text_asked(asked, "command_id") or str(uuid4()),
            code=text_asked(asked, "code"),
            region_code=region_code,
            patch=asked.get("patch"),
        )
        region = places.find_region(connection, org_id=actor.org_id, code=region_code)
    return {} if region is None else dict(region.name)


def _standard(
    *, actor: Actor, at: datetime, code: str, standard_code: str, name: Any, asked: Mapping[str, Any]
) -> None:
    if not isinstance(name, Mapping):
        raise InvalidInput((FieldProblem("name", "input.wrong_type"),))
    region_code, store = (text_asked(asked, which) for which in ("region", "store"))
    with transaction() as connection:
        site = places.find_site(connection, org_id=actor.org_id, code=store) if store else None
        region = (
            places.find_region(connection, org_id=actor.org_id, code=region_code) if region_code else None
        )
        overrides.save_as_standard(
            connection,
            actor=actor,
            at=at,
            code=code,
            standard_code=standard_code,
            name=dict(name),
            region_id=site.region_id if site is not None else region.id if region is not None else None,
            site_id=None if site is None else site.id,
        )
