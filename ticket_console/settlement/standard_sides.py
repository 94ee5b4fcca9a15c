"""The rule sets a new company starts with for service partners and customers, in fen.

A partner is paid by the job like our own people, at a rate that covers its overhead, by the tier it earned;
a small share of installations and repairs stays with the company. A customer is charged by the job, with what
is dear about it added: danger, haste, the hour, the way, and parts at a quarter above cost.
"""

from typing import Any, Final

from ticket_console.kernel.text import LocalText

VENDOR_CODE: Final = "vendor_pay"
VENDOR_NAME: Final[LocalText] = {"zh": "服务商结算标准规则", "en": "Standard service partner pay"}
CUSTOMER_CODE: Final = "customer_charge"
CUSTOMER_NAME: Final[LocalText] = {"zh": "客户收费标准规则", "en": "Standard customer charges"}

_LABOUR: Final = ("base_labour", "difficulty")

Condition = dict[str, Any]


def _is(field: str, operator: str, value: object) -> Condition:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


def _rule(
    side: str,
    code: str,
    name: tuple[str, str],
    op: str,
    value: str,
    order: int,
    when: Condition | None = None,
    **more: Any,
) -> dict[str, Any]:
    plain = {
        "code": code,
        "dimension": code.partition(".")[0],
        "name": {"zh": name[0], "en": name[1]},
        "when": when,
        "op": op,
        "value": value,
        "order": order,
        "sides": [side],
    }
    return plain | more


def _base(
    side: str, code: str, name: tuple[str, str], fen: str, order: int, types: list[str]
) -> dict[str, Any]:
    when = _is("service_type", "in", types) if types else None
    more = {"dimension": "base_labour", "group": "base_labour"}
    return _rule(side, code, name, "add", fen, order, when, **more)


def _on_labour(
    side: str,
    code: str,
    name: tuple[str, str],
    op: str,
    value: str,
    order: int,
    when: Condition | None = None,
    **more: Any,
) -> dict[str, Any]:
    return _rule(side, code, name, op, value, order, when, applies_to=list(_LABOUR), **more)


_NIGHT: Final = {"window": {"opens": "22:00", "closes": "06:00"}}
_V, _C = "vendor", "customer"

VENDOR_RULES: Final[dict[str, Any]] = {
    "schema": 2,
    "currency": "CNY",
    "rules": [
        _base(_V, "base.install", ("安装承揽价", "Installation by contract"), "12000", 10, ["install"]),
        _base(_V, "base.repair", ("维修承揽价", "Repair by contract"), "9500", 11, ["repair"]),
        _base(
            _V,
            "base.care",
            ("保养巡检承揽价", "Maintenance and inspection by contract"),
            "7000",
            12,
            ["maintenance", "inspection"],
        ),
        _base(_V, "base.other", ("其他服务承揽价", "Other services by contract"), "6000", 19, []),
        _rule(
            _V,
            "difficulty.coefficient",
            ("技术难度系数", "Difficulty coefficient"),
            "multiply",
            "1",
            20,
            unit="difficulty",
            applies_to=["base_labour"],
        ),
        _on_labour(
            _V,
            "hazard.any",
            ("危险作业加价", "Supplement for dangerous work"),
            "percent",
            "20",
            30,
            _is("hazards", "notNull", None),
        ),
        _on_labour(
            _V,
            "urgency.urgent",
            ("加急加价", "Urgent supplement"),
            "percent",
            "20",
            40,
            _is("urgency", "=", "urgent"),
        ),
        _on_labour(
            _V,
            "urgency.emergency",
            ("紧急救援加价", "Emergency supplement"),
            "percent",
            "40",
            41,
            _is("urgency", "=", "emergency"),
        ),
        _on_labour(
            _V, "night.coefficient", ("夜间服务系数", "Night coefficient"), "multiply", "1.3", 50, **_NIGHT
        ),
        _on_labour(
            _V,
            "service_tier.gold",
            ("金牌服务商加成", "Gold partner bonus"),
            "percent",
            "8",
            70,
            _is("vendor_tier", "=", "gold"),
        ),
        _on_labour(
            _V,
            "service_tier.silver",
            ("银牌服务商加成", "Silver partner bonus"),
            "percent",
            "4",
            71,
            _is("vendor_tier", "=", "silver"),
        ),
        _rule(
            _V,
            "travel.distance",
            ("里程补贴", "Distance allowance"),
            "per_unit",
            "100",
            80,
            unit="distance_km",
            over="15",
        ),
        _rule(_V, "tool_rental.tools", ("设备租赁费", "Tool rental"), "per_unit", "1", 90, unit="tools"),
        _rule(_V, "parts.cost", ("备件成本", "Parts at cost"), "per_unit", "1", 91, unit="parts"),
        _on_labour(
            _V,
            "timeliness.late",
            ("超时扣减", "Late deduction"),
            "percent",
            "-5",
            100,
            _is("on_time", "=", False),
        ),
    ],
    "splits": [
        {
            "name": {"zh": "安装平台服务费 8%", "en": "8% platform fee on installations"},
            "shares": {"vendor": "92", "company": "8"},
            "when": _is("service_type", "=", "install"),
        },
        {
            "name": {"zh": "维修平台服务费 5%", "en": "5% platform fee on repairs"},
            "shares": {"vendor": "95", "company": "5"},
            "when": _is("service_type", "=", "repair"),
        },
    ],
}

