"""The JSON form of a flow graph, as stored, exported and drawn."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from ticket_console.flows.elements import (
    Act,
    CallWebhook,
    Channel,
    CheckItem,
    Comment,
    CreateTicket,
    Document,
    Drawing,
    Edge,
    EdgeKind,
    FieldAccess,
    FieldSet,
    FieldUse,
    Handler,
    HandlerMode,
    HandlerRule,
    Join,
    LinkKind,
    Node,
    NodeAction,
    NodeGrant,
    NodeKind,
    Notice,
    NoticeMoment,
    Notify,
    Position,
    Question,
    QuestionKind,
    Stage,
    StageCategory,
    StandardPart,
    SubflowUse,
    Targets,
)
from ticket_console.flows.formats import CURRENT_FORMAT, UnknownFormat, upgraded
from ticket_console.flows.graph import Graph
from ticket_console.forms.json_form import JsonForm
from ticket_console.kernel import canonical
from ticket_console.kernel.conditions import without_editor_keys
from ticket_console.kernel.errors import FieldProblem, InvalidInput

T = TypeVar("T")
Form = TypeVar("Form", bound=JsonForm)

MAX_NODES = 1_000
MAX_EDGES = 4_000
# Postgres and the running code both keep seconds in 32 bits; ten years is more than any timer means.
MAX_DELAY_SECONDS = 10 * 365 * 86_400


class InvalidGraph(InvalidInput):
    code = "flow.invalid_graph"


Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Label = Annotated[str, Field(max_length=200)]
Locale = Annotated[str, Field(pattern="^(zh|en)$")]
LabelText = dict[Locale, Label]
Prose = dict[Locale, Annotated[str, Field(max_length=4_000)]]
Address = Annotated[str, Field(max_length=2_000)]
Receiver = Annotated[str, Field(pattern=r"^(assignee|customer|role:[a-z_]{1,32})$")]
Seconds = Annotated[int, Field(ge=0, le=MAX_DELAY_SECONDS)]
Minutes = Annotated[int, Field(ge=1, le=MAX_DELAY_SECONDS // 60)]
Pixels = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
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


class _HandlerRuleForm(JsonForm):
    when: dict[str, Any]
    handler: _HandlerForm


class _FieldUseForm(JsonForm):
    key: Key
    required: bool = False


class _FieldSetForm(JsonForm):
    field: Key
    value: Any


class _GrantForm(JsonForm):
    fields: dict[Key, Annotated[FieldAccess, Choice]] = Field(default_factory=dict)
    acts: list[Annotated[Act, Choice]] = Field(default_factory=list)


class _CallWebhookForm(JsonForm):
    kind: Literal["webhook"]
    url: Address
    fields: list[Key] = Field(default_factory=list, max_length=300)


class _CreateTicketForm(JsonForm):
    kind: Literal["create_ticket"]
    template: Key
    title: Label
    values: dict[Key, Any] = Field(default_factory=dict)
    link: Annotated[LinkKind, Choice] = LinkKind.CARE


class _NotifyForm(JsonForm):
    kind: Literal["notify"]
    to: Receiver
    text: Prose
    channel: Annotated[Channel, Choice] = Channel.CONSOLE


_ActionForm = _CallWebhookForm | _CreateTicketForm | _NotifyForm


class _NoticeForm(JsonForm):
    on: Annotated[NoticeMoment, Choice]
    to: Receiver
    text: Prose
    channel: Annotated[Channel, Choice] = Channel.CONSOLE


class _DocumentForm(JsonForm):
    title: LabelText
    url: Address


class _PartForm(JsonForm):
    sku: Key
    qty: Annotated[int, Field(ge=1, le=100_000)]


class _CheckItemForm(JsonForm):
    key: Key
    text: LabelText


class _TargetsForm(JsonForm):
    claim_minutes: Minutes | None = None
    finish_minutes: Minutes | None = None


class _QuestionForm(JsonForm):
    key: Key
    kind: Annotated[QuestionKind, Choice]
    label: LabelText


class _SurveyForm(JsonForm):
    questions: list[_QuestionForm] = Field(default_factory=list, max_length=50)


class _SubflowForm(JsonForm):
    flow: Key
    version_id: int | None = None


class _UntilForm(JsonForm):
    field: Key


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
    delay_seconds: Seconds | None = None
    set: list[_FieldSetForm] = Field(default_factory=list)
    segment: Key | None = None
    handlers: list[_HandlerRuleForm] = Field(default_factory=list, max_length=100)
    join_count: int | None = None
    until: _UntilForm | None = None
    calendar: Key | None = None
    actions: list[Annotated[_ActionForm, Field(discriminator="kind")]] = Field(
        default_factory=list, max_length=50
    )
    survey: _SurveyForm | None = None
    subflow: _SubflowForm | None = None
    checklist: list[_CheckItemForm] = Field(default_factory=list, max_length=100)
    documents: list[_DocumentForm] = Field(default_factory=list, max_length=100)
    parts: list[_PartForm] = Field(default_factory=list, max_length=300)
    targets: _TargetsForm | None = None
    notices: list[_NoticeForm] = Field(default_factory=list, max_length=50)
    description: Prose = Field(default_factory=dict)


class _EdgeForm(JsonForm):
    key: Key
    kind: Annotated[EdgeKind, Choice]
    source: Key
    target: Key
    name: LabelText = Field(default_factory=dict)
    guard: dict[str, Any] | None = None
    default: bool = False
    order: int = 0
    after_seconds: Seconds | None = None
    calendar: Key | None = None


class _PositionForm(JsonForm):
    x: Pixels
    y: Pixels


class _CommentForm(JsonForm):
    key: Key
    text: Annotated[str, Field(max_length=4_000)]
    x: Pixels
    y: Pixels
    width: Pixels | None = None
    height: Pixels | None = None


class _DrawingForm(JsonForm):
    nodes: dict[Key, _PositionForm] = Field(default_factory=dict)
    comments: list[_CommentForm] = Field(default_factory=list, max_length=500)


class _GraphForm(JsonForm):
    format: Literal[2]
    stages: Annotated[list[_StageForm], Field(max_length=100)]
    nodes: Annotated[list[_NodeForm], Field(max_length=MAX_NODES)]
    edges: Annotated[list[_EdgeForm], Field(max_length=MAX_EDGES)]
    drawing: _DrawingForm | None = None


def parse_graph(data: object) -> Graph:
    """The graph of plain JSON data.

    Raises `InvalidGraph` for a wrong shape or a key used twice. Whether the flow makes sense is another
    question: see `validation.graph_problems`. Data of an older format is read as the current one.
    """
    try:
        current = upgraded(data)
    except UnknownFormat as unknown:
        raise InvalidGraph((FieldProblem("format", "flow.unknown_format", unknown.params),)) from None
    form = _GraphForm.read(current, InvalidGraph)
    comments = form.drawing.comments if form.drawing else []
    twice = [
        *_used_twice("stages", [stage.key for stage in form.stages]),
        *_used_twice("nodes", [node.key for node in form.nodes]),
        *_used_twice("edges", [edge.key for edge in form.edges]),
        *_used_twice("drawing.comments", [comment.key for comment in comments]),
    ]
    if twice:
        raise InvalidGraph(tuple(twice))
    return Graph(
        stages=tuple(Stage(stage.key, stage.name, stage.category) for stage in form.stages),
        nodes=tuple(_node(node) for node in form.nodes),
        edges=tuple(_edge(edge) for edge in form.edges),
        drawing=_drawing(form.drawing),
    )


def _used_twice(part: str, keys: list[str]) -> list[FieldProblem]:
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    return [
        FieldProblem(f"{part}[{index}].key", "flow.key_used_twice", {"key": key})
        for index, key in enumerate(keys)
        if first[key] != index
    ]


def _value(element: type[T], form: JsonForm, *, without: str | None = None) -> T:
    """The element whose fields are those of the form, but for the one its class says already."""
    entries = {name: getattr(form, name) for name in type(form).model_fields if name != without}
    return element(
        **{name: tuple(each) if isinstance(each, list) else each for name, each in entries.items()}
    )


def _form(form: type[Form], element: object, **further: Any) -> Form:
    """The reverse of `_value`; `further` is what the element does not have under the form's name."""
    entries = {name: getattr(element, name) for name in form.model_fields if name not in further}
    plain: dict[str, Any] = {
        name: list(each) if isinstance(each, tuple) else each for name, each in entries.items()
    }
    return form.model_construct(**plain, **further)


