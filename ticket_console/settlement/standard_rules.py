"""The rule set a new company starts with: what a technician earns for a ticket, in fen.

All twelve dimensions are reachable. Coefficients work on labour alone (base labour and difficulty),
never on parts or travel.
"""

from typing import Any, Final

from ticket_console.kernel.text import LocalText

CODE: Final = "worker_pay"
NAME: Final[LocalText] = {"zh": "工程师计酬标准规则", "en": "Standard technician pay"}

_LABOUR: Final = ["base_labour", "difficulty"]


def _is(field: str, value: object) -> dict[str, Any]:
    return _one(field, "=", value)


def _one(field: str, operator: str, value: object) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


def _base(code: str, zh: str, en: str, fen: str, when: dict[str, Any] | None, order: int) -> dict[str, Any]:
    return {
        "code": code,
        "dimension": "base_labour",
        "name": {"zh": zh, "en": en},
        "when": when,
        "op": "add",
        "value": fen,
        "group": "base_labour",
        "order": order,
    }


RULES: Final[dict[str, Any]] = {
    "schema": 1,
    "currency": "CNY",
    "rules": [
        _base(
            "base.install", "安装基础工费", "Installation labour", "10000", _is("service_type", "install"), 10
        ),
        _base("base.repair", "维修基础工费", "Repair labour", "8000", _is("service_type", "repair"), 11),
        _base(
            "base.maintenance",
            "保养巡检基础工费",
            "Maintenance and inspection labour",
            "6000",
            _one("service_type", "in", ["maintenance", "inspection"]),
            12,
        ),
        _base("base.other", "其他服务基础工费", "Other service labour", "5000", None, 19),
        {
            "code": "difficulty.coefficient",
            "dimension": "difficulty",
            "name": {"zh": "技术难度系数", "en": "Difficulty coefficient"},
            "op": "multiply",
            "value": "1",
            "unit": "difficulty",
            "applies_to": ["base_labour"],
            "order": 20,
        },
        {
            "code": "hazard.height",
            "dimension": "hazard",
            "name": {"zh": "高空作业危险津贴", "en": "Hazard pay for work at height"},
            "when": _one("hazards", "contains", "height"),
            "op": "multiply",
            "value": "1.2",
            "applies_to": _LABOUR,
            "order": 30,
        },
        {
            "code": "hazard.live_wire",
            "dimension": "hazard",
            "name": {"zh": "带电作业危险津贴", "en": "Hazard pay for live electrical work"},
            "when": _one("hazards", "contains", "live_wire"),
            "op": "multiply",
            "value": "1.15",
            "applies_to": _LABOUR,
            "order": 31,
        },
        {
            "code": "urgency.urgent",
            "dimension": "urgency",
            "name": {"zh": "加急溢价", "en": "Urgent premium"},
            "when": _is("urgency", "urgent"),
            "op": "multiply",
            "value": "1.3",
            "applies_to": _LABOUR,
            "order": 40,
        },
        {
            "code": "urgency.emergency",
            "dimension": "urgency",
            "name": {"zh": "紧急救援溢价", "en": "Emergency premium"},
            "when": _is("urgency", "emergency"),
            "op": "multiply",
            "value": "1.5",
            "applies_to": _LABOUR,
            "order": 41,
        },
        {
            "code": "night.coefficient",
            "dimension": "night",
            "name": {"zh": "夜间服务系数", "en": "Night coefficient"},
            "op": "multiply",
            "value": "1.3",
            "applies_to": _LABOUR,
            "window": {"opens": "22:00", "closes": "06:00"},
            "order": 50,
        },
        {
            "code": "region.first_tier",
            "dimension": "region",
            "name": {"zh": "一线城市人工差异", "en": "First-tier city labour"},
            "when": _one("region_code", "in", ["BJ", "SH", "GZ", "SZ"]),
            "op": "percent",
            "value": "10",
            "applies_to": _LABOUR,
            "order": 60,
        },
        {
            "code": "service_tier.complex",
            "dimension": "service_tier",
            "name": {"zh": "复杂服务档位", "en": "Complex service tier"},
            "when": _is("service_class", "complex"),
            "op": "percent",
            "value": "20",
            "applies_to": _LABOUR,
            "order": 70,
        },
        {
            "code": "service_tier.vip",
            "dimension": "service_tier",
            "name": {"zh": "VIP 客户档位", "en": "VIP tier"},
            "when": _is("vip", True),
            "op": "percent",
            "value": "10",
            "applies_to": _LABOUR,
            "order": 71,
        },
        {
            "code": "travel.distance",
            "dimension": "travel",
            "name": {"zh": "里程补贴", "en": "Distance allowance"},
            "op": "per_unit",
            "value": "120",
            "unit": "distance_km",
            "over": "10",
            "order": 80,
        },
        {
            "code": "travel.cross_city",
            "dimension": "travel",
            "name": {"zh": "跨市差旅补贴", "en": "Cross-city travel allowance"},
            "when": _is("cross_city", True),
            "op": "add",
            "value": "8000",
            "order": 81,
        },
        {
            "code": "travel.cap",
            "dimension": "travel",
            "name": {"zh": "差旅补贴封顶", "en": "Travel allowance limit"},
            "op": "cap",
            "value": "30000",
            "applies_to": ["travel"],
            "order": 89,
        },
        {
            "code": "tool_rental.days",
            "dimension": "tool_rental",
            "name": {"zh": "专用设备租赁费", "en": "Special tool rental"},
            "op": "per_unit",
            "value": "1",
            "unit": "tools",
            "order": 90,
        },
        {
            "code": "parts.cost",
            "dimension": "parts",
            "name": {"zh": "备件成本", "en": "Parts at cost"},
            "op": "per_unit",
            "value": "1",
            "unit": "parts",
            "order": 91,
        },
        {
            "code": "timeliness.on_time",
            "dimension": "timeliness",
            "name": {"zh": "按时完成奖励", "en": "On-time bonus"},
            "when": _is("on_time", True),
            "op": "percent",
            "value": "5",
            "applies_to": _LABOUR,
            "order": 100,
        },
        {
            "code": "volume.monthly",
            "dimension": "volume",
            "name": {"zh": "月单量阶梯奖励", "en": "Monthly volume bonus"},
            "op": "tier",
            "unit": "month_tickets",
            "bands": [
                {"lower": "0", "upper": "60", "value": "0"},
                {"lower": "60", "upper": "120", "value": "300"},
                {"lower": "120", "upper": None, "value": "500"},
            ],
            "order": 110,
        },
    ],
}
