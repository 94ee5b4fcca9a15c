"""Opening XML that anybody may have sent: no entities, no DTD, no network, bounded."""

from typing import Final

from lxml import etree

from ticket_console.flows.bpmn.names import MODEL, local, namespace
from ticket_console.kernel.errors import FieldProblem, InvalidInput

MOST_BYTES: Final = 8 << 20
MOST_ELEMENTS: Final = 60_000
_ROOTS: Final = frozenset({"definitions"})


class BadBpmn(InvalidInput):
    """The file cannot be read as a process; `problems` say why, with the line where there is one."""

    code = "bpmn.bad_file"


def parse(content: bytes) -> etree._Element:
    """The `definitions` of a BPMN 2.0 file; raises `BadBpmn` for everything else."""
    if len(content) > MOST_BYTES:
        raise _refusal("bpmn.too_large", limit=MOST_BYTES)
    if not content.strip():
        raise _refusal("bpmn.empty")
    # A fresh parser each time: one that failed keeps what it has seen.
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as wrong:
        line = wrong.lineno or 1
        # A DTD inside may be what broke it; the reason people can act upon comes first.
        if b"<!DOCTYPE" in content[:100_000]:
            raise _refusal("bpmn.dtd", line=line) from None
        code = "bpmn.encoding" if _is_encoding(wrong) else "bpmn.not_xml"
        raise _refusal(code, line=line) from None
    except ValueError:
        raise _refusal("bpmn.not_xml", line=1) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refusal("bpmn.dtd", line=1)
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
        raise _refusal("bpmn.too_many_elements", limit=MOST_ELEMENTS)
    if local(root) not in _ROOTS or namespace(root) != MODEL:
        raise _refusal("bpmn.not_bpmn", root=f"{local(root)} {namespace(root)}"[:120].strip())
    return root


def _is_encoding(wrong: etree.XMLSyntaxError) -> bool:
    return getattr(wrong, "code", None) in {
        etree.ErrorTypes.ERR_INVALID_ENCODING,
        etree.ErrorTypes.ERR_INVALID_CHAR,
        etree.ErrorTypes.ERR_UNKNOWN_ENCODING,
        etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING,
    }


def _refusal(code: str, **params: str | int) -> BadBpmn:
    return BadBpmn((FieldProblem("", code, params),))
