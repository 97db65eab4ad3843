"""`gateway reindex`: customers that an older version has stored are found as those are that this one stores."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from app.cli.progress import telling_progress
from app.cli.session import IN_PART, emit, read_settings, with_store
from storage.renewal import Renewal, renew_keys
from storage.store import Store


def reindex(as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON alone.")] = False) -> None:
    """Write anew what customers are found by, where an older version stored it otherwise. For after an upgrade."""
    done = with_store(read_settings(), _work, seconds=None)
    emit(_json(done) if as_json else _told(done))
    if done.taken:
        raise typer.Exit(IN_PART)


async def _work(store: Store) -> Renewal:
    total = await store.customers.count_all()
    with telling_progress() as tell:
        return await renew_keys(store, lambda looked: tell(f"{looked} customers", min(1.0, looked / max(1, total))))


def _json(done: Renewal) -> str:
    taken = [{"id": customer_id, "other": other} for customer_id, other in done.taken]
    return json.dumps({"looked": done.looked, "renewed": done.renewed, "taken": taken})


def _told(done: Renewal) -> str:
    lines = [f"looked at {done.looked} customers, and wrote anew what {done.renewed} are found by"]
    cure = "change one of the two, and run this again"
    lines += [f"{one} has the e-mail address of {other}: {cure}" for one, other in done.taken]
    return "\n".join(lines)
