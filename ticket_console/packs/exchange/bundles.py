"""A bundle: a zip file with a manifest and one YAML file per definition. Equal contents give equal bytes."""

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from ticket_console.forms.json_form import JsonForm
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.packs.exchange.definitions import FORMAT
from ticket_console.packs.exchange.yaml_reading import MOST_BYTES, read_yaml
from ticket_console.packs.exchange.yaml_writing import write_yaml

MANIFEST: Final = "manifest.yaml"
MOST_FILES: Final = 500
MOST_UNPACKED: Final = 32 << 20

# A zip file keeps a moment for each member; the earliest it can say stands for none.
_NO_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_NAME: Final = re.compile(r"[a-z_]{1,40}/[A-Za-z0-9_.-]{1,64}\.yaml")
_ENCRYPTED: Final = 0x1
_PLAIN_PACKING: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class BadBundle(InvalidInput):
    code = "exchange.bad_bundle"


class _FileForm(JsonForm):
    path: Annotated[str, Field(max_length=200)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _ManifestForm(JsonForm):
    kind: Annotated[str, Field(pattern="^bundle$")]
    format: Annotated[int, Field(ge=1, le=FORMAT)]
    files: Annotated[list[_FileForm], Field(max_length=MOST_FILES)]


def is_bundle(content: bytes) -> bool:
    return content[:4] == b"PK\x03\x04"


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bundle of files by their paths."""
    manifest = {
        "kind": "bundle",
        "format": FORMAT,
        "files": [
            {"path": path, "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in sorted(files.items())
        ],
    }
    made = io.BytesIO()
    # Stored and not deflated: what a compressor makes depends on its version.
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(MANIFEST), write_yaml(manifest, heading="Ticket Console bundle"))
        for path, content in sorted(files.items()):
            archive.writestr(_member(path), content)
    return made.getvalue()


def _member(path: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(path, _NO_MOMENT)
    member.create_system = 3
    member.external_attr = 0o644 << 16
    return member


def unpack(content: bytes) -> dict[str, bytes]:
    """The files of a bundle by path, each exactly as it was packed; raises `BadBundle`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _refuse(_listing_problems(members))
            files = {member.filename: _read(archive, member) for member in members}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError):
        raise BadBundle((FieldProblem("", "exchange.broken_zip"),)) from None
    manifest = files.pop(MANIFEST, None)
    if manifest is None:
        raise BadBundle((FieldProblem(MANIFEST, "exchange.no_manifest"),))
    form = _ManifestForm.read(read_yaml(manifest, file=MANIFEST).data, BadBundle)
    _refuse(_manifest_problems(form, files))
    return files


def _listing_problems(members: Sequence[zipfile.ZipInfo]) -> list[FieldProblem]:
    if len(members) > MOST_FILES + 1:
        return [FieldProblem("", "exchange.too_many_files", {"limit": MOST_FILES})]
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        return [FieldProblem("", "exchange.too_large", {"limit": MOST_UNPACKED})]
    problems = []
    seen: set[str] = set()
    for member in members:
        name = member.filename
        shown = name[:100].replace("\0", "")
        if name != MANIFEST and not _NAME.fullmatch(name):
            problems.append(FieldProblem(shown, "exchange.bad_file_name"))
        elif name in seen:
            problems.append(FieldProblem(shown, "exchange.file_twice"))
        elif member.flag_bits & _ENCRYPTED or member.compress_type not in _PLAIN_PACKING:
            problems.append(FieldProblem(shown, "exchange.odd_packing"))
        elif member.file_size > MOST_BYTES:
            problems.append(FieldProblem(shown, "exchange.too_large", {"limit": MOST_BYTES}))
        seen.add(name)
    return problems


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """What a member holds; the size it announces may be a lie, so no more than that is unpacked."""
    with archive.open(member) as file:
        content = file.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise BadBundle((FieldProblem(member.filename, "exchange.broken_zip"),))
    return content


def _manifest_problems(form: _ManifestForm, files: Mapping[str, bytes]) -> list[FieldProblem]:
    listed = {file.path: file.sha256 for file in form.files}
    problems = [FieldProblem(path, "exchange.file_missing") for path in sorted(listed.keys() - files.keys())]
    problems += [
        FieldProblem(path, "exchange.file_not_listed") for path in sorted(files.keys() - listed.keys())
    ]
    problems += [
        FieldProblem(path, "exchange.file_changed")
        for path, content in sorted(files.items())
        if path in listed and hashlib.sha256(content).hexdigest() != listed[path]
    ]
    return problems


def _refuse(problems: list[FieldProblem]) -> None:
    if problems:
        raise BadBundle(tuple(problems))
