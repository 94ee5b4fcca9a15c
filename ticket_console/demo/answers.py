"""What people of the demo write into the fields of a step, after the scene they are in."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from ticket_console.forms.fields import FieldKind, FieldSpec

Scene = Mapping[str, Any]
Writer = Callable[[Scene, Random, datetime], Any]

_CLOSING_REMARKS: Final = ("师傅很专业", "按时到达，解释清楚", "处理得很快，谢谢", "")
_DISPATCH_NOTES: Final = ("已与客户确认，改派同区域工程师", "请携带对应配件上门", "客户要求上午上门")
_DECISIONS: Final = ("同意", "同意，按方案执行", "情况属实，同意")
_FOLLOW_UPS: Final = ("电话回访，客户表示满意", "客户已收到补偿，无其他诉求")


def _work(scene: Scene) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scene["work"]
    return found


def _parts(scene: Scene, chance: Random, at: datetime) -> Any:
    return [{"sku": sku, "qty": quantity} for sku, quantity in _work(scene).get("parts", [])] or None


def _likely(key: str) -> Writer:
    """A yes or no whose likelihood the scene gives; where it is impossible, nothing is said."""
    return lambda scene, chance, at: chance.random() < _work(scene)[key] if _work(scene).get(key) else None


_WRITERS: Final[Mapping[str, Writer]] = {
    "category": lambda scene, chance, at: scene.get("category") or "other",
    "appointment": lambda scene, chance, at: (at + timedelta(hours=chance.choice((2, 3, 4)))).isoformat(),
    "arrival": lambda scene, chance, at: (at - timedelta(minutes=chance.randint(40, 150))).isoformat(),
    "fault_cause": lambda scene, chance, at: _work(scene).get("fault_cause") or "正常损耗",
    "actions": lambda scene, chance, at: _work(scene).get("actions") or "已处理完毕。",
    "labour_hours": lambda scene, chance, at: chance.choice(_work(scene)["hours"]),
    "difficulty": lambda scene, chance, at: chance.choice(_work(scene).get("difficulty", ["1"])),
    "at_height": _likely("height"),
    "live_wire": _likely("live_wire"),
    "parts": _parts,
    "install_position": lambda scene, chance, at: _work(scene).get("install_position", "客户指定位置"),
    "test_run": lambda scene, chance, at: True,
    "satisfaction": lambda scene, chance, at: chance.choices((5, 4, 3), (7, 2, 1))[0],
    "customer_remark": lambda scene, chance, at: chance.choice(_CLOSING_REMARKS),
    "site_condition": lambda scene, chance, at: chance.choice(("ready", "ready", "minor")),
    "power_ready": lambda scene, chance, at: True,
    "delivery_no": lambda scene, chance, at: f"DN{at:%m%d}{chance.randint(1000, 9999)}",
    "delivered_on": lambda scene, chance, at: at.date().isoformat(),
    "complaint_kind": lambda scene, chance, at: _work(scene).get("complaint_kind", "quality"),
    "findings": lambda scene, chance, at: _work(scene).get("findings", "情况属实。"),
    "proposal": lambda scene, chance, at: _work(scene).get("proposal", "致歉并改进。"),
    "compensation": lambda scene, chance, at: f"{int(_work(scene).get('compensation', 0)) / 100:.2f}",
    "needs_visit": lambda scene, chance, at: chance.random() < _work(scene).get("visit", 0),
    "decision_note": lambda scene, chance, at: chance.choice(_DECISIONS),
    "dispatch_note": lambda scene, chance, at: chance.choice(_DISPATCH_NOTES),
    "follow_up_note": lambda scene, chance, at: chance.choice(_FOLLOW_UPS),
    "answer": lambda scene, chance, at: _work(scene).get("answer", "已为您解答。"),
    "topic": lambda scene, chance, at: _work(scene).get("topic", "other"),
    "checklist": lambda scene, chance, at: ["mechanical", "electrical", "safety", "cleanliness"],
    "defects": lambda scene, chance, at: chance.choice(_work(scene).get("defects", [0])),
}


class NoAnswer(Exception):
    """The step asks for something that nobody in the demo knows; a person has to fill it in."""


def answer(spec: FieldSpec, scene: Scene, *, required: bool, chance: Random, at: datetime) -> Any:
    """The value for one field, or None to leave it empty; raises NoAnswer for a required one."""
    writer = _WRITERS.get(spec.key)
    value = None if writer is None else writer(scene, chance, at)
    if value is None and required:
        value = _plausible(spec)
    return value


def _plausible(spec: FieldSpec) -> Any:
    if spec.kind is FieldKind.CHOICE:
        return spec.options[0].value
    if spec.kind is FieldKind.YES_NO:
        return True
    if spec.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT) and spec.pattern is None:
        return "已确认"
    raise NoAnswer(spec.key)
