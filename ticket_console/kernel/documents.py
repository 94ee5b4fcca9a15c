"""Documents that people draw together: keyed operations with their inverses, and the three-way merge.

A document is plain JSON. An operation names a part by its path, one step per name; lists of keyed things
(`KEYED`) are stepped into by the member's key and never by its position, so that a path means the same
whatever was added before it:

    {"op": "put", "path": ["nodes", "visit", "name", "en"], "value": "Visit"}
    {"op": "put", "path": ["nodes", "visit"], "value": {"key": "visit", ...}, "before": "end"}
    {"op": "remove", "path": ["edges", "a-b"]}
    {"op": "move", "path": ["sections", "s1", "fields", "age"], "to": ["sections", "s2", "fields"]}

`put` replaces what is there and keeps its place; something new comes before the member named by `before`, or
last. Objects missing on the way are made, members of lists are not. `move` without `to` stays in its list.
The other lists and the parts in `WHOLE` are replaced whole.

`designer/document.js` says the same in the browser, and a test holds both together.
Documents are values here: nothing given is changed, and what comes back shares its unchanged parts.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.errors import FieldProblem, InvalidInput

Document = dict[str, Any]
Operation = Mapping[str, Any]
Path = tuple[str, ...]

# Which member of each thing in a list of this name is its key.
KEYED: Final[Mapping[str, str]] = {
    "nodes": "key",
    "edges": "key",
    "stages": "key",
    "sections": "key",
    "fields": "key",
    "comments": "key",
    "columns": "key",
    "items": "key",
    "checklist": "key",
    "questions": "key",
    "options": "value",
    "parts": "sku",
}
# What means something only as a whole: half of one condition and half of another would be neither.
WHOLE: Final = frozenset(
    {"guard", "when", "visible_when", "required_when", "handler", "until", "lookup", "default", "value"}
)

MAX_OPERATIONS: Final = 2_000
MAX_PATH: Final = 16
MAX_NAME: Final = 200
MAX_DEPTH: Final = 100
MAX_BYTES: Final = 4_000_000
# JavaScript counts exactly up to here.
MAX_INTEGER: Final = 2**53 - 1
# In JavaScript it is not a name like any other.
_FORBIDDEN_NAME: Final = "__proto__"


class InvalidOperation(InvalidInput):
    """An operation that does not fit the document; the problem's path names it, and nothing was applied."""

    code = "document.invalid_operation"


class DocumentTooLarge(InvalidInput):
    code = "document.too_large"


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


# Stands for "there is nothing here", which is not the same as null.
ABSENT: Final = _Absent()


class _Refusal(Exception):
    def __init__(self, code: str, **params: str | int) -> None:
        self.code = f"document.{code}"
        self.params = params
        super().__init__(self.code)


def apply(
    document: Document, operations: Sequence[Operation], *, limit: int = MAX_OPERATIONS
) -> tuple[Document, list[dict[str, Any]]]:
    """The document after all operations, and the operations that lead back to exactly what was.

    All or nothing: raises `InvalidOperation` naming the first operation that does not fit.
    """
    if len(operations) > limit:
        problem = FieldProblem("operations", "document.too_many_operations", {"limit": limit})
        raise InvalidOperation((problem,))
    inverse: list[dict[str, Any]] = []
    for index, operation in enumerate(operations):
        try:
            document, back = _apply_one(document, operation)
        except _Refusal as refusal:
            problem = FieldProblem(f"operations[{index}]", refusal.code, refusal.params)
            raise InvalidOperation((problem,)) from None
        inverse[:0] = back
    return document, inverse


def checked_document(value: object) -> Document:
    """A document from outside as a value of our own; raises `InvalidOperation` or `DocumentTooLarge`."""
    try:
        document = _own(value, 1)
    except _Refusal as refusal:
        raise InvalidOperation((FieldProblem("document", refusal.code, refusal.params),)) from None
    if not isinstance(document, dict):
        raise InvalidOperation((FieldProblem("document", "document.wrong_shape"),))
    refuse_too_large(document)
    return document


def refuse_too_large(document: Document) -> None:
    if len(canonical_json(document).encode()) > MAX_BYTES:
        raise DocumentTooLarge((FieldProblem("document", "document.too_large", {"limit": MAX_BYTES}),))


