"""Names of BPMN 2.0 and of our own part of such a file."""

from typing import Any, Final

from lxml import etree

MODEL: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DIAGRAM: Final = "http://www.omg.org/spec/BPMN/20100524/DI"
BOUNDS: Final = "http://www.omg.org/spec/DD/20100524/DC"
POINTS: Final = "http://www.omg.org/spec/DD/20100524/DI"
# What BPMN has no words for stands in extension elements of this namespace.
OURS: Final = "urn:ticket-console:flow:1"
FEEL: Final = "https://www.omg.org/spec/DMN/20191111/FEEL/"
TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
PREFIXES: Final = {
    None: MODEL,
    "bpmndi": DIAGRAM,
    "dc": BOUNDS,
    "di": POINTS,
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "tc": OURS,
}


def model(name: str) -> str:
    return f"{{{MODEL}}}{name}"


def ours(name: str) -> str:
    return f"{{{OURS}}}{name}"


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def namespace(element: etree._Element) -> str:
    return etree.QName(element).namespace or ""


def line_of(element: etree._Element) -> int | None:
    """Where an element begins in its file."""
    line: Any = element.sourceline
    return line if isinstance(line, int) else None
