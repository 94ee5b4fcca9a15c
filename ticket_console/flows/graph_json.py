"""The JSON form of a flow graph, as stored, exported and drawn."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ticket_console.flows.elements import (
    Act,
    Edge,
    EdgeKind,
    FieldAccess,
    FieldSet,
    FieldUse,
    Handler,
    HandlerMode,
    Join,
    Node,
    NodeGrant,
    NodeKind,
    Stage,
    StageCategory,
)
from ticket_console.flows.graph import Graph
from ticket_console.forms.json_form import JsonForm
from ticket_console.kernel import canonical
from ticket_console.kernel.conditions import without_editor_keys
from ticket_console.kernel.errors import FieldProblem, InvalidInput

MAX_NODES = 1_000
MAX_EDGES = 4_000
# Postgres and the running code both keep seconds in 32 bits; ten years is more than any timer means.
MAX_DELAY_SECONDS = 10 * 365 * 86_400


class InvalidGraph(InvalidInput):
    code = "flow.invalid_graph"


Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Label = Annotated[str, Field(max_length=200)]
LabelText = dict[Annotated[str, Field(pattern="^(zh|en)$")], Label]
# A choice is written as text in JSON, so the strictness about types must not ask for the enum itself.
Choice = Field(strict=False)


class _StageForm(JsonForm):
    key: Key
    name: LabelText = Field(default_factory=dict)
    category: Annotated[StageCategory, Choice]


class _HandlerForm(JsonForm):
    mode: Annotated[HandlerMode, Choice]
    role: Key | None = None
    skill: Key | None = None
    sticky: bool = False


class _FieldUseForm(JsonForm):
    key: Key
    required: bool = False


class _FieldSetForm(JsonForm):
    field: Key
    value: Any


class _GrantForm(JsonForm):
    fields: dict[Key, Annotated[FieldAccess, Choice]] = Field(default_factory=dict)
    acts: list[Annotated[Act, Choice]] = Field(default_factory=list)


class _NodeForm(JsonForm):
    key: Key
    kind: Annotated[NodeKind, Choice]
    name: LabelText = Field(default_factory=dict)
    stage: Key
    weight: int = 0
    handler: _HandlerForm | None = None
    fields: list[_FieldUseForm] = Field(default_factory=list, max_length=300)
    evidence: list[Key] = Field(default_factory=list)
    permissions: dict[Key, _GrantForm] = Field(default_factory=dict)
    join: Annotated[Join | None, Choice] = None
    delay_seconds: Annotated[int | None, Field(ge=0, le=MAX_DELAY_SECONDS)] = None
    set: list[_FieldSetForm] = Field(default_factory=list)
    segment: Key | None = None


class _EdgeForm(JsonForm):
    key: Key
    kind: Annotated[EdgeKind, Choice]
    source: Key
    target: Key
    name: LabelText = Field(default_factory=dict)
    guard: dict[str, Any] | None = None
    default: bool = False
    order: int = 0


class _GraphForm(JsonForm):
    stages: Annotated[list[_StageForm], Field(max_length=100)]
    nodes: Annotated[list[_NodeForm], Field(max_length=MAX_NODES)]
    edges: Annotated[list[_EdgeForm], Field(max_length=MAX_EDGES)]


def parse_graph(data: object) -> Graph:
    """The graph of plain JSON data.

    Raises `InvalidGraph` for a wrong shape or a key used twice. Whether the flow makes sense is another
    question: see `validation.graph_problems`.
    """
    form = _GraphForm.read(data, InvalidGraph)
    twice = [
        *_used_twice("stages", [stage.key for stage in form.stages]),
        *_used_twice("nodes", [node.key for node in form.nodes]),
        *_used_twice("edges", [edge.key for edge in form.edges]),
    ]
    if twice:
        raise InvalidGraph(tuple(twice))
    return Graph(
        stages=tuple(Stage(stage.key, stage.name, stage.category) for stage in form.stages),
        nodes=tuple(_node(node) for node in form.nodes),
        edges=tuple(_edge(edge) for edge in form.edges),
    )


def _used_twice(part: str, keys: list[str]) -> list[FieldProblem]:
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    return [
        FieldProblem(f"{part}[{index}].key", "flow.key_used_twice", {"key": key})
        for index, key in enumerate(keys)
        if first[key] != index
    ]


def _node(form: _NodeForm) -> Node:
    handler = form.handler
    return Node(
        key=form.key,
        kind=form.kind,
        name=form.name,
        stage=form.stage,
        weight=form.weight,
        handler=Handler(handler.mode, handler.role, handler.skill, handler.sticky) if handler else None,
        fields=tuple(FieldUse(use.key, use.required) for use in form.fields),
        evidence=tuple(form.evidence),
        grants=tuple(
            NodeGrant(role, grant.fields, frozenset(grant.acts))
            for role, grant in sorted(form.permissions.items())
        ),
        join=form.join,
        delay_seconds=form.delay_seconds,
        sets=tuple(FieldSet(entry.field, entry.value) for entry in form.set),
        segment=form.segment,
    )


def _edge(form: _EdgeForm) -> Edge:
    guard = without_editor_keys(form.guard)
    return Edge(
        key=form.key,
        kind=form.kind,
        source=form.source,
        target=form.target,
        name=form.name,
        guard=guard if isinstance(guard, Mapping) else None,
        default=form.default,
        order=form.order,
    )


def graph_json(graph: Graph) -> dict[str, Any]:
    """Plain JSON that `parse_graph` reads back equal."""
    return _GraphForm.model_construct(
        stages=[
            _StageForm.model_construct(key=stage.key, name=stage.name, category=stage.category)
            for stage in graph.stages
        ],
        nodes=[_node_form(node) for node in graph.nodes],
        edges=[_edge_form(edge) for edge in graph.edges],
    ).plain()


def _handler_form(handler: Handler) -> _HandlerForm:
    return _HandlerForm.model_construct(
        mode=handler.mode, role=handler.role, skill=handler.skill, sticky=handler.sticky
    )


def _node_form(node: Node) -> _NodeForm:
    return _NodeForm.model_construct(
        key=node.key,
        kind=node.kind,
        name=node.name,
        stage=node.stage,
        weight=node.weight,
        handler=_handler_form(node.handler) if node.handler else None,
        fields=[_FieldUseForm.model_construct(key=use.key, required=use.required) for use in node.fields],
        evidence=list(node.evidence),
        permissions={
            grant.role: _GrantForm.model_construct(fields=dict(grant.fields), acts=sorted(grant.acts))
            for grant in node.grants
        },
        join=node.join,
        delay_seconds=node.delay_seconds,
        set=[_FieldSetForm.model_construct(field=entry.field, value=entry.value) for entry in node.sets],
        segment=node.segment,
    )


def _edge_form(edge: Edge) -> _EdgeForm:
    return _EdgeForm.model_construct(
        key=edge.key,
        kind=edge.kind,
        source=edge.source,
        target=edge.target,
        name=edge.name,
        guard=dict(edge.guard) if edge.guard is not None else None,
        default=edge.default,
        order=edge.order,
    )


def content_hash(graph: Graph) -> str:
    """Equal graphs, equal hash, whatever the spelling of the JSON they came from."""
    return canonical.content_hash(graph_json(graph))
