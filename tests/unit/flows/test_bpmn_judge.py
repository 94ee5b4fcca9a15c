"""SpiffWorkflow as an independent judge: it runs what we export, and visits the same steps as our engine."""

import json
from collections import Counter
from dataclasses import replace
from itertools import count
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from tests.builders.flows import QUEUE, graphs, is_equal, make_edge, make_graph, make_node
from ticket_console.flows.bpmn.names import model, ours
from ticket_console.flows.bpmn.writing import choice_variable, node_id, write_bpmn
from ticket_console.flows.elements import FORKING_KINDS, Edge, EdgeKind, Join, Node, NodeKind
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import graph_json
from ticket_console.tickets.actions import Complete, Open
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus

STEPS = 12
NAME = {"zh": "x", "en": "x"}


def judged(graph: Graph) -> Graph:
    """The graph in what both engines have: joins wait for all, and a person stands for a timer.

    At an inclusive join the judge does not wait for a step that an event on its border could lead back before
    the gateway: it takes the event for a way of the step itself, where BPMN 2.0 (13.4.3) speaks of sequence
    flows. So with such gateways no ways lead aside. And a way that leads straight from the split to the join
    lets the join go on while a step of another branch is still being decided about: a node that does nothing
    stands on such a way. Its branches do not see what the others set, so nothing is set where there are
    branches.
    """
    branches = any(node.kind in FORKING_KINDS for node in graph.nodes)

    def plain(node: Node) -> Node:
        if node.kind is NodeKind.TIMER:
            return replace(node, kind=NodeKind.TASK, delay_seconds=None, handler=QUEUE)
        join = Join.ALL if node.join is not None else None
        return replace(node, join=join, join_count=None, sets=() if branches else node.sets)

    only_forward = any(node.kind is NodeKind.INCLUSIVE for node in graph.nodes)
    edges = tuple(edge for edge in graph.edges if edge.kind is EdgeKind.FORWARD or not only_forward)
    straight = [edge for edge in edges if _leads_straight_to_the_join(graph, edge)]
    return replace(
        graph,
        nodes=(*map(plain, graph.nodes), *(make_node(f"pass_{edge.key}", "automatic") for edge in straight)),
        edges=(
            *(replace(edge, target=f"pass_{edge.key}") if edge in straight else edge for edge in edges),
            *(make_edge(f"pass_{edge.key}", edge.target) for edge in straight),
        ),
    )


def _leads_straight_to_the_join(graph: Graph, edge: Edge) -> bool:
    source, target = graph.node_by_key[edge.source], graph.node_by_key[edge.target]
    return source.kind is NodeKind.INCLUSIVE and source.join is None and target.join is not None


def merges_before_a_join(graph: Graph) -> bool:
    """Whether ways meet between an inclusive split and its join.

    To know whether the join must wait, the judge looks back from it for steps at work, and at a place where
    ways meet it follows only the first of them.
    """
    into = Counter(edge.target for edge in graph.edges)

    def is_in_a_branch(node: Node) -> bool:
        branches = graph.structure.branches.get(node.key, ())
        splits = (graph.node_by_key[graph.edge_by_key[branch].source] for branch in branches)
        return any(split.kind is NodeKind.INCLUSIVE for split in splits)

    return any(
        into[node.key] > 1 and node.kind is not NodeKind.END and is_in_a_branch(node) for node in graph.nodes
    )


def decided_by_order(graph: Graph) -> bool:
    """Whether two guards of one gateway may hold at once: BPMN leaves open which of them then counts."""
    guards = [
        (edge.source, str(edge.guard))
        for edge in graph.edges
        if edge.guard is not None and graph.node_by_key[edge.source].kind is NodeKind.EXCLUSIVE
    ]
    return len(set(guards)) < len(guards)


class Judge:
    """The exported file, run by SpiffWorkflow; only what it says in another language is put in its words."""

    def __init__(self, graph: Graph, facts: dict[str, Any]) -> None:
        root = etree.fromstring(write_bpmn(graph_json(graph), code="judged", name=NAME))
        for flow in root.iter(model("sequenceFlow")):
            condition = flow.find(model("conditionExpression"))
            if condition is not None:
                condition.text = condition.text.replace(" = ", " == ")
        for duration in root.iter(model("timeDuration")):
            duration.text = repr(duration.text)
        for kind in ("serviceTask", "businessRuleTask"):
            for task in list(root.iter(model(kind))):
                _as_script(task)
        parser = BpmnParser()
        parser.add_bpmn_str(etree.tostring(root))
        self.workflow = BpmnWorkflow(parser.get_spec("flow_judged"), script_engine=PythonScriptEngine())
        self.workflow.task_tree.data.update(facts)
        self.go_on()

    def go_on(self) -> None:
        for _ in range(1_000):
            ready = [
                task for task in self.workflow.get_tasks(state=TaskState.READY) if not task.task_spec.manual
            ]
            if not ready:
                return
            ready[0].run()

    def waiting(self) -> list[str]:
        tasks = self.workflow.get_tasks(state=TaskState.READY, manual=True)
        return sorted(task.task_spec.bpmn_id.removeprefix("node_") for task in tasks)

    def complete(self, node_key: str, edge_key: str | None) -> None:
        tasks = self.workflow.get_tasks(state=TaskState.READY, manual=True)
        task = next(each for each in tasks if each.task_spec.bpmn_id == node_id(node_key))
        if edge_key is not None:
            task.data[choice_variable(node_key)] = edge_key
        task.run()
        self.go_on()


