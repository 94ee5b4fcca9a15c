"""Our scripts stand beside the Python modules that wrap them; here they get an address to be imported by."""

import os
import sys
from pathlib import Path
from uuid import uuid4

from reflex.constants import Dirs
from reflex_base.environment import EnvironmentVariables


def script(module: str, file: str) -> str:
    """The address by which the front end imports `file`, which stands beside a module, named by `__name__`.

    `rx.asset(file, shared=True)` gives the same address, but finds its caller by reading the sources of the
    whole stack, a tenth of a second for each file at every start.
    """
    source = Path(sys.modules[module].__file__ or "").parent / file
    if not source.is_file():
        raise FileNotFoundError(source)
    folder = f"{Dirs.EXTERNAL_APP_ASSETS}/{module.replace('.', '/')}"
    if not EnvironmentVariables.REFLEX_BACKEND_ONLY.get():
        _link(Path.cwd() / Dirs.APP_ASSETS / folder / file, source)
    return f"$/public/{folder}/{file}"


def _link(address: Path, source: Path) -> None:
    """Several processes may start at once: the link is made aside and put in place by one rename."""
    if address.is_symlink() and address.resolve() == source.resolve():
        return
    address.parent.mkdir(parents=True, exist_ok=True)
    aside = address.with_name(f".{uuid4().hex}.tmp")
    aside.symlink_to(source)
    os.replace(aside, address)
