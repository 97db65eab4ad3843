"""A client of the REST API design guidelines, with requests: Basic credentials, enveloped answers, snake_case.

API_URL, CLIENT_ID and CLIENT_SECRET say which gateway, and who calls.
"""

import os
from collections.abc import Iterator
from typing import Any

import requests

CUSTOMERS = f"{os.environ['API_URL']}/api/v1/customers"


def opened() -> requests.Session:
    """Return a session that asks for the enveloped form."""
    session = requests.Session()
    session.auth = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    session.headers["Accept"] = "application/json;profile=enveloped"
    return session


def told(answer: requests.Response) -> Any:
    """Return what an answer says; what it refuses is raised, all of its errors."""
    body = answer.json() if answer.content else {}
    if errors := body.get("errors"):
        raise ValueError("; ".join(f"{one['title']} ({one['code']}): {one['message']}" for one in errors))
    return body


def pages(session: requests.Session, **question: str) -> Iterator[dict[str, Any]]:
    """Give every customer that fits a question, page by page."""
    page, seen, total = 1, 0, 1
    while seen < total:
        body = told(session.get(CUSTOMERS, params={**question, "page": str(page), "page_size": "2"}, timeout=10))
        yield from body["customers"]
        total = body["metadata"]["pagination"]["total_count"]
        seen += len(body["customers"]) or total
        page += 1


def main() -> None:
    """Find, change and look at customers."""
    session = opened()
    berlin = list(pages(session, city="Berlin", sort_fields="last_name,first_name", sort="desc", fields="first_name"))
    print("in Berlin:", ", ".join(customer["firstName"] for customer in berlin))

    recent = "created_at gt 2025-01-01T00:20:00 and created_at lt 2025-01-01T00:30:00 and postal_code eq 10115"
    found = pages(session, filter=recent, sort_by="created_at:desc,last_name:asc")
    print("by filter:", [customer["firstName"] for customer in found])

    address = f"{CUSTOMERS}/{berlin[0]['id']}"
    read = session.get(address, timeout=10)
    session.headers.update({"If-Match": read.headers["ETag"], "Request-Id": "legacy-1"})
    changed = session.patch(f"{address}?resource=false", json={"middleName": "K."}, timeout=10)
    print("changed:", sorted(told(changed)), changed.headers["Request-Id"])

    try:
        told(session.patch(address, json={"middleName": "L."}, timeout=10))
    except ValueError as error:
        print("refused:", error)


main()
