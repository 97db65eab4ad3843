"""What `gateway check` says of each thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `cure` says what to do where it is not good."""

    subject: str
    state: State
    found: str
    cure: str = ""
