"""Which of our roles a lane or a group of another tool means, by the words it is called by."""

import re
from typing import Any, Final

# Tried in order: "customer service" is a service agent and no customer.
_WORDS: Final = (
    ("agent", r"customer service|service desk|help ?desk|call cent|support|agent|客服|坐席|受理"),
    ("dispatcher", r"dispatch|scheduler|planner|调度|派单"),
    ("technician", r"technician|engineer|mechanic|field service|repair|工程师|技师|师傅|维修|安装"),
    ("finance", r"finance|accounting|accountant|billing|财务|会计|结算"),
    ("manager", r"manager|supervisor|management|approver|director|经理|主管|审批"),
    ("customer", r"customer|client|客户|顾客"),
)


def handler_for(words: str | None) -> dict[str, Any] | None:
    """The handler these words stand for, or None where nobody of ours is called so."""
    for role, pattern in _WORDS:
        if words and re.search(pattern, words, re.IGNORECASE):
            if role == "customer":
                return {"mode": "customer"}
            return {"mode": "technician" if role == "technician" else "queue", "role": role}
    return None
