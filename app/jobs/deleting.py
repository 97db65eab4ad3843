"""Erasing customers by an operation."""

from __future__ import annotations

from app.jobs.held import CALL_SECONDS, Working
from resolvers.erasures import Erasure
from storage.deadlines import wire_deadline
from storage.erasing import Erasing


async def delete_customers(held: Working) -> None:
    """Erase what is left. Raises `Cancelled`, `LeaseLost` and `Unavailable`."""
    job = held.job
    kept, place = bytes(job["task"]["filter"]), bytes(job["position"]["place"])
    clock, holder = held.services.clock, held.holder
    erasure = Erasure(held.store, kept, place, clock=clock, holder=holder, session=held.session, note=held.note)
    if job["total"] is None:
        with wire_deadline(CALL_SECONDS):
            left = await Erasing.of(held.store, kept).count()
        await held.record(total=job["done"] + left)
    more = True
    while more:
        with wire_deadline(CALL_SECONDS):
            more = await erasure.step()
        await held.record(position={"place": erasure.place})
