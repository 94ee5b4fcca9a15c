"""The rule set a new company starts with: what a technician earns for a ticket, in fen.

All twelve dimensions are reachable. Coefficients work on labour alone (base labour and difficulty),
never on parts or travel.
"""

from typing import Any, Final

from ticket_console.kernel.text import LocalText

CODE: Final = "worker_pay"
NAME: Final[LocalText] = {"zh": "工程师计酬标准规则", "en": "Standard technician pay"}

_LABOUR: Final = ["base_labour", "difficulty"]

Condition = dict[str, Any]


def _is(field: str, value: object) -> Condition:
    return _one(field, "=", value)


def _one(field: str, operator: str, value: object) -> Condition:
    return _all({"field": field, "operator": operator, "value": value})


def _all(*rules: Condition) -> Condition:
    return {"combinator": "and", "rules": list(rules)}


def _rule(
    code: str, zh: str, en: str, op: str, value: str, order: int, when: Condition | None = None, **more: Any
) -> dict[str, Any]:
    """A rule whose dimension is the first part of its code, unless told otherwise."""
    plain = {
        "code": code,
        "dimension": code.partition(".")[0],
        "name": {"zh": zh, "en": en},
        "when": when,
        "op": op,
        "value": value,
        "order": order,
    }
    return plain | more


def _base(code: str, zh: str, en: str, fen: str, order: int, when: Condition | None) -> dict[str, Any]:
    return _rule(code, zh, en, "add", fen, order, when, dimension="base_labour", group="base_labour")


def _on_labour(
    code: str, zh: str, en: str, op: str, value: str, order: int, when: Condition | None = None, **more: Any
) -> dict[str, Any]:
    return _rule(code, zh, en, op, value, order, when, applies_to=_LABOUR, **more)