def _node(form: _NodeForm) -> Node:
    return Node(
        key=form.key,
        kind=form.kind,
        name=form.name,
        stage=form.stage,
        weight=form.weight,
        handler=_value(Handler, form.handler) if form.handler else None,
        fields=tuple(_value(FieldUse, use) for use in form.fields),
        evidence=tuple(form.evidence),
        grants=tuple(
            NodeGrant(role, grant.fields, frozenset(grant.acts))
            for role, grant in sorted(form.permissions.items())
        ),
        join=form.join,
        delay_seconds=form.delay_seconds,
        sets=tuple(_value(FieldSet, entry) for entry in form.set),
        segment=form.segment,
        handlers=tuple(
            HandlerRule(_condition(rule.when), _value(Handler, rule.handler)) for rule in form.handlers
        ),
        join_count=form.join_count,
        until_field=form.until.field if form.until else None,
        calendar=form.calendar,
        actions=tuple(_action(action) for action in form.actions),
        questions=_questions(form.survey),
        subflow=_value(SubflowUse, form.subflow) if form.subflow else None,
        checklist=tuple(_value(CheckItem, item) for item in form.checklist),
        documents=tuple(_value(Document, document) for document in form.documents),
        parts=tuple(_value(StandardPart, part) for part in form.parts),
        targets=_value(Targets, form.targets) if form.targets else None,
        notices=tuple(_value(Notice, notice) for notice in form.notices),
        description=form.description,
    )


