"""The facts a ticket is rated on: gathered by `desk`, frozen once, and all that rating may look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ticket_console.kernel.canonical import content_hash, instant_text
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText
from ticket_console.settlement.segments import standard_of

_SATURDAY: Final = 6


class ServiceClass(StrEnum):
    BASIC = "basic"
    STANDARD = "standard"
    COMPLEX = "complex"


class Urgency(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class BadFacts(InvalidInput):
    """Facts no rule set could rate: a zone that does not exist, work that ends before it starts."""

    code = "settlement.bad_facts"


@dataclass(frozen=True, slots=True)
class Hazard:
    """A danger met on the job, and what shows it: "field:work_height_m=6", "photo:812"."""

    code: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class PartUsed:
    sku: str
    qty: Decimal
    unit_cost_minor: int


@dataclass(frozen=True, slots=True)
class ToolUsed:
    code: str
    days: Decimal
    day_rate_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One segment of one ticket, ready to be rated.

    `started_at` and `finished_at` are aware instants; the work is the half-open interval between
    them. The service date, which chooses the rule version, is the day at the site on which the work
    finished. `month_tickets` counts what the technician had finished in that month before this one;
    `on_time` is None where no resolve target applied. `returns` counts how often the work was sent back,
    `satisfaction` is the customer's mark from 1 to 5, `is_holiday` says that the service date is a public
    holiday at the site, `by_vendor` that a service partner's technician did the work.
    `segment` names the part of the work: the billing standard of the steps it was done at, and from the
    second time the ticket came to them on, "#" and the how manieth it is (`segments.standard_of`).
    `vendor_id` is set where the work is settled with that service partner, `customer_id` says who is charged;
    `vendor_tier` and `customer_tier` are the tiers they were in on the service date, empty for none.
    `project` is whose historical quotes the charge is compared with.
    `pinned_rules` ("<rule set>:<number>") names the version that was agreed on, instead of the one of the
    service date.
    """

    ticket_id: int
    no: str
    technician_id: int
    service_type: str
    started_at: datetime
    finished_at: datetime
    site_tz: str
    template_code: str = ""
    service_class: ServiceClass = ServiceClass.STANDARD
    urgency: Urgency = Urgency.NORMAL
    difficulty: Decimal = Decimal(1)
    hazards: tuple[Hazard, ...] = ()
    distance_km: Decimal = Decimal(0)
    cross_city: bool = False
    parts: tuple[PartUsed, ...] = ()
    tools: tuple[ToolUsed, ...] = ()
    labour_hours: Decimal = Decimal(0)
    region_code: str = ""
    technician_level: int = 1
    vip: bool = False
    response_minutes: Decimal | None = None
    on_time: bool | None = None
    month_tickets: int = 0
    returns: int = 0
    satisfaction: Decimal | None = None
    is_holiday: bool = False
    by_vendor: bool = False
    vendor_id: int | None = None
    vendor_tier: str = ""
    customer_id: int | None = None
    customer_tier: str = ""
    project: str = ""
    pinned_rules: str | None = None
    segment: str = "main"

    def __post_init__(self) -> None:
        problems = tuple(_problems(self))
        if problems:
            raise BadFacts(problems)

    @property
    def service_on(self) -> date:
        return self.finished_at.astimezone(ZoneInfo(self.site_tz)).date()

    def to_json(self) -> dict[str, Any]:
        """The form that is stored and hashed; equal facts give equal JSON, whatever their spelling."""
        return {
            "ticket_id": self.ticket_id,
            "no": self.no,
            "segment": self.segment,
            "technician_id": self.technician_id,
            "technician_level": self.technician_level,
            "template_code": self.template_code,
            "service_type": self.service_type,
            "service_class": self.service_class.value,
            "urgency": self.urgency.value,
            "difficulty": plain(self.difficulty),
            "hazards": [[hazard.code, hazard.evidence] for hazard in self.hazards],
            "started_at": instant_text(self.started_at),
            "finished_at": instant_text(self.finished_at),
            "site_tz": self.site_tz,
            "distance_km": plain(self.distance_km),
            "cross_city": self.cross_city,
            "parts": [[part.sku, plain(part.qty), part.unit_cost_minor] for part in self.parts],
            "tools": [[tool.code, plain(tool.days), tool.day_rate_minor] for tool in self.tools],
            "labour_hours": plain(self.labour_hours),
            "region_code": self.region_code,
            "vip": self.vip,
            "response_minutes": None if self.response_minutes is None else plain(self.response_minutes),
            "on_time": self.on_time,
            "month_tickets": self.month_tickets,
            "returns": self.returns,
            "satisfaction": None if self.satisfaction is None else plain(self.satisfaction),
            "is_holiday": self.is_holiday,
            "by_vendor": self.by_vendor,
            "vendor_id": self.vendor_id,
            "vendor_tier": self.vendor_tier,
            "customer_id": self.customer_id,
            "customer_tier": self.customer_tier,
            "project": self.project,
            "pinned_rules": self.pinned_rules,
        }

    @classmethod
    def from_json(cls, frozen: Mapping[str, Any]) -> "Facts":
        """The facts of a stored snapshot."""
        response, satisfaction = frozen["response_minutes"], frozen.get("satisfaction")
        return cls(
            **{
                **frozen,
                "service_class": ServiceClass(frozen["service_class"]),
                "urgency": Urgency(frozen["urgency"]),
                "difficulty": Decimal(frozen["difficulty"]),
                "hazards": tuple(Hazard(*hazard) for hazard in frozen["hazards"]),
                "started_at": datetime.fromisoformat(frozen["started_at"]),
                "finished_at": datetime.fromisoformat(frozen["finished_at"]),
                "distance_km": Decimal(frozen["distance_km"]),
                "parts": tuple(PartUsed(sku, Decimal(qty), cost) for sku, qty, cost in frozen["parts"]),
                "tools": tuple(ToolUsed(code, Decimal(days), rate) for code, days, rate in frozen["tools"]),
                "labour_hours": Decimal(frozen["labour_hours"]),
                "response_minutes": None if response is None else Decimal(response),
                "satisfaction": None if satisfaction is None else Decimal(satisfaction),
            }
        )

    def content_hash(self) -> str:
        return content_hash(self.to_json())

    def values(self) -> dict[str, object]:
        """What the conditions of rules can ask for: the keys of `FIELDS`."""
        service_on = self.service_on
        standard, visit = standard_of(self.segment)
        return {
            "template_code": self.template_code,
            "service_type": self.service_type,
            "service_class": self.service_class.value,
            "urgency": self.urgency.value,
            "difficulty": self.difficulty,
            "hazards": tuple(hazard.code for hazard in self.hazards),
            "distance_km": self.distance_km,
            "cross_city": self.cross_city,
            "parts": tuple(part.sku for part in self.parts),
            "tools": tuple(tool.code for tool in self.tools),
            "labour_hours": self.labour_hours,
            "region_code": self.region_code,
            "technician_level": self.technician_level,
            "vip": self.vip,
            "response_minutes": self.response_minutes,
            "on_time": self.on_time,
            "month_tickets": self.month_tickets,
            "returns": self.returns,
            "satisfaction": self.satisfaction,
            "service_on": service_on.isoformat(),
            "is_weekend": service_on.isoweekday() >= _SATURDAY,
            "is_holiday": self.is_holiday,
            "by_vendor": self.by_vendor,
            "vendor_tier": self.vendor_tier,
            "customer_tier": self.customer_tier,
            "segment": standard,
            "segment_visit": visit,
        }


