"""The playground: operations, tabs, headers, examples, the schema."""

import json
import uuid

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.person import (
    ANSWER,
    QUERY,
    READY,
    TOOL,
    Gateway,
    assert_at_home_and_quiet,
    choose_example,
    create_customer,
    demo_key,
    open_page,
    open_playground,
    press,
    read_customer,
    run,
    show_headers,
    shown,
    until,
    visible,
    wait_for_text,
    wait_until_shown,
)
from tests.harness import Gateway as Running
from tests.streams import events

pytestmark = pytest.mark.browser


def test_a_query_in_the_address_is_shown_and_run(browser: Chrome, gateway: Gateway) -> None:
    customer_id = create_customer(gateway, lastName="Byron")
    query = "query Asked($id: ID!) { customer(id: $id) { lastName version } }"
    open_playground(
        browser, gateway, {"X-API-Key": gateway.key}, query=query, variables=json.dumps({"id": customer_id})
    )
    assert "query Asked($id: ID!)" in wait_for_text(browser, QUERY, "query Asked")
    assert customer_id in wait_for_text(browser, TOOL, customer_id)
    run(browser)
    assert '"lastName": "Byron"' in wait_for_text(browser, ANSWER, "Byron")
    assert_at_home_and_quiet(browser, gateway)


def test_the_operation_that_the_address_names_is_the_one_that_runs(browser: Chrome, gateway: Gateway) -> None:
    query = "query First { first: __typename }\nquery Second { second: __typename }"
    open_playground(browser, gateway, {"X-API-Key": gateway.key}, query=query, operationName="Second")
    wait_for_text(browser, QUERY, "query Second")
    visible(browser, f"{QUERY} .graphiql-editor").click()
    until(
        browser,
        lambda now: "Second" in visible(now, ".graphiql-tab-active").text or None,
        "the tab is Second",
    )
    run(browser)
    chosen = until(browser, operation_choice, "the operations show")
    assert [one.text for one in chosen] == ["First", "Second"]
    chosen[1].click()
    assert '"second": "Query"' in wait_for_text(browser, ANSWER, "second")


def operation_choice(browser: Chrome) -> list[WebElement] | None:
    """The operations to choose from, once they show."""
    return browser.find_elements(By.CSS_SELECTOR, ".graphiql-dropdown-item") or None


def test_what_a_mutation_changes_is_seen_over_rest(browser: Chrome, gateway: Gateway) -> None:
    customer_id = create_customer(gateway, lastName="Byron")
    mutation = """mutation Rename($id: ID!) {
      updateCustomer(id: $id, patch: { lastName: "King" }, ifVersion: 1) { lastName version }
    }"""
    open_playground(
        browser,
        gateway,
        {"X-API-Key": gateway.key},
        query=mutation,
        variables=json.dumps({"id": customer_id}),
    )
    run(browser)
    wait_for_text(browser, ANSWER, "King")
    assert read_customer(gateway, customer_id)["lastName"] == "King"
    assert_at_home_and_quiet(browser, gateway)


WATCH = """subscription Watch($ids: [ID!], $after: ID) {
  customerChanged(ids: $ids, after: $after) { version changed customer { lastName } }
}"""
STRANGER = """
  const [url, done] = arguments;
  addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective), { once: true });
  new WebSocket(url);
"""
"""Opens a socket elsewhere, and gives what forbids it."""


def test_a_subscription_is_followed_at_both_doors_until_it_is_stopped(browser: Chrome, gateway: Running) -> None:
    with events(gateway.http) as stream:
        variables = {"ids": [create_customer(gateway)], "after": stream.first.id}
    key = {"X-API-Key": gateway.key}
    open_playground(browser, gateway, key, query=WATCH, variables=json.dumps(variables))
    run(browser)
    wait_until_shown(browser, ".gateway-facts", "Events\n1")
    gateway.http.patch(
        f"/api/v1/customers/{variables['ids'][0]}", json={"lastName": "Byron"}, headers={"If-Match": "*"}
    ).raise_for_status()
    assert '"version": 2' in wait_for_text(browser, ANSWER, '"lastName": "Byron"')
    facts = wait_until_shown(browser, ".gateway-facts", "Events\n2")
    assert "Subscription\nlistening" in facts

    press(browser, "Show REST twin")
    assert f"Last-Event-ID: {variables['after']}" in wait_until_shown(browser, ".gateway-twin", "curl -N")
    visible(browser, ".gateway-twin .gateway-buttons button").click()
    wait_until_shown(browser, ".gateway-sent", "event: customer.updated")
    visible(browser, ".gateway-twin .gateway-buttons button").click()
    run(browser)
    wait_until_shown(browser, ".gateway-facts", "stopped")
    until(browser, lambda _: open_streams(gateway) == 0 or None, "the gateway has no stream left")
    assert_at_home_and_quiet(browser, gateway)
    assert browser.execute_async_script(STRANGER, "ws://127.0.0.1:9/graphql") == "connect-src"


def open_streams(gateway: Running) -> float:
    """How many streams of events the gateway says are open."""
    lines = gateway.http.get("/metrics").text.splitlines()
    told = [float(line.split(" ")[1]) for line in lines if line.startswith("gateway_event_streams{")]
    assert told
    return sum(told)


def test_a_subscription_says_why_it_is_refused(browser: Chrome, gateway: Gateway) -> None:
    open_playground(browser, gateway, {"X-API-Key": gateway.key}, query=WATCH, variables='{"ids": ["1"]}')
    run(browser)
    assert "must be a UUID" in wait_until_shown(browser, ".gateway-refusals", "Identifier is not a UUID")
    assert_at_home_and_quiet(browser, gateway)
    open_playground(browser, gateway, {"X-API-Key": "wrong"}, query=WATCH)
    run(browser)
    assert "401" in wait_until_shown(browser, ".gateway-refusals", "Unauthorized")
    wait_for_text(browser, ANSWER, '"status": 401')


