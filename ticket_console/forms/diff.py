"""What differs between two documents of a template, in lines that a person reads. Pure.

A line per thing: a field that was added is one line, each setting of a field that was changed is one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ticket_console.kernel.documents import (
    ABSENT,
    Change,
    ChangeKind,
    Document,
    Path,
    changes,
    part_at,
    same,
)

# Things that come and go; of everything else it is enough to say that it changed.
_THINGS: Final = frozenset({"node", "edge", "stage", "section", "field", "asked", "permission", "comment"})


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One difference. `sentence` with `params` is the text of it; `key` is what it concerns, for marking it.

    A side that has nothing there is None, which is also what a part may hold: `kind` tells them apart.
    """

    part: str
    kind: ChangeKind
    key: str
    path: Path
    before: Any
    after: Any
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        kind = self.kind if self.part in _THINGS else ChangeKind.CHANGED
        return f"diff.{self.part}.{kind}"

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "kind": self.kind.value,
            "key": self.key,
            "path": list(self.path),
            "before": self.before,
            "after": self.after,
            "sentence": self.sentence,
            "params": dict(self.params),
        }


Sentence = tuple[str, str, Mapping[str, Any]]
# What a part is called by its path: the part, what it concerns, and what its sentence is filled with.
Say = Callable[[Path, Document, Document], Sentence]


def lines(
    before: Document, after: Document, *, whole: Callable[[Path], int], say: Say
) -> tuple[DiffLine, ...]:
    """Differences gathered to what `whole` takes as one thing: the length of the path that names it."""
    found: dict[tuple[Path, ChangeKind], DiffLine] = {}
    for change in changes(before, after):
        line = _line(change, before, after, whole, say)
        found.setdefault((line.path, line.kind), line)
    return tuple(found.values())


def _line(
    change: Change, before: Document, after: Document, whole: Callable[[Path], int], say: Say
) -> DiffLine:
    size = whole(change.path)
    if size < len(change.path):
        # A part of the thing changed, so the thing did.
        path = change.path[:size]
        sides = part_at(before, path), part_at(after, path)
        change = Change(ChangeKind.CHANGED, path, *sides)
    part, key, params = say(change.path, before, after)
    return DiffLine(
        part=part,
        kind=change.kind,
        key=key,
        path=change.path,
        before=None if change.before is ABSENT else change.before,
        after=None if change.after is ABSENT else change.after,
        params=params,
    )


def either(path: Sequence[str], before: Document, after: Document) -> Any:
    """A part as it is now, or as it was where it is no more."""
    now = part_at(after, path)
    return part_at(before, path) if now is ABSENT else now


def named(part: Any, key: str, *names: str) -> Any:
    """What a part is called, in both languages where it has a name."""
    for name in names:
        if isinstance(part, dict) and part.get(name):
            return part[name]
    return key


def setting(name: str) -> str:
    """The key of what a setting is called, for the placeholder `{setting:text}`."""
    return f"diff.setting.{name}"


def diff(before: Document, after: Document) -> tuple[DiffLine, ...]:
    """What differs between two documents of a template; empty exactly for equal ones."""
    return _with_moves(lines(before, after, whole=_whole, say=_say))


def summary(found: Sequence[DiffLine]) -> dict[str, dict[str, int]]:
    """How many of each part were added, removed, changed and moved."""
    counted: dict[str, dict[str, int]] = {}
    for line in found:
        kinds = counted.setdefault(line.part, {})
        kinds[line.kind.value] = kinds.get(line.kind.value, 0) + 1
    return counted


_SECTIONS: Final = ("definition", "sections")


def _whole(path: Path) -> int:
    if path[:2] == _SECTIONS:
        # A section's setting, or a field's setting.
        return min(len(path), 6 if len(path) > 3 and path[3] == "fields" else 4)
    return min(len(path), 2)


def _say(path: Path, before: Document, after: Document) -> Sentence:
    if path[:2] != _SECTIONS:
        return "face", path[-1], {"setting": setting(path[-1])}
    if len(path) == 2:
        return "sections", "", {}
    section = named(either(path[:3], before, after), path[2], "title")
    if len(path) == 3:
        return "section", path[2], {"section": section}
    if path[3] != "fields":
        return "section_setting", path[2], {"section": section, "setting": setting(path[3])}
    if len(path) == 4:
        return "fields", path[2], {"section": section}
    name = named(either(path[:5], before, after), path[4], "label")
    if len(path) == 5:
        return "field", path[4], {"field": name, "section": section}
    return "field_setting", path[4], {"field": name, "setting": setting(path[5])}


def _with_moves(found: tuple[DiffLine, ...]) -> tuple[DiffLine, ...]:
    """A field that left one section and came to another has moved, and may have changed on the way."""
    fields = [line for line in found if line.part == "field"]
    came = {line.key: line for line in fields if line.kind is ChangeKind.ADDED}
    went = {line.key: line for line in fields if line.kind is ChangeKind.REMOVED and line.key in came}
    made: list[DiffLine] = []
    for line in found:
        if line.part != "field" or line.key not in went:
            made.append(line)
        elif line.kind is ChangeKind.ADDED:
            made += _moved(went[line.key], line)
    return tuple(made)


def _moved(was: DiffLine, now: DiffLine) -> list[DiffLine]:
    params = {**now.params, "from": was.params["section"]}
    moved = DiffLine("field", ChangeKind.MOVED, now.key, now.path, was.path[2], now.path[2], params)
    return [
        moved,
        *(
            DiffLine(
                "field_setting",
                ChangeKind.CHANGED,
                now.key,
                (*now.path, name),
                was.before.get(name),
                now.after.get(name),
                {"field": now.params["field"], "setting": setting(name)},
            )
            for name in sorted(was.before.keys() | now.after.keys())
            if not same(was.before.get(name, ABSENT), now.after.get(name, ABSENT))
        ),
    ]