FIELDS: Mapping[str, LocalText] = {
    "template_code": {"zh": "工单模板", "en": "template"},
    "service_type": {"zh": "服务类型", "en": "service type"},
    "service_class": {"zh": "服务档次", "en": "service class"},
    "urgency": {"zh": "紧急程度", "en": "urgency"},
    "difficulty": {"zh": "难度系数", "en": "difficulty"},
    "hazards": {"zh": "危险作业", "en": "hazards"},
    "distance_km": {"zh": "行驶公里数", "en": "kilometres driven"},
    "cross_city": {"zh": "跨市作业", "en": "work in another city"},
    "parts": {"zh": "备件", "en": "parts"},
    "tools": {"zh": "专用设备", "en": "special tools"},
    "labour_hours": {"zh": "工时", "en": "labour hours"},
    "region_code": {"zh": "区域", "en": "region"},
    "technician_level": {"zh": "工程师等级", "en": "technician level"},
    "vip": {"zh": "VIP 客户", "en": "VIP customer"},
    "response_minutes": {"zh": "响应分钟数", "en": "minutes to respond"},
    "on_time": {"zh": "按时完成", "en": "finished on time"},
    "month_tickets": {"zh": "本月已完成单量", "en": "tickets finished this month"},
    "returns": {"zh": "退回次数", "en": "times sent back"},
    "satisfaction": {"zh": "客户评分", "en": "customer's mark"},
    "service_on": {"zh": "服务日期", "en": "service date"},
    "is_weekend": {"zh": "周末", "en": "weekend"},
    "is_holiday": {"zh": "法定节假日", "en": "public holiday"},
    "by_vendor": {"zh": "服务商人员作业", "en": "done by a service partner"},
    "vendor_tier": {"zh": "服务商档位", "en": "service partner tier"},
    "customer_tier": {"zh": "客户档位", "en": "customer tier"},
    "segment": {"zh": "计费段", "en": "billing segment"},
    "segment_visit": {"zh": "第几次进入该计费段", "en": "times the segment was entered"},
    "segment=main": {"zh": "主服务段", "en": "main work"},
    "service_type=install": {"zh": "安装", "en": "installation"},
    "service_type=repair": {"zh": "维修", "en": "repair"},
    "service_type=maintenance": {"zh": "保养", "en": "maintenance"},
    "service_type=inspection": {"zh": "巡检", "en": "inspection"},
    "service_type=complaint": {"zh": "投诉", "en": "complaint"},
    "service_type=consult": {"zh": "咨询", "en": "enquiry"},
    "service_type=general": {"zh": "综合服务", "en": "general service"},
    "service_type=training": {"zh": "培训", "en": "training"},
    "service_type=retail": {"zh": "门店服务", "en": "shop service"},
    "service_type=removal": {"zh": "拆除移机", "en": "removal"},
    "service_type=calibration": {"zh": "校准检测", "en": "calibration"},
    "service_class=basic": {"zh": "基础", "en": "basic"},
    "service_class=standard": {"zh": "标准", "en": "standard"},
    "service_class=complex": {"zh": "复杂", "en": "complex"},
    "urgency=normal": {"zh": "普通", "en": "normal"},
    "urgency=urgent": {"zh": "加急", "en": "urgent"},
    "urgency=emergency": {"zh": "紧急", "en": "emergency"},
    "hazards=height": {"zh": "高空作业", "en": "work at height"},
    "hazards=live_wire": {"zh": "带电作业", "en": "live electrical work"},
    "hazards=confined_space": {"zh": "有限空间作业", "en": "work in a confined space"},
    "vendor_tier=gold": {"zh": "金牌", "en": "gold"},
    "vendor_tier=silver": {"zh": "银牌", "en": "silver"},
    "hazards=chemical": {"zh": "危化品作业", "en": "dangerous substances"},
    "hazards=extreme_heat": {"zh": "高温作业", "en": "work in great heat"},
}