def part_at(document: Document, path: Sequence[str]) -> Any:
    """What stands at a path, `ABSENT` where there is nothing."""
    part: Any = document
    name = ""
    for step in path:
        slot = _slot(part, name, step)
        if slot is None:
            return ABSENT
        part, name = part[slot], step
    return part


def same(left: object, right: object) -> bool:
    """Equal as JSON: `true` is not 1."""
    if left is right:
        return True
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def member_key(name: str, value: object) -> str | None:
    """The member that keys a list standing under `name`; None where it has to be taken whole."""
    key = KEYED.get(name)
    if key is None or not isinstance(value, list):
        return None
    found = [member.get(key) if isinstance(member, dict) else None for member in value]
    if all(isinstance(each, str) for each in found) and len(set(found)) == len(found):
        return key
    return None


def flatten(document: Document) -> dict[Path, Any]:
    """Every leaf by its path; at the path of a keyed list stand the keys of its members in order.

    Two documents are equal exactly when they are equal flattened.
    """
    found: dict[Path, Any] = {}
    _flatten((), document, found)
    return found


def _flatten(path: Path, part: object, found: dict[Path, Any]) -> None:
    key = member_key(path[-1], part) if path else None
    if key is not None and isinstance(part, list):
        found[path] = [member[key] for member in part]
        for member in part:
            _flatten((*path, member[key]), member, found)
    elif isinstance(part, dict) and part:
        for name, inner in part.items():
            _flatten((*path, name), inner, found)
    else:
        found[path] = part


_Spine = list[tuple[Any, Any]]
_Applied = tuple[Document, list[dict[str, Any]]]


def _apply_one(document: Document, operation: object) -> _Applied:
    if not isinstance(operation, Mapping):
        raise _Refusal("wrong_shape")
    kind = operation.get("op")
    path = _path(operation.get("path"))
    if kind == "put":
        _refuse_other_names(operation, {"op", "path", "value", "before"})
        if "value" not in operation:
            raise _Refusal("wrong_shape")
        return _put(document, path, _own(operation["value"], len(path)), operation)
    if kind == "remove":
        _refuse_other_names(operation, {"op", "path"})
        return _remove(document, path)
    if kind == "move":
        _refuse_other_names(operation, {"op", "path", "to", "before"})
        to = path[:-1] if operation.get("to") is None else _path(operation["to"])
        return _move(document, path, to, _before(operation))
    raise _Refusal("unknown_operation")


def _refuse_other_names(operation: Operation, known: set[str]) -> None:
    if operation.keys() - known:
        raise _Refusal("wrong_shape")


def _path(given: object) -> Path:
    if not isinstance(given, list | tuple) or not given:
        raise _Refusal("bad_path")
    if len(given) > MAX_PATH:
        raise _Refusal("too_deep", limit=MAX_PATH)
    for step in given:
        if not isinstance(step, str) or not 0 < len(step) <= MAX_NAME or step == _FORBIDDEN_NAME:
            raise _Refusal("bad_path")
    return tuple(given)


def _before(operation: Operation) -> str | None:
    before = operation.get("before")
    if before is not None and not isinstance(before, str):
        raise _Refusal("wrong_shape")
    return before