def _as_script(task: Any) -> None:
    """A node that sets fields is a script of assignments to the judge."""
    settings_of = json.loads(task.find(f".//{ours('node')}").text)
    script = etree.SubElement(task, model("script"))
    sets = [f"{entry['field']} = {entry['value']!r}" for entry in settings_of.get("set", ())]
    script.text = "\n".join(sets) or "pass"
    task.tag = model("scriptTask")


def compare(graph: Graph, facts: dict[str, Any], choices: list[int]) -> list[list[str]]:
    """Both engines side by side, step by step; what waited at each."""
    ids = count(1)
    known = dict(facts)

    def advanced(marking: Marking, action: Open | Complete) -> Marking:
        step = advance(graph, marking, action, facts=known, new_token_id=lambda: next(ids))
        for effect in step.effects:
            known.update(getattr(effect, "values", {}))
        return step.marking

    marking, judge = advanced(Marking(), Open()), Judge(graph, facts)
    seen = []
    for choice in choices:
        waiting = sorted(token.node_key for token in marking.active())
        assert judge.waiting() == (waiting if marking.status is TicketStatus.OPEN else [])
        seen.append(waiting)
        if marking.status is not TicketStatus.OPEN:
            assert judge.workflow.completed
            break
        token = sorted(marking.active(), key=lambda token: token.node_key)[choice % len(waiting)]
        ways = graph.edges_from(token.node_key, EdgeKind.FORWARD)
        asked = len(ways) > 1 and any(way.guard is None and not way.default for way in ways)
        edge_key = ways[choice % len(ways)].key if asked else None
        marking = advanced(marking, Complete(token.id, edge_key))
        judge.complete(token.node_key, edge_key)
    return seen


@given(graphs(), st.integers(0, 3), st.lists(st.integers(0, 50), min_size=STEPS, max_size=STEPS))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_the_judge_visits_the_same_steps(graph: Graph, level: int, choices: list[int]) -> None:
    assume(not decided_by_order(graph))
    drawn = judged(graph)
    assume(not merges_before_a_join(drawn))

    compare(drawn, {"level": level}, choices)


def test_the_judge_agrees_on_a_branch_a_choice_and_a_parallel_part() -> None:
    graph = make_graph(
        make_node("sort", "exclusive"),
        make_node("easy", "task"),
        make_node("fork", "parallel"),
        make_node("left", "task"),
        make_node("right", "task"),
        make_node("join", "parallel", join=Join.ALL),
        make_node("decide", "approval"),
        make_edge("start", "sort"),
        make_edge("sort", "fork", guard=is_equal("level", 2)),
        make_edge("sort", "easy", default=True),
        make_edge("easy", "decide"),
        make_edge("fork", "left"),
        make_edge("fork", "right"),
        make_edge("left", "join"),
        make_edge("right", "join"),
        make_edge("join", "decide"),
        make_edge("decide", "easy"),
        make_edge("decide", "end", order=1),
    )

    hard = compare(graph, {"level": 2}, [0, 0, 0, 0, 1, 1])
    easy = compare(graph, {"level": 1}, [0, 1, 1])

    assert hard == [["left", "right"], ["right"], ["decide"], ["easy"], ["decide"], []]
    assert easy == [["easy"], ["decide"], []]


def test_the_judge_lets_a_join_go_on_too_early_where_a_way_leads_straight_to_it() -> None:
    graph = make_graph(
        make_node("split", "inclusive"),
        make_node("sort", "exclusive"),
        make_node("work", "task"),
        make_node("join", "inclusive", join=Join.ALL),
        make_node("last", "task"),
        make_edge("start", "split"),
        make_edge("split", "join", guard=is_equal("level", 1)),
        make_edge("split", "sort", guard=is_equal("level", 1), order=1),
        make_edge("split", "join", key="otherwise", default=True),
        make_edge("sort", "work", default=True),
        make_edge("sort", "end", guard=is_equal("level", 2)),
        make_edge("work", "join"),
        make_edge("join", "last"),
        make_edge("last", "end"),
    )

    assert Judge(graph, {"level": 1}).waiting() == ["last", "work"]
    assert compare(judged(graph), {"level": 1}, [0, 0, 0]) == [["work"], ["last"], []]


def test_the_judge_looks_back_from_a_join_along_the_first_of_ways_that_meet_only() -> None:
    graph = make_graph(
        make_node("split", "inclusive"),
        make_node("ask", "task"),
        make_node("sort", "inclusive"),
        make_node("easy", "automatic"),
        make_node("hard", "automatic"),
        make_node("sorted", "inclusive", join=Join.ALL),
        make_node("work", "task"),
        make_node("note", "automatic"),
        make_node("skip", "automatic"),
        make_node("join", "inclusive", join=Join.ALL),
        make_node("last", "task"),
        make_edge("start", "split"),
        make_edge("split", "note", guard=is_equal("level", 1)),
        make_edge("split", "ask", guard=is_equal("level", 1), order=1),
        make_edge("split", "skip", default=True),
        make_edge("ask", "sort"),
        make_edge("sort", "easy", guard=is_equal("level", 2)),
        make_edge("sort", "hard", default=True),
        make_edge("easy", "sorted"),
        make_edge("hard", "sorted"),
        make_edge("sorted", "work"),
        make_edge("note", "join"),
        make_edge("work", "join"),
        make_edge("skip", "join"),
        make_edge("join", "last"),
        make_edge("last", "end"),
    )
    judge = Judge(graph, {"level": 1})
    assert judge.waiting() == ["ask"]

    judge.complete("ask", None)

    assert judge.waiting() == ["last", "work"]
    assert merges_before_a_join(judged(graph))
    assert not decided_by_order(graph)