def _condition(tree: object) -> Mapping[str, object]:
    read = without_editor_keys(tree)
    return read if isinstance(read, Mapping) else {}


def _action(form: _ActionForm) -> NodeAction:
    if isinstance(form, _CallWebhookForm):
        return _value(CallWebhook, form, without="kind")
    if isinstance(form, _CreateTicketForm):
        return _value(CreateTicket, form, without="kind")
    return _value(Notify, form, without="kind")


def _questions(form: _SurveyForm | None) -> tuple[Question, ...]:
    return tuple(_value(Question, question) for question in form.questions) if form else ()


def _edge(form: _EdgeForm) -> Edge:
    return Edge(
        key=form.key,
        kind=form.kind,
        source=form.source,
        target=form.target,
        name=form.name,
        guard=_condition(form.guard) if form.guard is not None else None,
        default=form.default,
        order=form.order,
        after_seconds=form.after_seconds,
        calendar=form.calendar,
    )


def _drawing(form: _DrawingForm | None) -> Drawing:
    if form is None:
        return Drawing()
    return Drawing(
        nodes={key: _value(Position, position) for key, position in sorted(form.nodes.items())},
        comments=tuple(_value(Comment, comment) for comment in form.comments),
    )


def graph_json(graph: Graph) -> dict[str, Any]:
    """Plain JSON that `parse_graph` reads back equal."""
    return _GraphForm.model_construct(
        format=CURRENT_FORMAT,
        stages=[_form(_StageForm, stage) for stage in graph.stages],
        nodes=[_node_form(node) for node in graph.nodes],
        edges=[_edge_form(edge) for edge in graph.edges],
        drawing=_drawing_form(graph.drawing),
    ).plain()


def _node_form(node: Node) -> _NodeForm:
    return _form(
        _NodeForm,
        node,
        handler=_form(_HandlerForm, node.handler) if node.handler else None,
        fields=[_form(_FieldUseForm, use) for use in node.fields],
        permissions={
            grant.role: _GrantForm.model_construct(fields=dict(grant.fields), acts=sorted(grant.acts))
            for grant in node.grants
        },
        set=[_form(_FieldSetForm, entry) for entry in node.sets],
        handlers=[
            _HandlerRuleForm.model_construct(when=dict(rule.when), handler=_form(_HandlerForm, rule.handler))
            for rule in node.handlers
        ],
        until=_UntilForm.model_construct(field=node.until_field) if node.until_field else None,
        actions=[_action_form(action) for action in node.actions],
        survey=_survey_form(node.questions),
        subflow=_form(_SubflowForm, node.subflow) if node.subflow else None,
        checklist=[_form(_CheckItemForm, item) for item in node.checklist],
        documents=[_form(_DocumentForm, document) for document in node.documents],
        parts=[_form(_PartForm, part) for part in node.parts],
        targets=_form(_TargetsForm, node.targets) if node.targets else None,
        notices=[_form(_NoticeForm, notice) for notice in node.notices],
    )


def _action_form(action: NodeAction) -> _ActionForm:
    if isinstance(action, CallWebhook):
        return _form(_CallWebhookForm, action, kind="webhook")
    if isinstance(action, CreateTicket):
        return _form(_CreateTicketForm, action, kind="create_ticket")
    return _form(_NotifyForm, action, kind="notify")


def _survey_form(questions: tuple[Question, ...]) -> _SurveyForm | None:
    if not questions:
        return None
    return _SurveyForm.model_construct(questions=[_form(_QuestionForm, each) for each in questions])


def _edge_form(edge: Edge) -> _EdgeForm:
    return _form(_EdgeForm, edge, guard=dict(edge.guard) if edge.guard is not None else None)


def _drawing_form(drawing: Drawing) -> _DrawingForm | None:
    if drawing == Drawing():
        return None
    return _DrawingForm.model_construct(
        nodes={key: _form(_PositionForm, position) for key, position in drawing.nodes.items()},
        comments=[_form(_CommentForm, comment) for comment in drawing.comments],
    )


def content_hash(graph: Graph) -> str:
    """Equal graphs, equal hash, whatever the spelling or format of the JSON they came from."""
    return canonical.content_hash(graph_json(graph))
