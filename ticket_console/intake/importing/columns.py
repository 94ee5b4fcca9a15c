"""Which column of a file means what: the places a column can go to, and a first guess."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds import KINDS
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText

# What cannot be written into one cell of a table.
_NOT_IN_A_CELL: Final = frozenset({FieldKind.PHOTO, FieldKind.FILE, FieldKind.SIGNATURE, FieldKind.LOCATION})
VALUE: Final = "values."


class BadMapping(InvalidInput):
    """A mapping that names columns or places that are not there, or a place twice."""

    code = "intake.bad_mapping"


@dataclass(frozen=True, slots=True)
class Target:
    """A place in a request. `label` is a key of the catalog, or `name` the field's own label."""

    key: str
    label: str = ""
    name: LocalText | None = None
    field: FieldSpec | None = None


# Place, and the headers under which people write it, apart from its own name.
_STANDARD: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("标题", "主题", "问题", "subject", "summary", "problem", "case_title"),
    "description": ("描述", "说明", "详情", "问题描述", "故障描述", "备注", "details", "notes", "remark"),
    "contact_name": ("联系人", "姓名", "客户姓名", "报修人", "name", "contact", "caller"),
    "contact_phone": ("电话", "手机", "手机号", "联系电话", "phone", "mobile", "tel", "telephone"),
    "customer.name": ("客户", "客户名称", "公司", "customer", "company", "account"),
    "address": ("地址", "详细地址", "服务地址", "location_street_name", "street"),
    "latitude": ("纬度", "lat"),
    "longitude": ("经度", "lon", "lng", "long"),
    "site": ("网点", "站点", "门店", "site_code", "store"),
    "region": ("区域", "大区", "region_code"),
    "department": ("部门", "服务区域", "territory"),
    "external_id": ("编号", "单号", "外部编号", "来源编号", "id", "no", "number", "ref", "case_enquiry_id"),
    "reported_at": ("报修时间", "时间", "提交时间", "日期", "date", "created", "created_at", "open_dt"),
    "urgency": ("紧急度", "紧急程度", "priority"),
    "impact": ("影响", "影响范围"),
}


def targets(definition: TemplateDefinition) -> tuple[Target, ...]:
    """Every place a column can go to: the standard ones, then the fields asked for at opening."""
    standard = tuple(Target(key, label=f"intake.target.{key.replace('.', '_')}") for key in _STANDARD)
    fields = tuple(
        Target(f"{VALUE}{spec.key}", name=spec.label, field=spec)
        for spec in definition.at_opening
        if spec.kind not in _NOT_IN_A_CELL and KINDS[spec.kind].is_entered and spec.is_in_use(None)
    )
    return standard + fields


def suggest_mapping(headers: Sequence[str], definition: TemplateDefinition) -> dict[str, str]:
    """A first guess, header to place, for the columns whose header says what they hold.

    The template's own fields win over the standard places; each place is given once.
    """
    # The fields come last among the targets, and so take a name that a standard place has as well.
    known = {_plain(name): target.key for target in targets(definition) for name in _names_of(target)}
    taken: set[str] = set()
    guess: dict[str, str] = {}
    for header in headers:
        place = known.get(_plain(header))
        if header and place is not None and place not in taken:
            taken.add(place)
            guess[header] = place
    return guess


def check_mapping(mapping: Mapping[str, str], headers: Sequence[str], definition: TemplateDefinition) -> None:
    """Raises BadMapping naming every column and place that is wrong."""
    places = {target.key for target in targets(definition)}
    problems = [FieldProblem(header, "intake.column_unknown") for header in mapping if header not in headers]
    problems += [
        FieldProblem(header, "intake.place_unknown", {"place": place[:80]})
        for header, place in mapping.items()
        if place not in places
    ]
    problems += [
        FieldProblem(header, "intake.place_twice", {"place": place[:80]})
        for header, place in _repeated(mapping)
    ]
    if not {"title", "description"} & set(mapping.values()):
        problems.append(FieldProblem("title", "intake.nothing_said"))
    if problems:
        raise BadMapping(tuple(problems))


def _repeated(mapping: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    seen: set[str] = set()
    for header, place in mapping.items():
        if place in seen:
            yield header, place
        seen.add(place)


def _names_of(target: Target) -> tuple[str, ...]:
    if target.field is not None:
        return (target.field.key, target.key, *target.field.label.values())
    return (target.key, *_STANDARD[target.key])


def _plain(name: str) -> str:
    """A header without what people put around its words: case, spaces, underscores, a star, a colon."""
    return re.sub(r"[\s_*.:：()（）\-]+", "", name.casefold())
