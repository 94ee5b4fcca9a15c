"""A form with a field of every kind, and the flow that has it filled in twice: at the desk and on site."""

from typing import Any

CODE = "survey"


def every_kind(*, lookup_url: str = "https://status.example/{serial_code}") -> dict[str, Any]:
    """The document of the form, with conditions, colours, a formula, a table and a checklist."""
    return {
        "face": {
            "name": {"zh": "门店设备勘查", "en": "Store equipment survey"},
            "business_line": "repair",
            "ticket_class": "repair",
            "flow": CODE,
        },
        "definition": {
            "format": 2,
            "sections": [_request(), _records(), _visit(lookup_url), _result(), _proof()],
        },
    }


def flow() -> dict[str, Any]:
    """Open, a technician on site, done; the document as the designer draws it."""
    on_site = [field["key"] for section in (_visit(""), _result(), _proof()) for field in section["fields"]]
    return {
        "name": {"zh": "设备勘查", "en": "Equipment survey"},
        "stages": [
            {"key": "intake", "name": _both("待受理", "Intake"), "category": "todo"},
            {"key": "onsite", "name": _both("现场", "On site"), "category": "doing"},
            {"key": "done", "name": _both("已完成", "Done"), "category": "done"},
            {"key": "cancelled", "name": _both("已取消", "Cancelled"), "category": "cancelled"},
        ],
        "nodes": [
            {"key": "start", "kind": "start", "name": _both("开始", "Start"), "stage": "intake"},
            {
                "key": "visit",
                "kind": "task",
                "name": _both("现场勘查", "Survey on site"),
                "stage": "onsite",
                "weight": 100,
                "handler": {"mode": "technician", "role": "technician"},
                "fields": [{"key": key, "required": key in ("findings", "sign")} for key in on_site],
            },
            {"key": "done", "kind": "end", "name": _both("完成", "Done"), "stage": "done"},
            {"key": "cancelled", "kind": "end", "name": _both("已取消", "Cancelled"), "stage": "cancelled"},
        ],
        "edges": [
            {"key": "start-visit", "kind": "forward", "source": "start", "target": "visit"},
            {
                "key": "visit-done",
                "kind": "forward",
                "source": "visit",
                "target": "done",
                "name": _both("完成勘查", "Finish the survey"),
            },
            {"key": "visit-cancel", "kind": "cancel", "source": "visit", "target": "cancelled"},
        ],
    }


def _request() -> dict[str, Any]:
    urgent = _rule("level", "=", "stopped")
    return {
        "key": "request",
        "title": _both("勘查需求", "What to look at"),
        "fields": [
            _field("device", "text", "设备名称", "Device", required=True),
            _field(
                "level",
                "choice",
                "影响程度",
                "How bad is it",
                required=True,
                options=[
                    {"value": "runs", "label": _both("可用", "It runs"), "colour": "green"},
                    {"value": "limited", "label": _both("受限", "Limited"), "colour": "orange"},
                    {"value": "stopped", "label": _both("停机", "It stands still"), "colour": "red"},
                ],
                behaviours=[{"when": urgent, "style": "danger"}],
            ),
            _field(
                "loss",
                "money",
                "每小时损失",
                "Loss per hour",
                visible_when=urgent,
                required_when=urgent,
                help=_both("停机时必填。", "Needed where it stands still."),
            ),
            _field("downtime", "duration", "已停时长", "Down for"),
            _field("area", "number", "面积", "Floor space", unit="m²", min=1, max=9000),
            _field("wanted_on", "date", "期望日期", "Wanted on"),
            _field("open_from", "datetime", "可进场时间", "Open from"),
            _field("store_phone", "phone", "门店电话", "Phone of the store"),
            _field(
                "systems",
                "multi_choice",
                "涉及系统",
                "Systems involved",
                options=[
                    {"value": "hvac", "label": _both("空调", "Air conditioning")},
                    {"value": "power", "label": _both("供电", "Power")},
                    {"value": "network", "label": _both("网络", "Network")},
                ],
            ),
            _field("story", "long_text", "情况说明", "What happened"),
        ],
    }


def _records() -> dict[str, Any]:
    return {
        "key": "records",
        "title": _both("相关对象", "Who and what it is about"),
        "columns": 2,
        "fields": [
            _field("contact", "person", "内部联系人", "Colleague to ask"),
            _field("client", "customer", "客户", "Customer"),
            _field("asset", "asset", "设备台账", "Asset on record"),
            _field("spare", "part", "建议备件", "Likely part"),
            _field("serial_code", "scan", "序列号", "Serial number"),
            _field("store_address", "address", "门店地址", "Address of the store"),
        ],
    }


def _visit(lookup_url: str) -> dict[str, Any]:
    return {
        "key": "visit",
        "title": _both("现场记录", "On site"),
        "fields": [
            {"key": "on_site", "kind": "heading", "label": _both("到场", "Arriving"), "at_opening": False},
            _later(
                "live_status",
                "lookup",
                "平台状态",
                "State on the platform",
                lookup={"url": lookup_url, "path": "state", "refresh_seconds": 3600},
            ),
            _later("position", "location", "定位", "Position"),
            _later("power_off", "yes_no", "已断电", "Power is off"),
            _later("condition", "rating", "设备状况", "Condition"),
            _later(
                "checks",
                "checklist",
                "安全检查",
                "Safety checks",
                items=[
                    {"key": "leak", "text": _both("无渗漏", "Nothing leaks")},
                    {"key": "noise", "text": _both("无异响", "No unusual noise")},
                    {"key": "label", "text": _both("铭牌清晰", "Rating plate can be read")},
                ],
            ),
        ],
    }


def _result() -> dict[str, Any]:
    return {
        "key": "result",
        "title": _both("结论与用料", "Findings and material"),
        "fields": [
            _later("findings", "long_text", "勘查结论", "Findings"),
            _later(
                "lines",
                "table",
                "用料清单",
                "Material",
                columns=[
                    _column("item", "text", "物料", "Item", required=True),
                    _column("qty", "number", "数量", "Quantity", min=0),
                    _column("price", "money", "单价", "Price"),
                    _column("sum", "formula", "小计", "Sum", formula="qty * price"),
                ],
            ),
            _later("discount", "number", "折扣", "Discount", unit="%", min=0, max=100),
            _later(
                "total",
                "formula",
                "合计",
                "Total",
                formula="round(sum(lines.sum) * (1 - discount / 100), 2)",
                behaviours=[{"when": _rule("total", ">", "1000"), "style": "warn"}],
            ),
            _later("used_parts", "parts", "领用备件", "Parts used"),
        ],
    }


def _proof() -> dict[str, Any]:
    return {
        "key": "proof",
        "title": _both("凭证", "Proof"),
        "columns": 1,
        "fields": [
            _later("picture", "photo", "现场照片", "Photos"),
            _later("report", "file", "检测报告", "Report", accepts=[".pdf"]),
            _later("sign", "signature", "店长签名", "Signature of the store"),
        ],
    }


def _both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _rule(field: str, operator: str, value: str) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


def _column(key: str, kind: str, zh: str, en: str, **settings: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "label": _both(zh, en), **settings}


_field = _column


def _later(key: str, kind: str, zh: str, en: str, **settings: Any) -> dict[str, Any]:
    return _column(key, kind, zh, en, at_opening=False, **settings)
