"""All the papers of a period as one zip: every statement in every format, the totals, and a list of hashes.

Statements are written one by one into the folder of the task and reused by the next try, so a build that was
interrupted goes on where it stopped. What is in the zip is what the person who asked for it may read.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import Conflict
from ticket_console.kernel.long_work import Done, Progress
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement import closing, documents, exports, printing, reads, signatures
from ticket_console.settlement.books import read_head
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.kinds import StatementState
from ticket_console.settlement.payees import ACCOUNT_KINDS
from ticket_console.settlement.reach import readable_statements
from ticket_console.settlement.tables import Statement

_STATEMENTS = table(Statement)

FORMAT: Final = "ticket-console/period/1"
# More payees than any period has; the totals leave nobody out.
_EVERYBODY: Final = 1_000_000
# These are compressed already.
_STORED: Final = frozenset({".xlsx", ".pdf"})
_CHUNK: Final = 1 << 20


class NothingToBundle(Conflict):
    """No statement of the period has been issued that the person may read."""

    code = "settlement.nothing_to_bundle"


def build(*, actor: Actor, at: datetime, args: Mapping[str, Any], folder: Path, progress: Progress) -> Done:
    """Write the zip of a period (`period_id`, `locale`) into the folder.

    Raises NothingToBundle, PeriodNotFound, Forbidden, BrokenTemplate, and what `progress` raises to stop it.
    """
    policy.require(actor, "settlement.view")
    locale = args["locale"] if args.get("locale") in LOCALES else LOCALES[0]
    with reading() as conn:
        period = closing.period_view(conn, actor.org_id, int(args["period_id"]))
        wanted = _readable(conn, actor, period)
    if not wanted:
        raise NothingToBundle(period=period.code)
    kept = folder / "files"
    kept.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    stated: list[dict[str, Any]] = []
    for done, statement_id in enumerate(wanted):
        with reading() as conn:
            document = documents.document(conn, viewer=actor, statement_id=statement_id)
        progress(done, len(wanted), exports.statement_stem(document))
        files += _statement_files(document, kept, locale)
        stated.append(_listed(document))
    files += _totals_files(actor, period, kept, locale)
    progress(len(wanted), len(wanted), "")
    manifest = _manifest(actor, at, period, locale, stated, files)
    _write(kept / "manifest.json", manifest)
    target = folder / f"settlement-{period.code}.zip"
    _zip(target, [*files, kept / "manifest.json"], at)
    return Done(
        values={
            "period": period.code,
            "statements": len(stated),
            "files": len(files) + 1,
            "total_minor": sum(each["total_minor"] for each in stated),
            "bytes": target.stat().st_size,
        },
        file=target,
    )


def _readable(conn: Connection, actor: Actor, period: PeriodView) -> list[int]:
    """The issued statements of the period, those the person may not read left out."""
    rows = conn.execute(
        sa.select(_STATEMENTS.c.id)
        .where(
            _STATEMENTS.c.org_id == actor.org_id,
            _STATEMENTS.c.period_id == period.id,
            _STATEMENTS.c.state != StatementState.DRAFT,
            readable_statements(actor),
        )
        .order_by(_STATEMENTS.c.payee_kind, _STATEMENTS.c.payee_id, _STATEMENTS.c.number)
    )
    return list(rows.scalars())


def _statement_files(document: StatementDocument, kept: Path, locale: str) -> list[Path]:
    """The statement in every format; what an earlier try has written whole is not written again."""
    stem = exports.statement_stem(document)
    made: dict[str, Callable[[], bytes]] = {
        "xlsx": lambda: exports.statement_xlsx(document, locale=locale),
        "csv": lambda: exports.statement_csv(document, locale=locale),
        "json": lambda: exports.statement_json(document),
        "pdf": lambda: printing.statement_pdf(document, locale=locale),
    }
    if document.signature is not None:
        made["csv.sig"] = lambda: exports.statement_sig(document)
    return [_written(kept / f"{stem}.{ending}", content) for ending, content in made.items()]


def _totals_files(actor: Actor, period: PeriodView, kept: Path, locale: str) -> list[Path]:
    """Always written anew: what is posted between two tries belongs in them."""
    files: list[Path] = []
    for kind in ACCOUNT_KINDS:
        with reading() as conn:
            currency = places.org(conn, actor.org_id).currency
            totals = reads.payee_totals(
                conn, viewer=actor, period_id=period.id, kind=kind, limit=_EVERYBODY
            ).rows
        if not totals:
            continue
        csv, xlsx = (kept / exports.totals_filename(period, kind, ending) for ending in ("csv", "xlsx"))
        _write(csv, exports.totals_csv(totals, kind=kind, locale=locale))
        _write(
            xlsx,
            exports.totals_xlsx(totals, kind=kind, period=period, currency=currency, locale=locale),
        )
        files += [csv, xlsx]
    return files


def _listed(document: StatementDocument) -> dict[str, Any]:
    return {
        "file": exports.statement_stem(document),
        "payee_kind": document.payee.kind,
        "payee_id": document.payee.id,
        "payee_name": dict(document.payee_name),
        "number": document.number,
        "currency": document.currency,
        "total_minor": document.total_minor,
        "lines": len(document.lines),
        "lines_hash": None if document.signature is None else document.signature.head["lines_hash"],
    }


def _manifest(
    actor: Actor,
    at: datetime,
    period: PeriodView,
    locale: str,
    stated: Sequence[Mapping[str, Any]],
    files: Sequence[Path],
) -> bytes:
    with reading() as conn:
        head = read_head(conn, actor.org_id)
        keys = signatures.keys(conn, org_id=actor.org_id)
    return orjson.dumps(
        {
            "format": FORMAT,
            "period": period.code,
            "made_at": instant_text(at),
            "made_by": actor.label,
            "language": locale,
            "ledger_seq": head.seq,
            "ledger_hash": head.hash,
            "public_keys": [key.public_key for key in keys],
            "statements": stated,
            "files": [
                {"name": file.name, "bytes": file.stat().st_size, "sha256": _sha256(file)} for file in files
            ],
        },
        option=orjson.OPT_INDENT_2,
    )


def _written(target: Path, content: Callable[[], bytes]) -> Path:
    if not target.exists():
        _write(target, content())
    return target


def _write(target: Path, content: bytes) -> None:
    """Whole or not at all: a file with its name is one that may be reused."""
    unfinished = target.with_name(f".{target.name}.part")
    unfinished.write_bytes(content)
    os.replace(unfinished, target)


def _zip(target: Path, files: Sequence[Path], at: datetime) -> None:
    unfinished = target.with_name(f".{target.name}.part")
    with ZipFile(unfinished, "w") as archive:
        for file in files:
            entry = ZipInfo(file.name, date_time=at.timetuple()[:6])
            entry.compress_type = ZIP_STORED if file.suffix in _STORED else ZIP_DEFLATED
            with archive.open(entry, "w") as inside:
                for chunk in _chunks(file):
                    inside.write(chunk)
    os.replace(unfinished, target)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(file):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
