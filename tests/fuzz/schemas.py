"""Schemathesis as a program of its own, with our checks beside its own, and what it has counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COMMAND: Final = Path(sys.executable).with_name("st")
CONFIGURATION: Final = Path(__file__).parents[1] / "contract" / "schemathesis.toml"
COUNTS: Final = "SCHEMATHESIS_COUNTS"
"""The variable that names the file in which tests/contract/schemathesis_hooks.py writes what it has counted."""
_TOLD: Final = 8000


@dataclass(frozen=True)
class Ended:
    """What came of it."""

    passed: bool
    told: str
    counts: Mapping[tuple[str, int], int]


def schemathesis(
    url: str, key: str, seed: int, examples: int, seconds: float, *, phases: str = "fuzzing,stateful"
) -> Ended:
    """Let Schemathesis generate so many examples of each operation, and follow their links."""
    with tempfile.TemporaryDirectory(prefix="schemathesis-") as folder:
        counts = Path(folder) / "counts.json"
        run = [str(COMMAND), "--config-file", str(CONFIGURATION), "run", f"{url}/openapi.json", "--header"]
        chosen = [f"X-API-Key: {key}", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed)]
        left_out = ["--exclude-tag", "Events", "--exclude-operation-id-regex", "Alias$"]
        left_out += ["--exclude-path", "/openapi.yaml"]  # over a mebibyte: the tool cuts it and cannot read the rest
        bounded = ["--max-time", str(max(1, int(seconds)))]
        environment = {**os.environ, COUNTS: str(counts)}
        done = subprocess.run(
            [*run, *chosen, *left_out, *bounded], cwd=folder, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        found = json.loads(counts.read_text(encoding="utf-8")) if counts.is_file() else {}
        told = "" if done.returncode == 0 else done.stdout[-_TOLD:] + done.stderr[-_TOLD:]
        return Ended(done.returncode == 0, told, {("Schemathesis", int(status)): n for status, n in found.items()})