def _own(value: object, depth: int) -> Any:
    """A value from outside, checked, as JSON of our own: whole numbers are integers in both languages."""
    if depth > MAX_DEPTH:
        raise _Refusal("too_deep", limit=MAX_DEPTH)
    if isinstance(value, Mapping):
        return {_own_name(key): _own(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_own(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return _own_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _own_number(value)
    raise _Refusal("bad_value")


def _own_name(name: object) -> str:
    if not isinstance(name, str) or len(name) > MAX_NAME or name == _FORBIDDEN_NAME:
        raise _Refusal("bad_value")
    return _own_text(name)


def _own_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Refusal("bad_value") from None
    return text


def _own_number(number: float) -> int | float:
    if not math.isfinite(number) or abs(number) > MAX_INTEGER:
        raise _Refusal("bad_value")
    return int(number) if number == int(number) else number


def _slot(container: object, name: str, step: str) -> Any:
    """Where `step` stands in a container that stands under `name`; None where it does not."""
    if isinstance(container, dict):
        return step if step in container else None
    key = member_key(name, container)
    if key is None:
        return None
    members = cast(list[dict[str, Any]], container)
    return next((index for index, member in enumerate(members) if member[key] == step), None)


def _descend(document: Document, path: Path) -> tuple[_Spine, Any, int]:
    """As far along a path as there is something: the containers passed, the last part, and the steps done."""
    spine: _Spine = []
    part: Any = document
    for done, step in enumerate(path):
        slot = _slot(part, path[done - 1] if done else "", step)
        if slot is None:
            return spine, part, done
        spine.append((part, slot))
        part = part[slot]
    return spine, part, len(path)


def _reach(document: Document, path: Path) -> tuple[_Spine, Any]:
    spine, part, done = _descend(document, path)
    if done < len(path):
        raise _Refusal("unknown_part", part=".".join(path[: done + 1]))
    return spine, part


def _rebuilt(spine: _Spine, part: Any) -> Any:
    for container, slot in reversed(spine):
        container = container.copy()
        container[slot] = part
        part = container
    return part


def _put(document: Document, path: Path, value: Any, operation: Operation) -> _Applied:
    """`before` says that something new is meant, so that nobody replaces by accident what has that key."""
    _refuse_rekeying(document, path, value)
    spine, part, done = _descend(document, path)
    is_insertion = "before" in operation
    if done == len(path):
        if is_insertion:
            raise _Refusal("already_there", part=path[-1])
        _refuse_other_key(spine[-1][0], path, value)
        return _rebuilt(spine, value), [{"op": "put", "path": list(path), "value": part}]
    name = path[done - 1] if done else ""
    if isinstance(part, dict):
        rest = path[done:]
        if is_insertion and (operation["before"] is not None or not _starts_list(rest, value)):
            raise _Refusal("unknown_part", part=str(operation["before"]))
        made = _made_for(rest, value)
        undo = {"op": "remove", "path": list(path[: done + 1])}
        return _rebuilt(spine, {**part, path[done]: made}), [undo]
    if done < len(path) - 1 or member_key(name, part) is None:
        raise _Refusal("unknown_part", part=path[done])
    _refuse_other_key(part, path, value)
    members = _inserted(part, KEYED[name], value, _before(operation))
    return _rebuilt(spine, members), [{"op": "remove", "path": list(path)}]


def _starts_list(rest: Path, value: object) -> bool:
    """Whether something new names itself so that the list for it has to be made."""
    key = KEYED.get(rest[-2]) if len(rest) > 1 else None
    return key is not None and isinstance(value, dict) and value.get(key) == rest[-1]


def _made_for(rest: Path, value: Any) -> Any:
    """What has to stand at the first missing name, so that the last one leads to the value."""
    if len(rest) == 1:
        return value
    made: Any = [value] if _starts_list(rest, value) else {rest[-1]: value}
    for step in reversed(rest[1:-1]):
        made = {step: made}
    return made


def _refuse_other_key(container: object, path: Path, value: object) -> None:
    """A member of a list is found by its key, so the path and the member must agree on it."""
    if isinstance(container, list):
        key = KEYED[path[-2]]
        if not isinstance(value, dict) or not same(value.get(key, ABSENT), path[-1]):
            raise _Refusal("key_mismatch", key=path[-1])


def _refuse_rekeying(document: Document, path: Path, value: object) -> None:
    if len(path) < 3 or path[-1] != KEYED.get(path[-3]):
        return
    if member_key(path[-3], part_at(document, path[:-2])) is not None and not same(value, path[-2]):
        raise _Refusal("key_fixed", key=path[-2])


def _inserted(members: list[Any], key: str, member: Any, before: str | None) -> list[Any]:
    if before is None:
        return [*members, member]
    for index, each in enumerate(members):
        if each[key] == before:
            return [*members[:index], member, *members[index:]]
    raise _Refusal("unknown_part", part=before)


def _next_key(members: list[Any], index: int, key: str) -> str | None:
    return members[index + 1][key] if index + 1 < len(members) else None


def _remove(document: Document, path: Path) -> _Applied:
    _refuse_rekeying(document, path, ABSENT)
    spine, part = _reach(document, path)
    container, slot = spine.pop()
    back: dict[str, Any] = {"op": "put", "path": list(path), "value": part}
    if isinstance(container, list):
        back["before"] = _next_key(container, slot, KEYED[path[-2]])
    return _rebuilt(spine, _without(container, slot)), [back]


def _without(container: Any, slot: Any) -> Any:
    left = container.copy()
    del left[slot]
    return left


def _move(document: Document, path: Path, to: Path, before: str | None) -> _Applied:
    spine, part = _reach(document, path)
    members, index = spine.pop()
    if not isinstance(members, list) or KEYED.get(to[-1] if to else "") != KEYED[path[-2]]:
        raise _Refusal("not_movable", part=path[-1])
    if to[: len(path)] == path:
        raise _Refusal("into_itself", part=path[-1])
    if len(to) >= MAX_PATH or len(to) + _depth(part) > MAX_DEPTH:
        raise _Refusal("too_deep", limit=MAX_PATH)
    key = KEYED[path[-2]]
    back: dict[str, Any] = {"op": "move", "path": [*to, path[-1]], "to": list(path[:-1])}
    back["before"] = _next_key(members, index, key)
    document = _rebuilt(spine, _without(members, index))
    spine, target, done = _descend(document, to)
    if done < len(to):
        if not isinstance(target, dict) or before is not None:
            raise _Refusal("unknown_part", part=to[done])
        made = _made_for((*to[done:], path[-1]), part)
        undo = {"op": "remove", "path": list(to[: done + 1])}
        return _rebuilt(spine, {**target, to[done]: made}), [back, undo]
    if member_key(to[-1], target) is None:
        raise _Refusal("not_movable", part=path[-1])
    if any(each[key] == path[-1] for each in target):
        raise _Refusal("already_there", part=path[-1])
    return _rebuilt(spine, _inserted(target, key, part, before)), [back]


def _depth(part: object) -> int:
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return 1 + max(map(_depth, inner), default=0)


class Side(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"
    BASE = "base"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where both sides changed one thing differently; a side that has nothing there is `ABSENT`.

    With `is_order` the sides are the keys of a list's members in the order each side gave them.
    """

    path: Path
    base: Any
    ours: Any
    theirs: Any
    is_order: bool = False

    def side(self, side: Side) -> Any:
        return {Side.BASE: self.base, Side.OURS: self.ours, Side.THEIRS: self.theirs}[side]


@dataclass(frozen=True, slots=True)
class Merged:
    """Where `conflicts` are left, the document shows ours there and is not to be taken as it is."""

    document: Document
    conflicts: tuple[Difference, ...]


class NoSuchConflict(InvalidInput):
    """A choice for something the two sides do not disagree on (any more)."""

    code = "document.no_such_conflict"


def three_way(
    base: Document,
    ours: Document,
    theirs: Document,
    choices: Mapping[Path, Side] | None = None,
) -> Merged:
    """What both sides changed, put together.

    A part only one side changed is taken from it. Parts both changed differently are conflicts, each settled
    by the choice given for its path or else listed. Raises `NoSuchConflict` for a choice without a conflict.
    """
    merge = _Merge(dict(choices or {}))
    document = merge.parts((), base, ours, theirs)
    if unused := merge.choices.keys() - merge.settled:
        raise NoSuchConflict(
            tuple(FieldProblem(".".join(path), "document.no_such_conflict") for path in sorted(unused))
        )
    return Merged(document, tuple(merge.conflicts))


class _Merge:
    def __init__(self, choices: Mapping[Path, Side]) -> None:
        self.choices = choices
        self.settled: set[Path] = set()
        self.conflicts: list[Difference] = []

    def parts(self, path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        if same(ours, theirs) or same(base, theirs):
            return ours
        if same(base, ours):
            return theirs
        name = path[-1] if path else ""
        if name not in WHOLE:
            if isinstance(ours, dict) and isinstance(theirs, dict):
                return self._objects(path, base if isinstance(base, dict) else {}, ours, theirs)
            old = base if isinstance(base, list) else []
            if all(member_key(name, each) is not None for each in (old, ours, theirs)):
                return self._lists(path, old, ours, theirs)
        return self._settle(Difference(path, base, ours, theirs))

    def _settle(self, conflict: Difference) -> Any:
        choice = self.choices.get(conflict.path)
        if choice is None:
            self.conflicts.append(conflict)
            return conflict.ours
        self.settled.add(conflict.path)
        return conflict.side(choice)

    def _objects(self, path: Path, base: Document, ours: Document, theirs: Document) -> dict[str, Any]:
        merged = {
            name: self.parts(
                (*path, name), base.get(name, ABSENT), ours.get(name, ABSENT), theirs.get(name, ABSENT)
            )
            for name in sorted(ours.keys() | theirs.keys())
        }
        return {name: part for name, part in merged.items() if part is not ABSENT}

    def _lists(self, path: Path, base: list[Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
        key = KEYED[path[-1]]
        sides = [{member[key]: member for member in side} for side in (base, ours, theirs)]
        members = self._objects(path, *sides)
        return [members[each] for each in self._order(path, members.keys(), *map(list, sides))]

    def _order(
        self, path: Path, present: Iterable[str], base: list[str], ours: list[str], theirs: list[str]
    ) -> list[str]:
        """What all three know in the order of the side that changed it; the rest after what it followed."""
        kept = set(present)
        common = kept & set(base) & set(ours) & set(theirs)
        old, mine, other = ([key for key in side if key in common] for side in (base, ours, theirs))
        if other in (mine, old):
            spine = mine
        elif mine == old:
            spine = other
        else:
            spine = self._settle(Difference(path, old, mine, other, is_order=True))
        runs = [_runs(side, common, kept) for side in (ours, theirs, base)]
        found: dict[str, None] = {}
        for anchor in ("", *spine):
            if anchor:
                found[anchor] = None
            # Not by side, so that both sides get the same whoever merges.
            for run in sorted(each.get(anchor, []) for each in runs[:2]):
                found.update(dict.fromkeys(run))
        for key in runs[2].values():
            found.update(dict.fromkeys(key))
        return list(found)


def _runs(keys: list[str], common: set[str], kept: set[str]) -> dict[str, list[str]]:
    """The keys that are not common, by the common one they follow; the empty text is the beginning."""
    runs: dict[str, list[str]] = {}
    anchor = ""
    for key in keys:
        if key in common:
            anchor = key
        elif key in kept:
            runs.setdefault(anchor, []).append(key)
    return runs


def replacing(document: Document, wanted: Document) -> list[dict[str, Any]]:
    """Operations that turn one document into another, one for each of its parts that differs."""
    puts = [
        {"op": "put", "path": [name], "value": part}
        for name, part in sorted(wanted.items())
        if not same(document.get(name, ABSENT), part)
    ]
    removals = [{"op": "remove", "path": [name]} for name in sorted(document.keys() - wanted.keys())]
    return [*removals, *puts]


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs; what was not there before, or is not there after, is `ABSENT`.

    Moved is what stands elsewhere than before: of a keyed list, `before` and `after` are the keys of the
    members both documents have, in their order.
    """

    kind: ChangeKind
    path: Path
    before: Any
    after: Any


def changes(before: Document, after: Document) -> tuple[Change, ...]:
    """Everything that differs, down to the smallest part; nothing exactly where the documents are equal."""
    found: list[Change] = []
    _compare((), before, after, found)
    return tuple(found)


def _compare(path: Path, before: Any, after: Any, found: list[Change]) -> None:
    if same(before, after):
        return
    name = path[-1] if path else ""
    if before is ABSENT or after is ABSENT:
        kind = ChangeKind.ADDED if before is ABSENT else ChangeKind.REMOVED
        found.append(Change(kind, path, before, after))
    elif name not in WHOLE and isinstance(before, dict) and isinstance(after, dict):
        _compare_members(path, before, after, found)
    elif name not in WHOLE and member_key(name, before) is not None and member_key(name, after) is not None:
        key = KEYED[name]
        old, new = ({member[key]: member for member in side} for side in (before, after))
        _compare_members(path, old, new, found)
        orders = [each for each in old if each in new], [each for each in new if each in old]
        if orders[0] != orders[1]:
            found.append(Change(ChangeKind.MOVED, path, *orders))
    else:
        found.append(Change(ChangeKind.CHANGED, path, before, after))


def _compare_members(path: Path, before: Document, after: Document, found: list[Change]) -> None:
    for name in [*after, *(each for each in before if each not in after)]:
        _compare((*path, name), before.get(name, ABSENT), after.get(name, ABSENT), found)
