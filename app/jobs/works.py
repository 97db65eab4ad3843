"""What each kind of operation does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.jobs.deleting import delete_customers
from app.jobs.importing import import_customers
from app.jobs.runner import Work
from storage.jobs import JobKind

WORKS: Final[Mapping[JobKind, Work]] = MappingProxyType({"delete": delete_customers, "import": import_customers})
