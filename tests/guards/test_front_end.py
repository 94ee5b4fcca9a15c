"""The pages compile, and use nothing that Reflex is about to drop."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_all_pages_compile_without_a_deprecation() -> None:
    compiled = subprocess.run(
        [sys.executable, "-m", "reflex", "compile", "--dry", "--no-rich"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = compiled.stdout + compiled.stderr

    assert compiled.returncode == 0, said
    assert re.findall(r"(?i)^.*deprecat.*$", said, re.MULTILINE) == []
