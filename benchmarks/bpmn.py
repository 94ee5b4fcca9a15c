"""Reads every BPMN file of a folder and prints what became of it: `python -m benchmarks.bpmn FOLDER`.

Broken files belong into such a folder: each has to be read with a report or refused with a sentence.
"""

import sys
import time
from collections import Counter
from pathlib import Path

from ticket_console.flows.bpmn.reading import ReadFlow, read_bpmn
from ticket_console.flows.bpmn.report import Outcome
from ticket_console.flows.bpmn.writing import write_bpmn
from ticket_console.flows.graph_json import parse_graph
from ticket_console.flows.validation import graph_problems
from ticket_console.i18n import translate
from ticket_console.kernel.errors import InvalidInput


def main() -> None:
    folder = Path(sys.argv[1])
    files = sorted(folder.rglob("*.bpmn"))
    whole, remarked, refused = 0, 0, 0
    ready = round_trips = 0
    codes: Counter[tuple[Outcome, str]] = Counter()
    reasons: Counter[str] = Counter()
    slowest = 0.0
    for file in files:
        began = time.perf_counter()
        name = file.relative_to(folder).as_posix()
        try:
            read = read_bpmn(file.read_bytes())
        except InvalidInput as refusal:
            refused += 1
            for problem in refusal.problems:
                reasons[problem.code] += 1
                print(f"refused  {name}: {translate(problem.code, 'en', **problem.params)}")
            continue
        finally:
            slowest = max(slowest, time.perf_counter() - began)
        whole += read.report.is_whole
        remarked += not read.report.is_whole
        codes.update((remark.outcome, remark.code) for remark in read.report.remarks)
        problems = graph_problems(parse_graph(read.graph))
        ready += not problems
        round_trips += _comes_back(read)
        counts = read.report.counts()
        said = (
            ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
            or "no remarks"
        )
        print(f"read     {name}: {len(read.graph['nodes'])} nodes, {said}; {len(problems)} problems left")
    print()
    for (outcome, code), count in codes.most_common():
        print(f"{count:6} {outcome:10} {code}")
    print()
    print(f"files {len(files)}: whole {whole}, with remarks {remarked}, refused {refused} {dict(reasons)}")
    print(
        f"publishable as they are {ready}; written and read again equal {round_trips} of {whole + remarked}"
    )
    print(f"slowest file {slowest * 1000:.0f} ms")


def _comes_back(read: ReadFlow) -> bool:
    again = read_bpmn(write_bpmn(read.graph, code="x", name=read.name))
    return again.graph == read.graph and again.report.is_whole


if __name__ == "__main__":
    main()
