"""Pins every package to the version of this environment: `make pins`.

The first part of a requirements file is written by hand: what we import or start. The second part, which
is written here, is what those packages bring along, so that a fresh machine gets the very same set.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUN, DEV = Path("requirements.txt"), Path("requirements-dev.txt")
# What an installation may have on top; the tests have it always.
ROUTES = Path("requirements-routes.txt")
BROUGHT_ALONG = "\n# Brought along by the packages above.\n"


def main() -> None:
    run = written_by_hand(RUN)
    dev = written_by_hand(DEV)
    at_run_time = closure(run)
    routes = written_by_hand(ROUTES)
    RUN.write_text(_pinned(RUN, run, at_run_time), encoding="utf-8")
    DEV.write_text(_pinned(DEV, dev, closure(dev) - at_run_time), encoding="utf-8")
    ROUTES.write_text(_pinned(ROUTES, routes, closure(routes) - at_run_time), encoding="utf-8")


def written_by_hand(file: Path) -> list[Requirement]:
    head = file.read_text(encoding="utf-8").partition(BROUGHT_ALONG)[0]
    return [Requirement(line) for line in head.splitlines() if line and not line.startswith(("#", "-"))]


def closure(wanted: Iterable[Requirement]) -> set[str]:
    """The names of all packages that installing these puts into the environment."""
    seen: set[tuple[str, str]] = set()
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _needs(name, extra)
    return {name for name, _ in seen}


def _needs(name: str, extra: str) -> Iterator[Requirement]:
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _pinned(file: Path, by_hand: list[Requirement], everything: set[str]) -> str:
    head = file.read_text(encoding="utf-8").partition(BROUGHT_ALONG)[0]
    comments = [line for line in head.splitlines() if line.startswith(("#", "-"))]
    ours = {canonicalize_name(requirement.name): requirement for requirement in by_hand}
    lines = [_line(name, requirement.extras) for name, requirement in sorted(ours.items())]
    rest = [_line(name) for name in sorted(everything - ours.keys())]
    return "\n".join([*comments, *lines]) + "\n" + BROUGHT_ALONG + "\n".join(rest) + "\n"


def _line(name: str, extras: Iterable[str] = ()) -> str:
    chosen = f"[{','.join(sorted(extras))}]" if extras else ""
    return f"{name}{chosen}=={distribution(name).version}"


if __name__ == "__main__":
    main()
