"""The playground's panels: the REST twin, credentials, and what is told about an answer."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from storage.keys import NewKey
from storage.store import StoreOptions, open_store
from tests.browser.person import (
    ANSWER,
    QUERY,
    TOOL,
    Scheme,
    assert_at_home_and_quiet,
    create_customer,
    demo_key,
    open_page,
    open_playground,
    prefer,
    press,
    read_customer,
    run,
    show_headers,
    until,
    visible,
    wait_for_text,
    wait_until_shown,
)
from tests.conftest import StartGateway
from tests.harness import Gateway

pytestmark = pytest.mark.browser

ONE = "query One($id: ID!) { customer(id: $id) { lastName email } }"


def choose(browser: Chrome, words: str) -> None:
    """Press the button of a panel that begins with these words."""
    buttons = browser.find_elements(By.CSS_SELECTOR, ".gateway-panel button")
    next(one for one in buttons if one.text.startswith(words)).click()


def test_the_twin_follows_the_editor_and_answers_the_same_customer(browser: Chrome, gateway: Gateway) -> None:
    customer_id = create_customer(gateway, lastName="Byron")
    open_playground(browser, gateway, {"X-API-Key": gateway.key}, query=ONE, variables=json.dumps({"id": customer_id}))
    press(browser, "Show REST twin")
    shown = wait_until_shown(browser, ".gateway-twin", "getCustomer")
    assert f"GET /api/v1/customers/{customer_id}?fields=lastName,email" in shown.replace("\n", "")
    assert f"curl '{gateway.url}/api/v1/customers/{customer_id}?fields=lastName,email'" in shown.replace("\n", "")
    assert gateway.key not in shown
    choose(browser, "Send it")
    assert '"lastName": "Byron"' in wait_until_shown(browser, ".gateway-sent", "200 OK")

    visible(browser, f"{QUERY} .view-lines").click()
    browser.switch_to.active_element.send_keys(Keys.CONTROL, "a", Keys.NULL, "{viewer{id")
    wait_until_shown(browser, ".gateway-twin", "/api/v1/viewer")
    assert_at_home_and_quiet(browser, gateway)


def test_a_pasted_request_becomes_an_operation_that_runs(browser: Chrome, gateway: Gateway) -> None:
    customer_id = create_customer(gateway, lastName="Quaid")
    open_page(browser, gateway, "/graphql")
    press(browser, "Show REST twin")
    field = visible(browser, "#gateway-rest")
    field.send_keys("/api/v1/nothing")
    wait_until_shown(browser, ".gateway-why", "No operation has the address")
    field.clear()
    change = f'curl -X PATCH -H \'If-Match: "v1-{customer_id[:8]}"\' -d \'{{"firstName": "Zoe"}}\' '
    field.send_keys(f"{change} {gateway.url}/api/v1/customers/{customer_id}")
    wait_until_shown(browser, ".gateway-from-rest", "mutation UpdateCustomer")
    choose(browser, "Open in a new tab")
    wait_for_text(browser, TOOL, customer_id)
    run(browser)
    wait_for_text(browser, ANSWER, '"firstName": "Zoe"')
    assert read_customer(gateway, customer_id)["firstName"] == "Zoe"
    wait_until_shown(browser, ".gateway-twin", "PATCH /api/v1/customers/")
    assert_at_home_and_quiet(browser, gateway)


def test_an_answer_tells_its_cost_and_the_remaining_budget(browser: Chrome, start_gateway: StartGateway) -> None:
    limited = start_gateway(rate_limit="600/minute")
    open_playground(browser, limited, {"X-API-Key": limited.key}, query="{ customers(first: 7) { nodes { id } } }")
    run(browser)
    facts = wait_until_shown(browser, ".gateway-facts", "Left").replace("\n", " ")
    assert "Status 200" in facts.replace(":", "")
    assert " of 3,000" in facts
    assert " of 600" in facts


def test_a_refusal_is_told_in_words_with_a_link_to_its_page(browser: Chrome, gateway: Gateway) -> None:
    customer_id = create_customer(gateway)
    mutation = """mutation Bad($id: ID!) {
      updateCustomer(id: $id, ifVersion: 1, patch: { firstName: "", email: "nobody" }) { id }
    }"""
    open_playground(
        browser, gateway, {"X-API-Key": gateway.key}, query=mutation, variables=json.dumps({"id": customer_id})
    )
    run(browser)
    told = wait_until_shown(browser, ".gateway-refusals", "Validation failed")
    assert "422" in told
    assert "firstName must not be blank" in told
    assert "email must be" in told
    link = visible(browser, ".gateway-refusals a").get_attribute("href") or ""
    assert link == f"{gateway.url}/problems/validation-error"
    assert gateway.http.get(link).status_code == 200
    assert_at_home_and_quiet(browser, gateway)


def stored(browser: Chrome, storage: str) -> str:
    """Everything in one of the browser's storages."""
    text: str = browser.execute_script(f"return JSON.stringify({storage})")
    return text