def plain(number: Decimal) -> str:
    """One spelling for equal decimals: no exponent, no trailing zeros."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _problems(facts: Facts) -> list[FieldProblem]:
    found = []
    if facts.started_at.tzinfo is None or facts.finished_at.tzinfo is None:
        found.append(FieldProblem("started_at", "settlement.facts.no_zone"))
    elif facts.finished_at < facts.started_at:
        found.append(FieldProblem("finished_at", "settlement.facts.ends_before_start"))
    if not _zone_exists(facts.site_tz):
        found.append(FieldProblem("site_tz", "settlement.facts.unknown_zone", {"zone": facts.site_tz}))
    amounts = {
        "difficulty": facts.difficulty,
        "distance_km": facts.distance_km,
        "labour_hours": facts.labour_hours,
    }
    if facts.response_minutes is not None:
        amounts["response_minutes"] = facts.response_minutes
    if facts.satisfaction is not None:
        amounts["satisfaction"] = facts.satisfaction
    for part in facts.parts:
        amounts[f"parts.{part.sku}"] = part.qty
    for tool in facts.tools:
        amounts[f"tools.{tool.code}"] = tool.days
    found += [
        FieldProblem(path, "settlement.facts.negative")
        for path, amount in amounts.items()
        if not amount.is_finite() or amount < 0
    ]
    return found


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
