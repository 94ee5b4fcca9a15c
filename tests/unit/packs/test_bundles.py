"""Bundles: deterministic to the byte, and closed to everything a zip file can be abused for."""

import io
import zipfile
from collections.abc import Callable

import pytest

from ticket_console.packs.exchange.bundles import MOST_FILES, BadBundle, pack, unpack

FILES = {"flows/a.yaml": b"kind: flow\n", "forms/b.yaml": b"kind: form\n"}


def rewritten(change: Callable[[zipfile.ZipFile], None], *, without: str = "") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack(FILES))) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            if name != without:
                new.writestr(name, old.read(name))
        change(new)
    return made.getvalue()


def test_a_bundle_gives_back_what_was_packed_and_always_in_the_same_bytes() -> None:  # TPL-15
    assert unpack(pack(FILES)) == FILES
    assert pack(dict(reversed(FILES.items()))) == pack(FILES)


@pytest.mark.parametrize(
    "name", ["../flows/a.yaml", "/etc/passwd", "flows/../../a.yaml", "flows\\a.yaml", "a.yaml", "flows/a.py"]
)
def test_a_path_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(BadBundle) as refused:
        unpack(rewritten(lambda archive: archive.writestr(name, b"x")))

    assert [problem.code for problem in refused.value.problems] == ["exchange.bad_file_name"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    def bomb(archive: zipfile.ZipFile) -> None:
        archive.writestr("flows/z.yaml", b"0" * (40 << 20), zipfile.ZIP_DEFLATED)

    content = rewritten(bomb)

    assert len(content) < 100_000
    with pytest.raises(BadBundle) as refused:
        unpack(content)
    assert [problem.code for problem in refused.value.problems] == ["exchange.too_large"]


def test_a_bundle_of_too_many_files_is_refused() -> None:
    def many(archive: zipfile.ZipFile) -> None:
        for number in range(MOST_FILES):
            archive.writestr(f"flows/{number}.yaml", b"x")

    with pytest.raises(BadBundle) as refused:
        unpack(rewritten(many))

    assert [problem.code for problem in refused.value.problems] == ["exchange.too_many_files"]


def test_a_changed_an_added_and_a_missing_file_are_each_named() -> None:
    def tamper(archive: zipfile.ZipFile) -> None:
        archive.writestr("flows/a.yaml", b"kind: other\n")
        archive.writestr("flows/c.yaml", b"kind: flow\n")

    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack(FILES))) as old, zipfile.ZipFile(made, "w") as new:
        new.writestr("manifest.yaml", old.read("manifest.yaml"))
        tamper(new)
    with pytest.raises(BadBundle) as refused:
        unpack(made.getvalue())

    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("forms/b.yaml", "exchange.file_missing"),
        ("flows/c.yaml", "exchange.file_not_listed"),
        ("flows/a.yaml", "exchange.file_changed"),
    ]


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 200, pack(FILES)[:-30]])
def test_a_broken_archive_is_refused(content: bytes) -> None:
    with pytest.raises(BadBundle) as refused:
        unpack(content)

    assert [problem.code for problem in refused.value.problems] == ["exchange.broken_zip"]


def test_a_bundle_without_its_manifest_is_refused() -> None:
    with pytest.raises(BadBundle) as refused:
        unpack(rewritten(lambda archive: None, without="manifest.yaml"))

    assert [problem.code for problem in refused.value.problems] == ["exchange.no_manifest"]
