"""`gateway keys …`: make, list and revoke API keys; rotate the keys that the gateway signs with."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from app.cli.session import OUT, audited, check_text, emit, fail, misuse, printable, read_settings, with_store
from app.settings import RATE
from resolvers.context import ALL_SCOPES, utc_now
from storage.documents import Instant
from storage.keys import KeyId, KeyRecord, NewKey
from storage.signing_keys import SigningKeyRecord
from storage.store import Store

app = typer.Typer(help="Make, list and revoke API keys; rotate the signing keys.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HEADINGS = ("id", "name", "scopes", "created", "expires", "last used", "revoked")
_FORMS = "a duration like 90d or 12h, or a date like 2027-01-31"


@app.command("create", epilog="Example: gateway keys create --name crm --scope customers:read --expires 90d")
def create(
    name: Annotated[str, typer.Option("--name", help="What the key is for; no personal data.")],
    scope: Annotated[list[str], typer.Option("--scope", help=f"May stand several times: {', '.join(ALL_SCOPES)}.")],
    expires: Annotated[str | None, typer.Option("--expires", help=f"When it ends: {_FORMS}.")] = None,
    rate_limit: Annotated[
        str | None, typer.Option("--rate-limit", help="Units in a time, such as 100/minute, instead of the setting's.")
    ] = None,
    daily_quota: Annotated[
        int | None, typer.Option("--daily-quota", min=1, max=10**12, help="Units in a day, instead of the setting's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. This is the only time its secrets are shown."""
    unknown = sorted(set(scope) - set(ALL_SCOPES))
    if unknown:
        misuse(f"there is no scope {unknown[0]}. Scopes: {', '.join(ALL_SCOPES)}.")
    if not name.strip() or len(name) > 100:
        misuse("the name must have 1 to 100 characters.")
    check_text("--name", name)
    if rate_limit is not None and not re.fullmatch(RATE, rate_limit):
        misuse("--rate-limit takes units in a time, like 100/minute or 50/10second.")
    now = datetime.now(UTC)
    ends = parse_expiry(expires, now) if expires else None
    scopes = tuple(dict.fromkeys(scope))

    async def make(store: Store) -> NewKey:
        return await store.keys.create(name, scopes, now, ends, rate_limit=rate_limit, daily_quota=daily_quota)

    settings = read_settings()
    with audited(settings, "createKey") as facts:
        made = with_store(settings, make)
        facts |= {"keyId": made.record.id, "scopes": list(scopes)}
    if as_json:
        emit(json.dumps(described(made)))
        return
    OUT.print("[bold]A new API key.[/] This is the only time that its secrets are shown.")
    for label, value in described(made).items():
        emit(f"{label}: {', '.join(value) if isinstance(value, list) else value}")


def described(made: NewKey) -> dict[str, Any]:
    """Return a new key as `--json` prints it; limits only where it has some of its own."""
    record = made.record
    own = {"rateLimit": record.rateLimit, "dailyQuota": record.dailyQuota}
    return {
        "id": record.id,
        "name": record.name,
        "key": made.key,
        "clientId": record.clientId,
        "clientSecret": made.client_secret,
        "scopes": list(record.scopes),
        "expiresAt": record.expiresAt,
        **{name: value for name, value in own.items() if value is not None},
    }


def parse_expiry(text: str, now: datetime) -> datetime:
    """Return the moment that a duration or a date names; ends the command for anything else."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhdw])", text)
    try:
        if found:
            return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except ValueError:
        misuse(f"--expires takes {_FORMS}.")
    except OverflowError:
        misuse("--expires lies beyond the year 9999.")
    if moment <= now:
        misuse("--expires lies in the past.")
    return moment


@app.command("list", epilog="Example: gateway keys list --json")
def list_keys(as_json: AsJson = False) -> None:
    """List all keys, never their secrets."""
    records = with_store(read_settings(), lambda store: store.keys.list())
    if as_json:
        emit(json.dumps([_listed(record) for record in records]))
        return
    rows = [_row(record) for record in records]
    if not OUT.is_terminal:
        for row in [_HEADINGS, *rows]:
            emit("\t".join(row))
        return
    table = Table(*(Column(heading, overflow="fold") for heading in _HEADINGS))
    for row in rows:
        table.add_row(*map(escape, row))
    OUT.print(table)


def _row(record: KeyRecord) -> tuple[str, ...]:
    times: list[Instant | None] = [record.createdAt, record.expiresAt, record.lastUsedAt, record.revokedAt]
    return (record.id, printable(record.name), " ".join(record.scopes), *(time or "" for time in times))


def _listed(record: KeyRecord) -> dict[str, Any]:
    shown = {name: value for name, value in asdict(record).items() if name != "clientId"}
    return {**shown, "scopes": list(record.scopes)}


@app.command("revoke", epilog="Example: gateway keys revoke d68825b3-830c-44f8-953e-a8b5cd943aa8")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, from `gateway keys list`.")],
    as_json: AsJson = False,
) -> None:
    """End a key, within 5 seconds everywhere."""
    check_text("ID", key_id)
    settings = read_settings()
    with audited(settings, "revokeKey") as facts:
        done = with_store(settings, lambda store: store.keys.revoke(KeyId(key_id), datetime.now(UTC)))
        facts |= {"keyId": key_id[:64], "found": done}
    if not done:
        fail("there is no key with this id. See `gateway keys list`.")
    emit(json.dumps({"id": key_id, "revoked": True}) if as_json else f"revoked {key_id}")


@app.command("rotate", epilog="Example: gateway keys rotate --drop")
def rotate(
    drop: Annotated[
        bool, typer.Option("--drop", help="End the older keys at once, and the tokens they signed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sign tokens with a new key, within 5 seconds everywhere. Needed only for a key that others know."""
    from app.auth.signing import SEALED_CURE, SealedKey, SigningKeys

    settings = read_settings()

    async def work(store: Store) -> SigningKeyRecord:
        return await SigningKeys.of(store.signing_keys, utc_now, settings.store_secret).rotate(drop=drop)

    try:
        with audited(settings, "rotateSigningKey") as facts:
            made = with_store(settings, work)
            facts["kid"] = made.kid
    except SealedKey as error:
        fail(f"{error}; {SEALED_CURE}.")
    emit(json.dumps({"kid": made.kid}) if as_json else f"signing with {made.kid}")