def test_a_key_stays_in_the_session_unless_a_person_asks(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/graphql")
    press(browser, "Show Credentials")
    visible(browser, "#gateway-key").send_keys("mine-and-secret", Keys.ENTER)
    show_headers(browser)
    assert demo_key(browser) not in wait_for_text(browser, TOOL, "mine-and-secret")
    wait_until_shown(browser, ".gateway-note", "Unauthorized")
    until(browser, lambda now: "mine-and-secret" in stored(now, "sessionStorage") or None, "the session has it")
    assert "mine-and-secret" not in stored(browser, "localStorage")
    keep = next(one for one in browser.find_elements(By.CSS_SELECTOR, ".gateway-check") if "Keep" in one.text)
    keep.click()
    assert "mine-and-secret" in stored(browser, "localStorage")
    keep.click()
    assert "mine-and-secret" not in stored(browser, "localStorage")
    press(browser, "New tab")
    assert "mine-and-secret" in wait_for_text(browser, TOOL, "mine-and-secret")


def new_client(gateway: Gateway) -> NewKey:
    """Make a key whose client id and secret are known."""

    async def make() -> NewKey:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            return await store.keys.create("browser", ("customers:read",), datetime.now(UTC), None)

    return asyncio.run(make())


def test_a_token_is_fetched_and_used(browser: Chrome, gateway: Gateway) -> None:
    made = new_client(gateway)
    open_playground(browser, gateway, query="{ viewer { name scopes } }")
    press(browser, "Show Credentials")
    visible(browser, "#gateway-client").send_keys(made.record.clientId)
    visible(browser, "#gateway-secret").send_keys(made.client_secret, Keys.ENTER)
    told = wait_until_shown(browser, ".gateway-note", "You are")
    assert "You are browser, with customers:read." in told
    show_headers(browser)
    headers = wait_for_text(browser, TOOL, "Bearer ")
    assert "X-API-Key" not in headers
    assert made.client_secret not in stored(browser, "sessionStorage") + stored(browser, "localStorage")
    run(browser)
    wait_for_text(browser, ANSWER, '"name": "browser"')
    assert_at_home_and_quiet(browser, gateway)


SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PALE = """
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  };
  const light = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const grounds = (one) => (one ? [...grounds(one.parentElement), getComputedStyle(one).backgroundColor] : []);
  return [...document.querySelectorAll('.gateway-panel *, .gateway-answer *')]
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((one) => one.checkVisibility())
    .filter((one) => {
      const ground = grounds(one);
      const [back, front] = [light(over(ground)), light(over([...ground, getComputedStyle(one).color]))];
      return (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05) < 4.5;
    })
    .map((one) => `${one.className} ${one.textContent}`.slice(0, 100));
"""
"""The texts of the panels whose contrast is under 4.5 (WCAG 2.2, 1.4.3)."""


def test_the_panels_can_be_read_in_both_schemes_and_their_fields_have_labels(browser: Chrome, gateway: Gateway) -> None:
    prefer(browser, "light")
    open_playground(browser, gateway, {"X-API-Key": gateway.key}, query="{ customer(id: 1) { nothing } }")
    run(browser)
    visible(browser, ".gateway-refusals")
    for panel in ("Examples", "REST twin", "Credentials"):
        for one in browser.find_elements(By.CSS_SELECTOR, f'button[aria-label="Show {panel}"]'):
            one.click()
        visible(browser, f'.gateway-panel[aria-label="{panel}"]')
        for scheme in SCHEMES:
            prefer(browser, scheme)
            assert browser.execute_script(PALE) == []
        fields = browser.find_elements(By.CSS_SELECTOR, ".gateway-panel :is(input, textarea)")
        assert fields
        assert all(one.accessible_name for one in fields)
