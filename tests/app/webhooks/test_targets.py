"""Nothing is sent into a private network, whatever address, name or redirect leads there."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.webhooks.addresses import Names
from app.webhooks.endpoint import Answer, Endpoints, retry_after
from app.webhooks.schedule import decide
from resolvers.problem import Problem
from resolvers.webhook_fields import check_name
from resolvers.webhook_rules import WebhookRules
from resolvers.webhook_targets import BadTarget, Target, is_public, target_of
from tests.app.webhooks.receiver import Receiver, receiving
from tests.certificates import make_certificate
from tests.harness import Gateway

PRIVATE = """
127.0.0.1 127.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255
0.0.0.0 0.1.2.3 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 192.88.99.1 224.0.0.1 239.1.1.1 240.0.0.1
255.255.255.255 ::1 :: fc00::1 fdff::1 fe80::1 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1
64:ff9b::7f00:1 64:ff9b:1::a00:1 2002:7f00:1:: 2001::1 2001:db8::1 3fff::1 100::1 5f00::1 4000::1
""".split()
PUBLIC = "8.8.8.8 1.1.1.1 93.184.216.34 172.15.0.1 172.32.0.1 100.63.0.1 2606:4700::1111 2a00:1450:4001::200e".split()
REFUSED = [
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "//hooks.example.com/",
    "hooks.example.com",
    "https://",
    "https:///path",
    "https://user@hooks.example.com/",
    "https://user:secret@hooks.example.com/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:65536/",
    "https://hooks.example.com:port/",
    "https://hooks.example.com/#fragment",
    "https://hooks.example.com/a b",
    "https://hooks.example.com/\n",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://hööks.example.com/",
    "https://-hooks.example.com/",
    "https://hooks..example.com/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://db.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://intranet/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://[::1",
    "https://[v1.fe80]/",
    "https://[fe80::1%25eth0]/",
    "https://hooks.example.com/" + "x" * 2000,
    *(f"https://{f'[{one}]' if ':' in one else one}/" for one in PRIVATE),
]


def test_m111_only_addresses_of_the_public_internet_are_public() -> None:
    assert [one for one in PRIVATE if is_public(one)] == []
    assert [one for one in PUBLIC if not is_public(one)] == []
    assert not is_public("hooks.example.com")


@pytest.mark.parametrize("url", REFUSED)
def test_m111_what_leads_elsewhere_is_refused_as_it_is_written(url: str) -> None:
    with pytest.raises(BadTarget):
        target_of(url, allow_private=False)


def test_good_addresses_are_taken_apart() -> None:
    assert target_of("https://Hooks.Example.com/a?b=c", allow_private=False) == Target(
        "https", "hooks.example.com", 443
    )
    assert target_of("https://8.8.8.8:8443/", allow_private=False).port == 8443
    assert target_of("https://[2606:4700::1111]/", allow_private=False).host == "2606:4700::1111"
    assert target_of("http://localhost/", allow_private=True).port == 80
    for odd in ("https://2130706433/", "https://0177.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://a@b.example/"):
        with pytest.raises(BadTarget):
            target_of(odd, allow_private=True)


def test_m111_creation_refuses_all_of_it_at_both_doors(gateway: Gateway) -> None:
    before = gateway.http.get("/api/v1/webhooks").json()
    for url in REFUSED:
        refused = gateway.http.post("/api/v1/webhooks", json={"url": url})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url"), url
    mutation = "mutation($url: String!) { createWebhook(input: {url: $url}) { id } }"
    error = gateway.graphql(mutation, url="https://127.0.0.1/")["errors"][0]
    assert (error["extensions"]["status"], error["extensions"]["errors"][0]["field"]) == (422, "url")
    assert gateway.http.get("/api/v1/webhooks").json() == before


async def test_m111_a_name_of_a_private_address_is_refused_at_the_creation() -> None:
    for addresses in (["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:10.0.0.1"]):
        with pytest.raises(Problem) as refused:
            await check_name("https://hooks.example.com/", _rules(addresses), time.monotonic() + 1)
        assert refused.value.faults[0].field == "url"
    await check_name("https://hooks.example.com/", _rules(["8.8.8.8"]), time.monotonic() + 1)
    await check_name("https://hooks.example.com/", _rules(None), time.monotonic() + 1)


def _rules(addresses: Sequence[str] | None) -> WebhookRules:
    async def look_up(_host: str) -> Sequence[str]:
        if addresses is None:
            raise OSError
        return addresses

    return WebhookRules(look_up=look_up)


async def test_m111_a_name_that_changes_its_meaning_is_looked_up_once_and_never_connected_to_where_it_may_not(
    receiver: Receiver,
) -> None:
    meanings = iter([["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])
    looked: list[str] = []

    async def look_up(host: str) -> Sequence[str]:
        looked.append(host)
        return next(meanings)

    async with aclosing(Endpoints(look_up, allow_private=False)) as endpoints:
        for number in (1, 2):
            answer = await endpoints.post(receiver.url(host="hooks.example.com", scheme="https"), [], b"{}")
            assert (answer.status, answer.error) == (None, "address refused: private network")
            assert looked == ["hooks.example.com"] * number
        for url in (receiver.url(scheme="https"), receiver.url(host="localhost", scheme="https"), receiver.url()):
            assert (await endpoints.post(url, [], b"{}")).error == "address refused: private network"
    assert (receiver.got, len(looked)) == ([], 2)


async def test_m111_tls_is_checked_against_the_name_and_the_connection_made_to_the_checked_address(
    tmp_path: Path,
) -> None:
    certificate, key = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)

    async def look_up(_host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    trusting = ssl.create_default_context(cafile=str(certificate))
    with receiving(tls) as receiver:
        async with aclosing(Endpoints(look_up, allow_private=True, tls=trusting)) as endpoints:
            assert (await endpoints.post(receiver.url(scheme="https"), [], b"{}")).status == 204
            other = await endpoints.post(receiver.url(host="hooks.example.com", scheme="https"), [], b"{}")
        async with aclosing(Endpoints(look_up, allow_private=True)) as endpoints:
            stranger = await endpoints.post(receiver.url(scheme="https"), [], b"{}")
    assert (other.error or "").startswith("certificate not good: Hostname mismatch")
    assert (stranger.error or "").startswith("certificate not good: self")
    assert len(receiver.got) == 1


async def test_m108_a_redirect_is_a_failure_and_nobody_goes_there(receiver: Receiver) -> None:
    receiver.says(307, Location=receiver.url("/private"))

    async def look_up(_host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async with aclosing(Endpoints(look_up, allow_private=True)) as endpoints:
        answer = await endpoints.post(receiver.url(), [], b"{}")
    assert (answer.status, answer.good, receiver.at("/private")) == (307, False, [])


async def test_names_are_looked_up_by_the_system() -> None:
    names = Names()
    assert set(await names.look_up("localhost")) <= {"127.0.0.1", "::1"}
    with pytest.raises(OSError, match="no such name"):
        await names.look_up("x" * 64 + ".example")
    names.close()


def test_m108_only_2xx_is_taken_and_a_request_to_wait_is_kept() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    states = {status: decide(0, Answer(status, None, 0.1), now, lambda: 0.0).state for status in range(200, 600, 10)}
    assert {status for status, state in states.items() if state == "delivered"} == set(range(200, 300, 10))
    assert {status for status, state in states.items() if state == "failed"} == {410}
    waits = decide(0, Answer(500, None, 0.1, 90.0), now, lambda: 0.0)
    assert ((waits.next or now) - now).total_seconds() == 90
    assert waits.hold is None
    for status in (429, 502, 503, 504):
        slowed = decide(3, Answer(status, None, 0.1), now, lambda: 0.0)
        assert ((slowed.hold or now) - now).total_seconds() == 5
        assert slowed.next is not None


def test_retry_after_is_seconds_or_a_date_and_a_day_at_most() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    cases = {
        "120": 120.0, "0": 0.0, "999999999999": 86_400.0, "-1": None, "soon": None, "": None, "1.5": None,
        "Thu, 01 Jan 2026 00:02:00 GMT": 120.0, "Wed, 31 Dec 2025 00:00:00 GMT": 0.0,
    }  # fmt: skip
    for value, seconds in cases.items():
        assert retry_after([(b"Retry-After", value.encode("latin-1", "replace"))], now) == seconds, value
    assert retry_after([], now) is None
