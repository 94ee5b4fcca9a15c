"""Whether statements are what was signed: `python -m tools.verify_statement FILE... --key KEY`.

FILE is a statement as JSON, XLSX or CSV; beside a CSV file lies its signature, `FILE.sig`. KEY is the
organisation's public key in base64, or a file that holds it. Nothing is asked of a server or a database.
Exit code 0: all genuine; 1: something was changed, and which line; 2: a file cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ticket_console.settlement.signing import BadKey
from ticket_console.settlement.verifying import (
    Unreadable,
    Verdict,
    verify_csv,
    verify_json,
    verify_xlsx,
)

GENUINE: Final = 0
CHANGED: Final = 1
UNREADABLE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.verify_statement", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--key", required=True, help="the public key in base64, or a file that holds it")
    asked = parser.parse_args(arguments)
    try:
        key = _key(asked.key)
        return max(_report(file, key) for file in asked.files)
    except BadKey:
        print(f"--key is {asked.key!r}: it must be the base64 of an Ed25519 key, or a file that holds it")
        return UNREADABLE


def _key(given: str) -> str:
    try:
        kept = Path(given)
        return kept.read_text(encoding="ascii").strip() if kept.is_file() else given.strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadKey(given) from wrong


def _report(file: Path, key: str) -> int:
    try:
        verdict = _verdict(file, key)
    except (OSError, Unreadable) as wrong:
        print(f"{file}: cannot be verified: {wrong}")
        return UNREADABLE
    if verdict.problems:
        print(f"{file}: NOT what was signed")
        for problem in verdict.problems:
            print(f"  {problem}")
        return CHANGED
    head = verdict.head
    print(
        f"{file}: genuine; {head['payee_name'].get('en', '')}, {head['period']} no. {head['number']}, "
        f"{head['line_count']} lines, {head['total_minor']} minor units of {head['currency']}, "
        f"ledger up to entry {head['as_of_seq']}"
    )
    return GENUINE


def _verdict(file: Path, key: str) -> Verdict:
    content = file.read_bytes()
    match file.suffix.lower():
        case ".json":
            return verify_json(content, public_key=key)
        case ".xlsx":
            return verify_xlsx(content, public_key=key)
        case ".csv":
            sidecar = file.with_name(f"{file.name}.sig")
            if not sidecar.is_file():
                raise Unreadable(f"its signature {sidecar.name} does not lie beside it")
            return verify_csv(content, sidecar.read_bytes(), public_key=key)
        case other:
            raise Unreadable(f"{other or 'a file without an ending'} is not JSON, XLSX or CSV")


if __name__ == "__main__":
    sys.exit(main())
