"""The canonical JSON Schema of a customer, as REST shows it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def customer_schema() -> dict[str, Any]:
    """Return the Customer JSON Schema (draft 2020-12), which every full customer of REST follows."""
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("customer.schema.json").read_text(encoding="utf-8"))
    return schema
