"""Statements as values, without a ledger behind them, and signed by a key of the tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ticket_console.settlement import payees, signing
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.kinds import Dimension, JournalKind, PeriodState, StatementState
from ticket_console.settlement.stated_lines import DocumentLine

NOVEMBER = PeriodView(
    id=1,
    code="2026-11",
    starts_at=datetime(2026, 10, 31, 16, 0, tzinfo=UTC),
    ends_at=datetime(2026, 11, 30, 16, 0, tzinfo=UTC),
    tz="Asia/Shanghai",
    state=PeriodState.OPEN,
    version=1,
)
PRIVATE_KEY = bytes(range(32))
PUBLIC_KEY = signing.public_key_of(PRIVATE_KEY)


def make_line(amount_minor: int, **changes: Any) -> DocumentLine:
    plain: dict[str, Any] = {
        "journal_seq": 1,
        "kind": JournalKind.RATING,
        "ticket_id": 7,
        "ticket_no": "0012345",
        "segment": "main",
        "service_at": datetime(2026, 11, 20, 17, 0, tzinfo=UTC),
        "dimension": Dimension.BASE_LABOUR,
        "rule_code": "base.install",
        "rule_name": {"zh": "安装基础工费", "en": "Installation labour"},
        "rule_version": 1,
        "item": "",
        "formula": "1 × 100.00 = 100.00",
        "amount_minor": amount_minor,
    }
    return DocumentLine(**plain | changes)


def make_document(*lines: DocumentLine, **changes: Any) -> StatementDocument:
    plain: dict[str, Any] = {
        "organisation": {"zh": "测试公司", "en": "Test company"},
        "payee": payees.technician(42),
        "payee_name": {"zh": "安娜", "en": "安娜"},
        "period": NOVEMBER,
        "number": 1,
        "state": StatementState.ISSUED,
        "currency": "CNY",
        "total_minor": sum(line.amount_minor for line in lines),
        "as_of_seq": 9,
        "issued_at": datetime(2026, 11, 30, 17, 0, 0, 123_456, tzinfo=UTC),
        "signature": None,
        "lines": lines,
    }
    return StatementDocument(**plain | changes)


def signed(document: StatementDocument) -> StatementDocument:
    """The same with the signature it would get when it is issued, but for the hashes of a ledger."""
    zone = ZoneInfo(document.period.tz)
    lines = [line.signed(zone) for line in document.lines]
    head = {
        "format": signing.FORMAT,
        "payee_kind": document.payee.kind.value,
        "payee_id": document.payee.id,
        "payee_name": dict(document.payee_name),
        "period": document.period.code,
        "number": document.number,
        "currency": document.currency,
        "total_minor": document.total_minor,
        "as_of_seq": document.as_of_seq,
        "chain_head": "c" * 64,
        "line_count": len(lines),
        "lines_hash": signing.lines_hash(lines),
    }
    return replace(document, signature=signing.sign(head, private_key=PRIVATE_KEY))