_BASE_LABOUR: Final = [
    _base("base.install", "安装基础工费", "Installation labour", "10000", 10, _is("service_type", "install")),
    _base("base.repair", "维修基础工费", "Repair labour", "8000", 11, _is("service_type", "repair")),
    _base(
        "base.maintenance",
        "保养巡检基础工费",
        "Maintenance and inspection labour",
        "6000",
        12,
        _one("service_type", "in", ["maintenance", "inspection"]),
    ),
    _base("base.training", "培训基础工费", "Training labour", "12000", 13, _is("service_type", "training")),
    _base(
        "base.retail", "门店服务基础工费", "Shop service labour", "4500", 14, _is("service_type", "retail")
    ),
    _base("base.removal", "拆除移机基础工费", "Removal labour", "9000", 15, _is("service_type", "removal")),
    _base(
        "base.calibration",
        "校准检测基础工费",
        "Calibration labour",
        "7000",
        16,
        _is("service_type", "calibration"),
    ),
    _base("base.other", "其他服务基础工费", "Other service labour", "5000", 19, None),
]
_DIFFICULTY: Final = [
    _rule(
        "difficulty.coefficient",
        "技术难度系数",
        "Difficulty coefficient",
        "multiply",
        "1",
        20,
        unit="difficulty",
        applies_to=["base_labour"],
    ),
    _rule(
        "difficulty.expert",
        "专家处理复杂工单",
        "Experts on complex work",
        "percent",
        "8",
        21,
        _all(
            {"field": "service_class", "operator": "=", "value": "complex"},
            {"field": "technician_level", "operator": ">=", "value": 5},
        ),
        applies_to=["base_labour"],
    ),
    _rule(
        "difficulty.long_job",
        "超长工时补贴",
        "Long job allowance",
        "per_unit",
        "2500",
        22,
        unit="labour_hours",
        over="8",
    ),
]
_HAZARD: Final = [
    _on_labour(f"hazard.{kind}", zh, en, "multiply", factor, order, _one("hazards", "contains", kind))
    for kind, zh, en, factor, order in (
        ("height", "高空作业危险津贴", "Hazard pay for work at height", "1.2", 30),
        ("live_wire", "带电作业危险津贴", "Hazard pay for live electrical work", "1.15", 31),
        ("confined_space", "有限空间作业危险津贴", "Hazard pay for confined spaces", "1.25", 32),
        ("chemical", "危化品作业危险津贴", "Hazard pay for dangerous substances", "1.3", 33),
        ("extreme_heat", "高温作业津贴", "Allowance for work in great heat", "1.15", 34),
    )
]
_URGENCY: Final = [
    _on_labour(
        "urgency.urgent", "加急溢价", "Urgent premium", "multiply", "1.3", 40, _is("urgency", "urgent")
    ),
    _on_labour(
        "urgency.emergency",
        "紧急救援溢价",
        "Emergency premium",
        "multiply",
        "1.5",
        41,
        _is("urgency", "emergency"),
    ),
    _rule(
        "urgency.fast_response",
        "紧急快速响应奖励",
        "Fast response to an emergency",
        "add",
        "1500",
        42,
        _all(
            {"field": "urgency", "operator": "=", "value": "emergency"},
            {"field": "response_minutes", "operator": "<=", "value": 10},
        ),
    ),
    _rule(
        "urgency.weekend_emergency",
        "周末紧急出勤补贴",
        "Weekend emergency call-out",
        "add",
        "5000",
        43,
        _all(
            {"field": "urgency", "operator": "=", "value": "emergency"},
            {"field": "is_weekend", "operator": "=", "value": True},
        ),
    ),
]
_NIGHT: Final = [
    _on_labour(
        "night.coefficient",
        "夜间服务系数",
        "Night coefficient",
        "multiply",
        "1.3",
        50,
        window={"opens": "22:00", "closes": "06:00"},
    ),
    _on_labour(
        "night.small_hours",
        "凌晨服务加成",
        "Small hours supplement",
        "percent",
        "10",
        51,
        _is("urgency", "emergency"),
        window={"opens": "00:00", "closes": "05:00"},
    ),
    _on_labour(
        "night.holiday",
        "法定节假日系数",
        "Public holiday coefficient",
        "multiply",
        "2",
        52,
        _is("is_holiday", True),
    ),
]
_REGION: Final = [
    _on_labour(f"region.{code}", zh, en, "percent", share, order, _one("region_code", "in", places))
    for code, zh, en, share, order, places in (
        ("first_tier", "一线城市人工差异", "First-tier city labour", "10", 60, ["BJ", "SH", "GZ", "SZ"]),
        (
            "second_tier",
            "新一线城市人工差异",
            "Second-tier city labour",
            "5",
            61,
            ["HZ", "CQ", "WH", "TJ", "NJ"],
        ),
        ("remote", "边远地区补贴", "Remote region supplement", "15", 62, ["XZ", "XJ", "QH"]),
    )
]
_SERVICE_TIER: Final = [
    _on_labour(
        "service_tier.complex",
        "复杂服务档位",
        "Complex service tier",
        "percent",
        "20",
        70,
        _is("service_class", "complex"),
    ),
    _on_labour("service_tier.vip", "VIP 客户档位", "VIP tier", "percent", "10", 71, _is("vip", True)),
    _on_labour(
        "service_tier.partner",
        "服务商分成调整",
        "Service partner adjustment",
        "percent",
        "-8",
        72,
        _is("by_vendor", True),
    ),
    _rule(
        "service_tier.praise",
        "五星好评奖励",
        "Top mark bonus",
        "add",
        "800",
        73,
        _one("satisfaction", ">=", 5),
    ),
]
_TRAVEL: Final = [
    _rule(
        "travel.distance",
        "里程补贴",
        "Distance allowance",
        "per_unit",
        "120",
        80,
        unit="distance_km",
        over="10",
    ),
    _rule(
        "travel.cross_city",
        "跨市差旅补贴",
        "Cross-city travel allowance",
        "add",
        "8000",
        81,
        _is("cross_city", True),
    ),
    _rule(
        "travel.long_haul",
        "长途里程附加",
        "Long haul supplement",
        "per_unit",
        "60",
        82,
        unit="distance_km",
        over="200",
    ),
    _rule(
        "travel.overnight",
        "异地过夜补贴",
        "Overnight allowance",
        "add",
        "15000",
        83,
        _all(
            {"field": "cross_city", "operator": "=", "value": True},
            {"field": "labour_hours", "operator": ">", "value": 8},
        ),
    ),
    _rule("travel.cap", "差旅补贴封顶", "Travel allowance limit", "cap", "30000", 89, applies_to=["travel"]),
]
_TOOLS_AND_PARTS: Final = [
    _rule("tool_rental.days", "专用设备租赁费", "Special tool rental", "per_unit", "1", 90, unit="tools"),
    _rule(
        "tool_rental.cap",
        "设备租赁费封顶",
        "Tool rental limit",
        "cap",
        "80000",
        91,
        applies_to=["tool_rental"],
    ),
    _rule("parts.cost", "备件成本", "Parts at cost", "per_unit", "1", 92, unit="parts"),
    _rule(
        "region.parts_freight",
        "边远地区备件运费",
        "Freight of parts to remote regions",
        "percent",
        "5",
        95,
        _one("region_code", "in", ["XZ", "XJ", "QH"]),
        applies_to=["parts"],
    ),
    _rule(
        "parts.partner_share",
        "服务商备件自担比例",
        "Parts borne by the service partner",
        "percent",
        "-3",
        93,
        _is("by_vendor", True),
        applies_to=["parts"],
    ),
]
_TIMELINESS: Final = [
    _on_labour(
        "timeliness.on_time", "按时完成奖励", "On-time bonus", "percent", "5", 100, _is("on_time", True)
    ),
    _on_labour("timeliness.late", "超时扣减", "Late deduction", "percent", "-3", 101, _is("on_time", False)),
    _on_labour(
        "timeliness.rework",
        "返工扣减",
        "Rework deduction",
        "percent",
        "-5",
        102,
        _one("returns", "between", [2, 3]),
    ),
    _on_labour(
        "timeliness.much_rework",
        "多次返工扣减",
        "Deduction for much rework",
        "percent",
        "-15",
        103,
        _one("returns", ">", 3),
    ),
    _on_labour(
        "timeliness.poor_mark",
        "差评扣减",
        "Poor mark deduction",
        "percent",
        "-10",
        104,
        _one("satisfaction", "<=", 2),
    ),
]
_VOLUME: Final = [
    _rule(
        "volume.monthly",
        "月单量阶梯奖励",
        "Monthly volume bonus",
        "tier",
        "0",
        110,
        unit="month_tickets",
        bands=[
            {"lower": "0", "upper": "60", "value": "0"},
            {"lower": "60", "upper": "120", "value": "300"},
            {"lower": "120", "upper": None, "value": "500"},
        ],
    ),
    _rule(
        "volume.consults",
        "咨询量分档奖励",
        "Enquiry volume bonus",
        "tier",
        "0",
        111,
        _one("service_type", "in", ["consult", "complaint"]),
        unit="month_tickets",
        bands=[
            {"lower": "0", "upper": "200", "value": "0"},
            {"lower": "200", "upper": "500", "value": "100"},
            {"lower": "500", "upper": None, "value": "200"},
        ],
    ),
]

RULES: Final[dict[str, Any]] = {
    "schema": 2,
    "currency": "CNY",
    "rules": [
        *_BASE_LABOUR,
        *_DIFFICULTY,
        *_HAZARD,
        *_URGENCY,
        *_NIGHT,
        *_REGION,
        *_SERVICE_TIER,
        *_TRAVEL,
        *_TOOLS_AND_PARTS,
        *_TIMELINESS,
        *_VOLUME,
    ],
}