def test_headers_come_from_the_fragment_leave_the_address_and_outlive_a_reload(
    browser: Chrome, gateway: Gateway
) -> None:
    secret = "a+b/c=" + uuid.uuid4().hex
    open_playground(browser, gateway, {"X-API-Key": gateway.key, "X-Secret": secret}, query="{ __typename }")
    assert "#" not in browser.current_url
    assert "headers" not in browser.current_url
    show_headers(browser)
    wait_for_text(browser, TOOL, secret)

    browser.refresh()
    visible(browser, READY["/graphql"])
    show_headers(browser)
    wait_for_text(browser, TOOL, secret)
    wait_for_text(browser, QUERY, "__typename")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".graphiql-tab")) == 1
    assert [one for one in assert_at_home_and_quiet(browser, gateway) if "X-Secret" in one or secret in one] == []


def test_a_link_with_headers_is_taken_while_the_page_is_open(browser: Chrome, gateway: Gateway) -> None:
    open_playground(browser, gateway, query="{ __typename }")
    browser.execute_script("location.hash = 'headers=' + encodeURIComponent(JSON.stringify({'X-API-Key': 'another'}))")
    until(browser, lambda now: "#" not in now.current_url or None, "the headers leave the address")
    visible(browser, READY["/graphql"])
    show_headers(browser)
    wait_for_text(browser, TOOL, "another")


def test_the_address_is_emptied_once_the_operation_is_no_longer_what_it_says(browser: Chrome, gateway: Gateway) -> None:
    open_playground(browser, gateway, query="query Shared { __typename }")
    wait_for_text(browser, QUERY, "query Shared")
    visible(browser, f"{QUERY} .view-lines").click()
    ActionChains(browser).send_keys(Keys.END, "# changed").perform()
    until(browser, lambda now: now.current_url == f"{gateway.url}/graphql" or None, "the address is emptied")


def test_the_demo_key_is_there_and_works_at_once(browser: Chrome, gateway: Gateway) -> None:
    create_customer(gateway)
    open_page(browser, gateway, "/graphql")
    show_headers(browser)
    assert "X-API-Key" in wait_for_text(browser, TOOL, demo_key(browser))
    run(browser)
    wait_for_text(browser, ANSWER, '"data"')
    assert "errors" not in shown(browser, ANSWER)
    assert_at_home_and_quiet(browser, gateway)


def test_a_new_demo_key_takes_the_place_of_an_old_one_that_was_kept(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/graphql")
    key = demo_key(browser)
    browser.execute_script(
        """
        localStorage.setItem('gateway:demo-key', 'yesterday');
        const tabs = sessionStorage.getItem('graphiql:tabState');
        sessionStorage.setItem('graphiql:tabState', tabs.replaceAll(arguments[0], 'yesterday'));
        """,
        key,
    )
    browser.refresh()
    visible(browser, READY["/graphql"])
    show_headers(browser)
    wait_for_text(browser, TOOL, key)


def test_given_headers_are_not_mixed_with_the_demo_key(browser: Chrome, gateway: Gateway) -> None:
    open_playground(browser, gateway, {"Authorization": "Bearer mine"}, query="{ __typename }")
    show_headers(browser)
    assert "X-API-Key" not in wait_for_text(browser, TOOL, "Bearer mine")


def test_an_example_opens_in_a_tab_with_the_customer_seen_last(browser: Chrome, gateway: Gateway) -> None:
    customer_id = create_customer(gateway, lastName="Byron")
    query = "query Asked($id: ID!) { customer(id: $id) { id version } }"
    open_playground(
        browser, gateway, {"X-API-Key": gateway.key}, query=query, variables=json.dumps({"id": customer_id})
    )
    run(browser)
    wait_for_text(browser, ANSWER, customer_id)
    choose_example(browser, "Change parts of a customer")
    until(
        browser,
        lambda now: "UpdateCustomer" in visible(now, ".graphiql-tab-active").text or None,
        "a tab opens",
    )
    wait_for_text(browser, TOOL, customer_id)
    run(browser)
    wait_for_text(browser, ANSWER, "Rieger")
    assert read_customer(gateway, customer_id)["lastName"] == "Rieger"
    assert_at_home_and_quiet(browser, gateway)


def test_examples_are_found_by_their_words(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/graphql")
    visible(browser, 'input[aria-label="Find an example"]').send_keys("phone")
    titles = [one.text for one in browser.find_elements(By.CSS_SELECTOR, ".gateway-examples button")]
    assert "Add a phone number" in titles
    assert "Add an address" not in titles


def test_the_explorer_and_the_schema_open(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/graphql")
    press(browser, "Show GraphiQL Explorer")
    explorer = until(
        browser,
        lambda now: next(
            (one for one in now.find_elements(By.CSS_SELECTOR, ".graphiql-explorer-root") if one.text), None
        ),
        "the explorer shows fields",
    )
    until(browser, lambda _: "customerByEmail" in explorer.text or None, "the explorer knows the schema")
    press(browser, "Show Documentation Explorer")
    panel = visible(browser, ".graphiql-doc-explorer")
    until(browser, lambda _: "CustomerConnection" in panel.text or None, "the schema is documented")
    assert_at_home_and_quiet(browser, gateway)


def test_prettifying_needs_nothing_from_elsewhere(browser: Chrome, gateway: Gateway) -> None:
    open_playground(browser, gateway, query="query   Wide{__typename}")
    wait_for_text(browser, QUERY, "Wide")
    press(browser, "Prettify query")
    wait_for_text(browser, QUERY, "query Wide {")
    assert_at_home_and_quiet(browser, gateway)
