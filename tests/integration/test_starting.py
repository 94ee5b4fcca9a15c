"""What cannot work ends the start with one sentence, never with a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.databases import ROOT


def _start(module: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    unset = {"DATABASE_URL", "ATTACHMENTS_DIR", "PUBLIC_URL", "REDIS_URL"}
    surroundings = {name: value for name, value in os.environ.items() if name not in unset}
    return subprocess.run(
        [sys.executable, "-m", *module.split()],
        cwd=ROOT,
        env={**surroundings, "DATA_DIR": str(folder), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("module", ["ticket_console.serve", "alembic upgrade head"])
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT is 'eighty': it must be a whole number from 1 to 65535"),
        ("PUBLIC_URL", "console.example.com", "PUBLIC_URL is 'console.example.com': it must be an address"),
        ("SECRET_KEY", "short", "SECRET_KEY is too short: it must have at least 32 characters"),
        ("DATABASE_URL", "mysql://localhost/console", "it must start with sqlite:/// or postgresql://"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x", "The database of DATABASE_URL cannot be used"),
        ("DATABASE_URL", "postgresql://a:b@c:d/e", "The database of DATABASE_URL cannot be used"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence(
    module: str, name: str, value: str, sentence: str, tmp_path: Path
) -> None:
    ended = _start(module, tmp_path, **{name: value})

    assert ended.returncode != 0
    assert ended.stdout == ""
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_that_nobody_migrated_is_named(tmp_path: Path) -> None:
    ended = _start("ticket_console.serve", tmp_path)

    assert ended.returncode == 2
    assert ended.stderr == "The database is not up to date: run `make migrate` first.\n"
