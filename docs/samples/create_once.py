"""Create a customer exactly once over a network that breaks, with httpx2: the same Idempotency-Key at every try.

API_URL and API_KEY say which gateway.
"""

import os
import random
import time
import uuid
from typing import Any

import httpx2

TRIES = 5
PERSON = {
    "firstName": "Katherine",
    "lastName": "Johnson",
    "email": "katherine.johnson@example.com",
    "addresses": [
        {
            "type": "home",
            "street1": "100 NASA Drive",
            "city": "Hampton",
            "state": "VA",
            "postalCode": "23666",
            "country": "USA",
        }
    ],
    "phoneNumbers": [{"type": "home", "countryCode": "+1", "number": "757-555-0123"}],
    "notificationPreferences": {"email": True, "sms": False, "push": False, "mail": True},
}


def create_once(client: httpx2.Client, person: dict[str, Any]) -> httpx2.Response:
    """Return the answer to a create, which has one effect however often it is sent.

    Raises:
        httpx2.TransportError: no answer came at the last try. The key still stands for the same create: keep it.
    """
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for turn in range(1, TRIES + 1):
        pause = random.uniform(0.5, 1) * min(2**turn, 30) / 2
        try:
            answer = client.post("/api/v1/customers", json=person, headers=headers)
        except httpx2.TransportError as error:
            if turn == TRIES:
                raise
            print("no answer:", type(error).__name__)
        else:
            running = answer.status_code == 409 and "Retry-After" in answer.headers
            if turn == TRIES or not (running or answer.status_code in {429, 503}):
                return answer
            pause = max(pause, float(answer.headers.get("Retry-After", 0)))
        time.sleep(pause)
    raise AssertionError("unreachable")


def main() -> None:
    """Create one customer."""
    with httpx2.Client(
        base_url=os.environ["API_URL"], headers={"X-API-Key": os.environ["API_KEY"]}, timeout=10
    ) as client:
        created = create_once(client, PERSON)
        created.raise_for_status()
        print("created:", created.status_code, "replayed:", created.headers.get("Idempotent-Replayed", "false"))


main()