CUSTOMER_RULES: Final[dict[str, Any]] = {
    "schema": 2,
    "currency": "CNY",
    "rules": [
        _base(_C, "base.install", ("安装服务费", "Installation"), "19800", 10, ["install"]),
        _base(_C, "base.repair", ("维修服务费", "Repair"), "16800", 11, ["repair"]),
        _base(
            _C,
            "base.care",
            ("保养巡检服务费", "Maintenance and inspection"),
            "12800",
            12,
            ["maintenance", "inspection"],
        ),
        _base(_C, "base.other", ("其他服务费", "Other services"), "9800", 19, []),
        _rule(
            _C,
            "difficulty.coefficient",
            ("技术难度系数", "Difficulty coefficient"),
            "multiply",
            "1",
            20,
            unit="difficulty",
            applies_to=["base_labour"],
        ),
        _on_labour(
            _C,
            "hazard.any",
            ("危险作业费", "Dangerous work"),
            "percent",
            "25",
            30,
            _is("hazards", "notNull", None),
        ),
        _on_labour(
            _C,
            "urgency.urgent",
            ("加急费", "Urgent work"),
            "percent",
            "30",
            40,
            _is("urgency", "=", "urgent"),
        ),
        _on_labour(
            _C,
            "urgency.emergency",
            ("紧急救援费", "Emergency call"),
            "percent",
            "60",
            41,
            _is("urgency", "=", "emergency"),
        ),
        _on_labour(_C, "night.coefficient", ("夜间服务费", "Night service"), "multiply", "1.4", 50, **_NIGHT),
        _on_labour(
            _C,
            "service_tier.vip",
            ("VIP 高频服务档位", "VIP tier for frequent work"),
            "percent",
            "-10",
            70,
            _is("customer_tier", "=", "vip"),
        ),
        _rule(
            _C,
            "travel.distance",
            ("上门里程费", "Distance"),
            "per_unit",
            "200",
            80,
            unit="distance_km",
            over="10",
        ),
        _rule(
            _C,
            "travel.cross_city",
            ("跨市上门费", "Work in another city"),
            "add",
            "12000",
            81,
            _is("cross_city", "=", True),
        ),
        _rule(_C, "tool_rental.tools", ("设备使用费", "Use of tools"), "per_unit", "1.2", 90, unit="tools"),
        _rule(_C, "parts.price", ("备件费", "Parts"), "per_unit", "1.25", 91, unit="parts"),
        _on_labour(
            _C,
            "timeliness.late",
            ("超时补偿", "Allowance for being late"),
            "percent",
            "-10",
            100,
            _is("on_time", "=", False),
        ),
    ],
}
