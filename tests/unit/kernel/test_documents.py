import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_console.kernel.documents import (
    ABSENT,
    KEYED,
    MAX_OPERATIONS,
    DocumentTooLarge,
    InvalidOperation,
    NoSuchConflict,
    Side,
    apply,
    checked_document,
    flatten,
    part_at,
    same,
    three_way,
)

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]

KEYS = st.sampled_from(["a", "b", "c", "d"])
NAMES = st.sampled_from(["nodes", "fields", "options", "name", "weight"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "安装", "0.5"]) | st.just(0.5)
)


def parts(depth: int) -> st.SearchStrategy[Any]:
    """A value that may stand in a document: keyed lists are sound, everything else is arbitrary."""
    if depth == 0:
        return SCALARS | st.lists(SCALARS, max_size=2)
    return SCALARS | st.lists(SCALARS, max_size=2) | objects(depth - 1)


@st.composite
def objects(draw: Callable[[st.SearchStrategy[Any]], Any], depth: int = 2, key: str | None = None) -> Any:
    made = {}
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        if name in KEYED and depth and draw(st.booleans()):
            member_key = KEYED[name]
            keys = draw(st.lists(KEYS, max_size=4, unique=True))
            made[name] = [{**draw(objects(depth - 1)), member_key: each} for each in keys]
        else:
            made[name] = draw(parts(depth))
    return made if key is None else {**made, **dict.fromkeys(set(KEYED.values()), key)}


@st.composite
def operations(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    path = draw(st.lists(NAMES | KEYS, min_size=1, max_size=5))
    kind = draw(st.sampled_from(["put", "put", "remove", "move"]))
    if kind == "remove":
        return {"op": "remove", "path": path}
    before = draw(st.none() | KEYS)
    if kind == "move":
        to = draw(st.none() | st.lists(NAMES | KEYS, min_size=1, max_size=4))
        return {"op": "move", "path": path, "to": to, "before": before}
    value = draw(parts(1) | objects(1, key=path[-1]))
    operation = {"op": "put", "path": path, "value": value}
    return {**operation, "before": before} if draw(st.booleans()) else operation


@st.composite
def fitting(draw: Callable[[st.SearchStrategy[Any]], Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    """Operations that mostly fit: their paths are taken from the document they will meet."""
    found: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 6))):
        operation = draw(operations())
        known = sorted(path for path in _paths(document) if path)
        if known and draw(st.integers(1, 5)) > 1:
            path = list(draw(st.sampled_from(known)))
            if operation["op"] == "put" and draw(st.booleans()):
                path = [*path, draw(NAMES | KEYS)]
                operation["value"] = draw(parts(1) | objects(1, key=path[-1]))
            elif operation["op"] == "put":
                operation.pop("before", None)
            elif operation["op"] == "move" and draw(st.booleans()):
                operation["to"] = list(draw(st.sampled_from(known)))
            operation["path"] = path
        try:
            document, _ = apply(document, [operation])
        except InvalidOperation:
            continue
        found.append(operation)
    return found


def _paths(document: dict[str, Any]) -> set[tuple[str, ...]]:
    return {path[:size] for path in flatten(document) for size in range(len(path) + 1)}


