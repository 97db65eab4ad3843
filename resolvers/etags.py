"""ETags: the version of a customer, opaque to clients, good at both doors (RFC 9110 section 8.8.3).

A tag is `"v{version}-{first eight characters of the id}"`, with `-{form}` behind it for every form of
the document but the plain full one. Conditions compare version and id, so a tag of any form of the
present version will do for If-Match.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from storage.documents import Customer, CustomerId

_TAG = re.compile(r'"v([1-9][0-9]{0,18})-([0-9a-f]{8})(?:-[0-9a-z]{1,16}){0,2}"')
ENVELOPED: Final = "e"


def selection_form(fields: Iterable[str]) -> str:
    """Return the form of a selection of fields, the same for the same fields in any order."""
    return "f" + hashlib.blake2b(",".join(sorted(fields)).encode(), digest_size=6).hexdigest()


def etag(customer: Customer, form: str = "") -> str:
    """Return the strong ETag of one form of a customer, quotes included."""
    tail = f"-{form}" if form else ""
    return f'"v{customer["version"]}-{customer["id"][:8]}{tail}"'


def version_of(tag: str, customer_id: CustomerId) -> int | None:
    """Return the version that a strong tag of this customer names, else None."""
    found = _TAG.fullmatch(tag)
    return int(found[1]) if found and found[2] == customer_id[:8] else None
