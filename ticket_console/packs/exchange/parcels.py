"""An uploaded file, a single definition or a bundle, read as far as that needs no database."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.packs.exchange import bundles
from ticket_console.packs.exchange.definitions import FORMAT, Definition, Reference
from ticket_console.packs.exchange.kinds import KIND, KINDS
from ticket_console.packs.exchange.yaml_reading import ReadYaml, read_yaml
from ticket_console.packs.exchange.yaml_writing import write_yaml

_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HEADER: Final = frozenset({"kind", "format", "code"})
_STEP: Final = re.compile(r"(\[\d+\]|[^.\[]+)\.?(.*)$", re.DOTALL)
_NUMBERED: Final = re.compile(r"\[(\d{1,9})\]\.?(.*)$", re.DOTALL)


class ExchangeRefused(InvalidInput):
    """Nothing was written. Problems name file, line and path: `flows/repair.yaml:41 graph.nodes[3].kind`."""

    code = "exchange.refused"


@dataclass(frozen=True, slots=True)
class Piece:
    """One definition with the file it came in, so that a problem can be led back to its line."""

    definition: Definition
    file: str
    read: ReadYaml


@dataclass(frozen=True, slots=True)
class Parcel:
    pieces: tuple[Piece, ...]

    @property
    def hash(self) -> str:
        """Equal contents, equal hash, however the files are laid out."""
        return content_hash(sorted((*_pair(piece), piece.definition.hash) for piece in self.pieces))

    def by_reference(self) -> dict[Reference, Piece]:
        return {piece.definition.reference: piece for piece in self.pieces}


def _pair(piece: Piece) -> tuple[str, str]:
    return piece.definition.kind, piece.definition.code


def read_parcel(content: bytes, *, filename: str) -> Parcel:
    """What an uploaded file holds, in the order in which it is written; every problem is named at once."""
    files = bundles.unpack(content) if bundles.is_bundle(content) else {filename[:100] or "file": content}
    pieces: list[Piece] = []
    problems: list[FieldProblem] = []
    for file, text in sorted(files.items()):
        try:
            pieces.append(_piece(file, text))
        except InvalidInput as wrong:
            problems += wrong.problems
    seen: dict[Reference, str] = {}
    for piece in pieces:
        if other := seen.get(piece.definition.reference):
            problems.append(FieldProblem(piece.file, "exchange.defined_twice", {"file": other}))
        seen[piece.definition.reference] = piece.file
    if problems:
        raise ExchangeRefused(tuple(problems))
    rank = {kind.name: number for number, kind in enumerate(KINDS)}
    return Parcel(
        tuple(sorted(pieces, key=lambda piece: (rank[piece.definition.kind], piece.definition.code)))
    )


def _piece(file: str, text: bytes) -> Piece:
    try:
        read = read_yaml(text, file=file)
    except InvalidInput as wrong:
        raise ExchangeRefused(tuple(_at(file, None, each) for each in wrong.problems)) from None
    try:
        return Piece(_definition(read.data), file, read)
    except InvalidInput as wrong:
        raise ExchangeRefused(tuple(_at(file, read, each) for each in wrong.problems)) from None


def _definition(data: Any) -> Definition:
    if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str) or data["kind"] not in KIND:
        kinds = ", ".join(KIND)
        raise ExchangeRefused((FieldProblem("kind", "exchange.unknown_kind", {"kinds": kinds}),))
    if not isinstance(data.get("format"), int) or not 1 <= data["format"] <= FORMAT:
        raise ExchangeRefused((FieldProblem("format", "exchange.unknown_format", {"newest": FORMAT}),))
    code = data.get("code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise ExchangeRefused((FieldProblem("code", "input.bad_format"),))
    kind = KIND[data["kind"]]
    document = {key: value for key, value in data.items() if key not in _HEADER}
    try:
        return Definition(kind.name, code, kind.normal(document))
    except InvalidInput as wrong:
        raise ExchangeRefused(_inside(document, kind.wrapper, wrong.problems)) from None


def _inside(
    document: Mapping[str, Any], wrapper: str, problems: Iterable[FieldProblem]
) -> tuple[FieldProblem, ...]:
    """The problems with paths from the top of the file: a room speaks of its own part only."""
    inner = document.get(wrapper)
    return tuple(
        replace(each, path=f"{wrapper}.{each.path}".rstrip("."))
        if isinstance(inner, Mapping) and _begins_in(inner, each.path)
        else each
        for each in problems
    )


def _begins_in(inner: Mapping[str, Any], path: str) -> bool:
    return re.split(r"[.\[]", path, maxsplit=1)[0] in {
        *inner,
        "nodes",
        "edges",
        "stages",
        "sections",
        "fields",
    }


def refused(piece: Piece, refusal: ConsoleError) -> ExchangeRefused:
    """What a room refused while writing, said of the file and the line."""
    if isinstance(refusal, InvalidInput):
        problems = _inside(piece.definition.document, KIND[piece.definition.kind].wrapper, refusal.problems)
    else:
        params = {key: value for key, value in refusal.params.items() if key != "code"}
        problems = (FieldProblem("", refusal.code, params),)
    return ExchangeRefused(tuple(_at(piece.file, piece.read, each) for each in problems))


def _at(file: str, read: ReadYaml | None, problem: FieldProblem) -> FieldProblem:
    path = problem.path
    line = problem.params.get("line")
    if read is not None:
        path = _numbered(read.data, path)
        line = read.line_of(path)
    place = file if line is None else f"{file}:{line}"
    return replace(problem, path=f"{place} {path}".rstrip())


def _numbered(data: Any, path: str) -> str:
    """`graph.nodes.repair.stage` as it stands in the file: `graph.nodes[3].stage`.

    Rooms name parts by key, and fields wherever their section is.
    """
    steps: list[str] = []
    rest = path
    while rest:
        if isinstance(data, list):
            index, rest = _member(data, rest)
            if index is None:
                return path
            steps.append(f"[{index}]")
            data = data[index]
            continue
        head, onward = _first(rest)
        inner = data.get(head) if isinstance(data, Mapping) else None
        if inner is None and head == "fields" and isinstance(data, Mapping):
            found = _field_in_sections(data.get("sections"), onward)
            if found is not None:
                rest = found
                continue
        steps.append(head if head.startswith("[") else f".{head}")
        data, rest = inner, onward
    return "".join(steps).lstrip(".")


def _first(path: str) -> tuple[str, str]:
    matched = _STEP.match(path)
    return (matched[1], matched[2]) if matched else (path, "")


def _member(members: list[Any], path: str) -> tuple[int | None, str]:
    """The member a path goes on with, by number or by key; keys may hold dots, so the longest one wins."""
    numbered = _NUMBERED.match(path)
    if numbered:
        index = int(numbered[1])
        return (index if index < len(members) else None), numbered[2]
    best: tuple[int | None, str] = (None, "")
    longest = -1
    for index, member in enumerate(members):
        key = member.get("key", member.get("code")) if isinstance(member, Mapping) else None
        if isinstance(key, str) and len(key) > longest and f"{path}.".startswith(f"{key}."):
            best, longest = (index, path[len(key) + 1 :]), len(key)
    return best


def _field_in_sections(sections: Any, path: str) -> str | None:
    for number, section in enumerate(sections if isinstance(sections, list) else ()):
        fields = section.get("fields") if isinstance(section, Mapping) else None
        index, rest = _member(fields, path) if isinstance(fields, list) else (None, "")
        if index is not None:
            return f"sections[{number}].fields[{index}]" + (f".{rest}" if rest else "")
    return None


def as_yaml(definition: Definition) -> bytes:
    """The file of one definition; its content hash stands in the first line, for people."""
    heading = f"Ticket Console {definition.kind} {definition.code}, content {definition.hash}"
    return write_yaml(definition.as_file(), heading=heading)


def file_of(definition: Definition) -> str:
    """The path of a definition within a bundle."""
    return f"{definition.kind}s/{definition.code}.yaml"


def as_bundle(definitions: Iterable[Definition]) -> bytes:
    return bundles.pack({file_of(definition): as_yaml(definition) for definition in definitions})