@st.composite
def edited(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    document = draw(objects(3))
    return document, draw(fitting(document))


def flow() -> dict[str, Any]:
    return {
        "nodes": [
            {"key": "start", "kind": "start"},
            {"key": "visit", "kind": "task", "name": {"zh": "上门", "en": "Visit"}},
            {"key": "end", "kind": "end"},
        ],
        "edges": [{"key": "e1", "source": "start", "target": "visit"}],
    }


class TestApply:
    def test_something_new_comes_where_it_is_wanted_and_its_inverse_takes_it_away(self) -> None:
        survey = {"key": "survey", "kind": "survey"}
        put = {"op": "put", "path": ["nodes", "survey"], "value": survey, "before": "end"}

        after, inverse = apply(flow(), [put])

        assert [node["key"] for node in after["nodes"]] == ["start", "visit", "survey", "end"]
        assert inverse == [{"op": "remove", "path": ["nodes", "survey"]}]

    def test_what_is_there_is_replaced_in_its_place(self) -> None:
        put = {"op": "put", "path": ["nodes", "visit", "name", "en"], "value": "On site"}

        after, inverse = apply(flow(), [put])

        assert after["nodes"][1]["name"] == {"zh": "上门", "en": "On site"}
        assert inverse == [{"op": "put", "path": ["nodes", "visit", "name", "en"], "value": "Visit"}]

    def test_objects_missing_on_the_way_are_made_and_taken_away_again(self) -> None:
        place = {"op": "put", "path": ["drawing", "nodes", "visit"], "value": {"x": 40, "y": 80}}
        comment = {"op": "put", "path": ["drawing", "comments", "c1"], "value": {"key": "c1"}, "before": None}

        after, inverse = apply(flow(), [place, comment])

        assert after["drawing"] == {"nodes": {"visit": {"x": 40, "y": 80}}, "comments": [{"key": "c1"}]}
        assert inverse == [
            {"op": "remove", "path": ["drawing", "comments"]},
            {"op": "remove", "path": ["drawing"]},
        ]
        assert apply(after, inverse)[0] == flow()

    def test_a_field_moves_to_another_section_and_back_to_its_place(self) -> None:
        form = {
            "sections": [
                {"key": "s1", "fields": [{"key": "age"}, {"key": "name"}]},
                {"key": "s2", "fields": [{"key": "note"}]},
            ]
        }
        move = {
            "op": "move",
            "path": ["sections", "s1", "fields", "age"],
            "to": ["sections", "s2", "fields"],
            "before": "note",
        }

        after, inverse = apply(form, [move])

        assert [field["key"] for field in after["sections"][1]["fields"]] == ["age", "note"]
        assert apply(after, inverse)[0] == form

    @given(edited())
    def test_undo_after_do_is_identity(
        self, case: tuple[dict[str, Any], list[dict[str, Any]]]
    ) -> None:  # FLW-01
        document, done = case
        before = json.dumps(document, sort_keys=True)

        after, inverse = apply(document, done)
        undone, redo = apply(after, inverse)

        assert same(undone, document)
        assert same(apply(undone, redo)[0], after)
        assert json.dumps(document, sort_keys=True) == before

    @given(edited())
    def test_the_same_operations_give_the_same_document(
        self, case: tuple[dict[str, Any], list[dict[str, Any]]]
    ) -> None:
        document, done = case

        assert same(apply(document, done)[0], apply(json.loads(json.dumps(document)), done)[0])

    @pytest.mark.parametrize(
        ("operation", "code"),
        [
            ("no object", "document.wrong_shape"),
            ({"op": "grow", "path": ["nodes"]}, "document.unknown_operation"),
            ({"op": "put", "path": ["nodes"]}, "document.wrong_shape"),
            ({"op": "remove", "path": ["nodes"], "value": 1}, "document.wrong_shape"),
            ({"op": "remove", "path": []}, "document.bad_path"),
            ({"op": "remove", "path": "nodes"}, "document.bad_path"),
            ({"op": "remove", "path": ["nodes", 0]}, "document.bad_path"),
            ({"op": "remove", "path": ["x"] * 17}, "document.too_deep"),
            ({"op": "remove", "path": ["nodes", "ghost"]}, "document.unknown_part"),
            ({"op": "put", "path": ["nodes", "ghost", "name"], "value": {}}, "document.unknown_part"),
            ({"op": "put", "path": ["__proto__", "x"], "value": 1}, "document.bad_path"),
            ({"op": "put", "path": ["name"], "value": {"__proto__": {}}}, "document.bad_value"),
            ({"op": "put", "path": ["name"], "value": float("nan")}, "document.bad_value"),
            ({"op": "put", "path": ["name"], "value": 2**60}, "document.bad_value"),
            ({"op": "put", "path": ["name"], "value": "\ud800"}, "document.bad_value"),
            ({"op": "put", "path": ["nodes", "new"], "value": {"key": "other"}}, "document.key_mismatch"),
            ({"op": "put", "path": ["nodes", "visit"], "value": "task"}, "document.key_mismatch"),
            ({"op": "put", "path": ["nodes", "visit", "key"], "value": "call"}, "document.key_fixed"),
            ({"op": "remove", "path": ["nodes", "visit", "key"]}, "document.key_fixed"),
            (
                {"op": "put", "path": ["nodes", "visit"], "value": {"key": "visit"}, "before": None},
                "document.already_there",
            ),
            (
                {"op": "put", "path": ["nodes", "new"], "value": {"key": "new"}, "before": "ghost"},
                "document.unknown_part",
            ),
            ({"op": "move", "path": ["nodes", "visit", "name"]}, "document.not_movable"),
            ({"op": "move", "path": ["nodes", "visit"], "to": ["name"]}, "document.not_movable"),
            (
                {"op": "move", "path": ["nodes", "visit"], "to": ["nodes", "visit", "nodes"]},
                "document.into_itself",
            ),
            ({"op": "move", "path": ["nodes", "visit"], "before": "visit"}, "document.unknown_part"),
        ],
    )
    def test_a_forged_operation_is_named_and_nothing_is_applied(self, operation: Any, code: str) -> None:
        document = flow()
        sound = {"op": "put", "path": ["name"], "value": {"en": "Repair"}}

        with pytest.raises(InvalidOperation) as refused:
            apply(document, [sound, operation])

        (problem,) = refused.value.problems
        assert (problem.path, problem.code) == ("operations[1]", code)
        assert document == flow()

    def test_a_value_may_not_nest_without_end(self) -> None:
        value: Any = "x"
        for _ in range(200):
            value = {"in": value}

        with pytest.raises(InvalidOperation) as refused:
            apply(flow(), [{"op": "put", "path": ["name"], "value": value}])

        assert refused.value.problems[0].code == "document.too_deep"

    def test_a_gesture_has_a_limit(self) -> None:
        put = {"op": "put", "path": ["name"], "value": 1}

        with pytest.raises(InvalidOperation) as refused:
            apply(flow(), [put] * (MAX_OPERATIONS + 1))

        assert refused.value.problems[0].code == "document.too_many_operations"

    def test_a_document_has_a_limit(self) -> None:
        with pytest.raises(DocumentTooLarge):
            checked_document({"nodes": ["x" * 1_000] * 4_100})

    def test_a_list_whose_members_share_a_key_is_taken_whole(self) -> None:
        document = {"fields": [{"key": "a"}, {"key": "a"}]}

        with pytest.raises(InvalidOperation):
            apply(document, [{"op": "remove", "path": ["fields", "a"]}])

        after, inverse = apply(document, [{"op": "put", "path": ["fields"], "value": []}])
        assert after == {"fields": []}
        assert apply(after, inverse)[0] == document


class TestInTheBrowser:
    @settings(max_examples=10, deadline=None)
    @given(st.lists(edited(), min_size=20, max_size=40), st.lists(operations(), min_size=20, max_size=20))
    def test_the_browser_applies_and_undoes_exactly_as_the_server(
        self, cases: list[tuple[dict[str, Any], list[dict[str, Any]]]], forged: list[dict[str, Any]]
    ) -> None:  # FLW-01
        asked = [*cases, *((cases[0][0], [operation]) for operation in forged)]

        answers = in_node([{"doc": document, "ops": done} for document, done in asked])

        for (document, done), answer in zip(asked, answers, strict=True):
            try:
                after, inverse = apply(document, done)
            except InvalidOperation as refused:
                (problem,) = refused.problems
                assert (answer["code"], f"operations[{answer['index']}]") == (problem.code, problem.path)
                continue
            assert same(answer["doc"], after)
            assert same(answer["inverse"], inverse)


def in_node(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    script = f"""
        import {{ apply, Refused }} from {json.dumps(str(ROOT / "ticket_console/designer/document.js"))};
        import {{ readFileSync }} from "node:fs";
        const answers = JSON.parse(readFileSync(0, "utf8")).map(({{ doc, ops }}) => {{
          try {{ return apply(doc, ops); }} catch (refusal) {{
            if (!(refusal instanceof Refused)) throw refusal;
            return {{ code: refusal.code, index: refusal.index }};
          }}
        }});
        process.stdout.write(JSON.stringify(answers));
    """
    done = subprocess.run(
        [ROOT / ".venv/bin/node", "--input-type=module", "-e", script],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


class TestFlatten:
    def test_every_leaf_has_its_path_and_a_keyed_list_its_order(self) -> None:
        assert flatten({"nodes": [{"key": "a", "w": 1}], "tags": ["x"], "drawing": {}}) == {
            ("nodes",): ["a"],
            ("nodes", "a", "key"): "a",
            ("nodes", "a", "w"): 1,
            ("tags",): ["x"],
            ("drawing",): {},
        }

    @given(objects(3), objects(3))
    def test_equal_flattened_means_equal(self, left: dict[str, Any], right: dict[str, Any]) -> None:
        assert (flatten(left) == flatten(right)) == (left == right)


@st.composite
def diverged(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Any, Any, Any]:
    base = draw(objects(3))
    return base, apply(base, draw(fitting(base)))[0], apply(base, draw(fitting(base)))[0]


class TestThreeWay:
    def test_changes_of_different_things_are_put_together(self) -> None:
        ours, _ = apply(flow(), [{"op": "put", "path": ["nodes", "visit", "name", "en"], "value": "On site"}])
        survey = {"key": "survey", "kind": "survey"}
        theirs, _ = apply(
            flow(),
            [
                {"op": "put", "path": ["nodes", "survey"], "value": survey, "before": "end"},
                {"op": "remove", "path": ["edges", "e1"]},
            ],
        )

        merged = three_way(flow(), ours, theirs)

        assert merged.conflicts == ()
        assert [node["key"] for node in merged.document["nodes"]] == ["start", "visit", "survey", "end"]
        assert merged.document["nodes"][1]["name"]["en"] == "On site"
        assert merged.document["edges"] == []

    def test_what_both_changed_differently_is_a_conflict_until_somebody_chooses(self) -> None:
        path = ("nodes", "visit", "name", "en")
        ours, _ = apply(flow(), [{"op": "put", "path": list(path), "value": "On site"}])
        theirs, _ = apply(flow(), [{"op": "put", "path": list(path), "value": "House call"}])

        merged = three_way(flow(), ours, theirs)
        (conflict,) = merged.conflicts
        settled = three_way(flow(), ours, theirs, {path: Side.THEIRS})

        assert (conflict.path, conflict.base, conflict.ours, conflict.theirs) == (
            path,
            "Visit",
            "On site",
            "House call",
        )
        assert merged.document == ours
        assert settled.document == theirs
        assert settled.conflicts == ()

    def test_removing_what_the_other_changed_is_a_conflict(self) -> None:
        ours, _ = apply(flow(), [{"op": "remove", "path": ["nodes", "visit"]}])
        theirs, _ = apply(flow(), [{"op": "put", "path": ["nodes", "visit", "weight"], "value": 3}])

        (conflict,) = three_way(flow(), ours, theirs).conflicts
        settled = three_way(flow(), ours, theirs, {("nodes", "visit"): Side.THEIRS})

        assert conflict.path == ("nodes", "visit")
        assert conflict.ours is ABSENT
        assert settled.document == theirs

    def test_a_condition_is_taken_from_one_side_or_the_other_never_mixed(self) -> None:
        base = {"edges": [{"key": "e", "guard": {"combinator": "and", "rules": [1]}}]}
        ours = {"edges": [{"key": "e", "guard": {"combinator": "or", "rules": [1]}}]}
        theirs = {"edges": [{"key": "e", "guard": {"combinator": "and", "rules": [1, 2]}}]}

        (conflict,) = three_way(base, ours, theirs).conflicts

        assert conflict.path == ("edges", "e", "guard")

    def test_two_different_new_orders_are_a_conflict(self) -> None:
        def stages(*keys: str) -> dict[str, Any]:
            return {"stages": [{"key": key} for key in keys]}

        merged = three_way(stages("a", "b", "c"), stages("b", "a", "c"), stages("a", "c", "b"))
        (conflict,) = merged.conflicts
        settled = three_way(
            stages("a", "b", "c"), stages("b", "a", "c"), stages("a", "c", "b"), {("stages",): Side.THEIRS}
        )

        assert conflict.is_order
        assert (conflict.path, conflict.ours) == (("stages",), ["b", "a", "c"])
        assert settled.document == stages("a", "c", "b")

    def test_a_choice_for_what_nobody_disagrees_on_is_refused(self) -> None:
        with pytest.raises(NoSuchConflict):
            three_way(flow(), flow(), flow(), {("nodes",): Side.OURS})

    @given(edited())
    def test_with_an_unchanged_side_the_other_one_comes_out(
        self, case: tuple[dict[str, Any], list[dict[str, Any]]]
    ) -> None:
        base, done = case
        changed, _ = apply(base, done)

        for merged in (three_way(base, base, changed), three_way(base, changed, base)):
            assert merged.conflicts == ()
            assert same(merged.document, changed)

    @given(diverged())
    def test_it_does_not_matter_who_merges(self, sides: tuple[Any, Any, Any]) -> None:
        base, left, right = sides

        one, other = three_way(base, left, right), three_way(base, right, left)

        assert [(each.path, each.ours, each.theirs) for each in one.conflicts] == [
            (each.path, each.theirs, each.ours) for each in other.conflicts
        ]
        assert one.conflicts or same(one.document, other.document)

    @given(diverged(), st.data())
    def test_with_every_conflict_settled_nothing_is_left_open(
        self, sides: tuple[Any, Any, Any], data: st.DataObject
    ) -> None:
        base, ours, theirs = sides
        choices: dict[tuple[str, ...], Side] = {}
        for _ in range(50):
            open_ones = three_way(base, ours, theirs, choices).conflicts
            if not open_ones:
                break
            choices |= {each.path: data.draw(st.sampled_from(Side)) for each in open_ones}

        merged = three_way(base, ours, theirs, choices)

        assert merged.conflicts == ()
        for path, side in choices.items():
            wanted = part_at({"base": base, "ours": ours, "theirs": theirs}[side.value], path)
            found = part_at(merged.document, path)
            assert isinstance(wanted, list) or wanted is found or same(wanted, found)
