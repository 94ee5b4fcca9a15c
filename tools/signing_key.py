"""The keys statements are signed with: `python -m tools.signing_key [--renew]`.

Prints the public keys of every organisation. With `--renew` each gets a new key, for instance because
SECRET_KEY was changed and the old one cannot be opened any more; what the old ones signed stays genuine.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from ticket_console.access import places
from ticket_console.kernel.database import transaction
from ticket_console.settlement import signatures


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.signing_key", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="retire the keys in use and make new ones")
    asked = parser.parse_args(arguments)
    with transaction() as connection:
        for org_id in places.org_ids(connection):
            at = datetime.now(UTC)
            if asked.renew:
                signatures.renew_key(connection, org_id=org_id, at=at)
            else:
                signatures.ensure_key(connection, org_id=org_id, at=at)
            for key in signatures.keys(connection, org_id=org_id):
                until = f"until {key.retired_at:%Y-%m-%d}" if key.retired_at else "in use"
                print(f"organisation {org_id}: {key.public_key}  ({key.fingerprint}; {until})")


if __name__ == "__main__":
    main()
