"""What a person does in a browser: the playground, the REST documentation, the home page."""

import json
import re
import uuid
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode, urljoin

import pytest
import requests
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.harness import Gateway as Running
from tests.harness import make_new_key

pytestmark = pytest.mark.browser

PATIENCE = 20
"""Seconds until a thing that does not show on a page counts as missing."""

PAGES = ("/", "/graphql", "/docs")
READY = {"/": ".gateway-page h1", "/graphql": ".graphiql-response .monaco-editor", "/docs": ".opblock"}
"""What shows on each page once it is whole."""

Found = TypeVar("Found")
Scheme = Literal["light", "dark"]


class Gateway(Protocol):
    """A running gateway in development mode."""

    url: str
    key: str


def create_customer(gateway: Gateway, **changes: object) -> str:
    """Create a customer over REST and return its id."""
    customer = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": f"{uuid.uuid4()}@example.com",
        "addresses": [
            {
                "type": "home",
                "street1": "Unter den Linden 5",
                "city": "Berlin",
                "state": "BE",
                "postalCode": "10117",
                "country": "DE",
            }
        ],
        "phoneNumbers": [{"type": "mobile", "countryCode": "+49", "number": "3012345678"}],
        "notificationPreferences": {"email": True, "sms": False, "push": False, "mail": True},
    }
    answer = requests.post(
        f"{gateway.url}/api/v1/customers",
        json=customer | changes,
        headers={"X-API-Key": gateway.key},
        timeout=PATIENCE,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def read_customer(gateway: Gateway, customer_id: str) -> dict[str, object]:
    """Read a customer over REST."""
    answer = requests.get(
        f"{gateway.url}/api/v1/customers/{customer_id}", headers={"X-API-Key": gateway.key}, timeout=PATIENCE
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def until(browser: Chrome, condition: Callable[[Chrome], Found | None], promise: str) -> Found:
    """Wait for a condition to give something, or fail with the promise that was not kept."""
    found = WebDriverWait(browser, PATIENCE, poll_frequency=0.05).until(condition, promise)
    assert found is not None
    return found


def visible(browser: Chrome, selector: str) -> WebElement:
    """Wait for the first element of a selector that can be seen."""

    def look(now: Chrome) -> WebElement | None:
        return next((one for one in now.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()), None)

    return until(browser, look, f"{selector} shows")


def open_page(browser: Chrome, gateway: Gateway, path: str, ready: str = "") -> None:
    """Open a page and wait until it is whole."""
    browser.get(gateway.url + path)
    visible(browser, ready or READY[re.split(r"[?#]", path)[0]])


def open_playground(
    browser: Chrome, gateway: Gateway, headers: dict[str, str] | None = None, **parameters: str
) -> None:
    """Open the playground with an operation in the address and headers in its fragment."""
    fragment = f"#headers={quote(json.dumps(headers))}" if headers else ""
    open_page(browser, gateway, f"/graphql?{urlencode(parameters)}{fragment}")


def shown(browser: Chrome, selector: str) -> str:
    """The text an editor shows, in the order of its lines, with plain blanks."""
    script = """
        return [...document.querySelectorAll(arguments[0] + ' .view-line')]
          .filter((one) => one.checkVisibility())
          .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
          .map((one) => one.textContent)
          .join('\\n');
    """
    text: str = browser.execute_script(script, selector)
    return text.replace("\xa0", " ").replace("\u200c", "")


def wait_for_text(browser: Chrome, selector: str, words: str) -> str:
    """Wait until an editor shows some words, and return all it shows."""

    def look(now: Chrome) -> str | None:
        text = shown(now, selector)
        return text if words in text else None

    return until(browser, look, f"{selector} shows {words}")


ANSWER = ".graphiql-response"
QUERY = ".graphiql-query-editor"
TOOL = ".graphiql-editor-tool"


def run(browser: Chrome) -> None:
    """Press the button that runs the operation."""
    visible(browser, ".graphiql-execute-button").click()


def press(browser: Chrome, label: str) -> None:
    """Press the button of this label."""
    visible(browser, f'button[aria-label^="{label}"]').click()


def show_headers(browser: Chrome) -> None:
    """Turn to the headers of the present tab."""
    visible(browser, 'button[data-name="headers"]').click()


def demo_key(browser: Chrome) -> str:
    """The demo key that the server put into the page."""
    key = browser.find_element(By.CSS_SELECTOR, 'meta[name="gateway-demo-key"]').get_attribute("content")
    assert key
    return key


def requested(browser: Chrome) -> list[str]:
    """What pages have asked for since the last look, without the browser's own first tab."""
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))  # type: ignore[no-untyped-call]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent" and not event["params"]["documentURL"].startswith("chrome")
    ]


def assert_at_home_and_quiet(browser: Chrome, gateway: Gateway) -> list[str]:
    """No request left the origin, nothing was refused, and the console has no error."""
    asked = requested(browser)
    assert asked
    assert [one for one in asked if not one.startswith((gateway.url + "/", "data:", "blob:"))] == []
    console = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert [entry["message"] for entry in console if entry["level"] == "SEVERE"] == []
    return asked


def prefer(browser: Chrome, scheme: Scheme) -> None:
    """Make the browser one of a person who prefers a light or dark screen."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


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
        const tabs = localStorage.getItem('graphiql:tabState');
        localStorage.setItem('graphiql:tabState', tabs.replaceAll(arguments[0], 'yesterday'));
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
    choose_example(browser, "Update some fields")
    until(
        browser,
        lambda now: "UpdateCustomer" in visible(now, ".graphiql-tab-active").text or None,
        "a tab opens",
    )
    wait_for_text(browser, TOOL, customer_id)
    run(browser)
    wait_for_text(browser, ANSWER, "Augusta")
    assert read_customer(gateway, customer_id)["firstName"] == "Augusta"
    assert_at_home_and_quiet(browser, gateway)


def choose_example(browser: Chrome, title: str) -> None:
    """Press the example of this title in the panel of examples, which is open at the first visit."""
    buttons = until(
        browser,
        lambda now: now.find_elements(By.CSS_SELECTOR, ".gateway-examples button") or None,
        "examples show",
    )
    next(one for one in buttons if one.text == title).click()


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


def test_the_credentials_panel_writes_the_key_into_the_headers(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/graphql")
    press(browser, "Show Credentials")
    visible(browser, "#gateway-key").send_keys("mine", Keys.ENTER)
    show_headers(browser)
    headers = wait_for_text(browser, TOOL, "mine")
    assert demo_key(browser) not in headers
    press(browser, "New tab")
    assert "mine" in wait_for_text(browser, TOOL, "mine")


def test_prettifying_needs_nothing_from_elsewhere(browser: Chrome, gateway: Gateway) -> None:
    open_playground(browser, gateway, query="query   Wide{__typename}")
    wait_for_text(browser, QUERY, "Wide")
    press(browser, "Prettify query")
    wait_for_text(browser, QUERY, "query Wide {")
    assert_at_home_and_quiet(browser, gateway)


def unfold(browser: Chrome, operation: str) -> str:
    """Open an operation of the REST documentation, and return where it is."""
    block = f"#operations-{operation}"
    browser.execute_script("arguments[0].click()", visible(browser, f"{block} .opblock-summary-control"))
    return block


def execute(browser: Chrome, block: str) -> tuple[str, str]:
    """Try an operation, and return the command that does the same, and its status and answer."""
    browser.execute_script("arguments[0].click()", visible(browser, f"{block} .execute"))
    answer = visible(browser, f"{block} .live-responses-table tbody")
    return visible(browser, f"{block} .curl").text, answer.text


def test_the_rest_documentation_tries_operations_with_the_demo_key_and_with_client_credentials(
    browser: Chrome, gateway: Running
) -> None:
    create_customer(gateway)
    open_page(browser, gateway, "/docs")
    command, answer = execute(browser, unfold(browser, "Customers-listCustomers"))
    assert (answer[:3], gateway.key in command, "?" in command) == ("200", True, False)

    key = make_new_key(gateway.store_url, gateway.database, ("customers:read",))
    visible(browser, ".btn.authorize").click()
    press_in(browser, 0, "Logout")
    visible(browser, "#client_id_clientCredentials").send_keys(key.record.clientId)
    visible(browser, "#client_secret_clientCredentials").send_keys(key.client_secret, Keys.TAB)
    ActionChains(browser).send_keys(Keys.SPACE).perform()  # the first scope, from the keyboard
    press_in(browser, -1, "Authorize")
    until(browser, lambda now: "Logout" in boxes(now)[-1].text or None, "the token is there")
    visible(browser, ".close-modal").click()
    block = unfold(browser, "Viewer-getViewer")
    Select(visible(browser, f"{block} .response-control-media-type select")).select_by_visible_text(
        "application/json;profile=enveloped"
    )
    command, answer = execute(browser, block)
    assert ("Authorization: Bearer " in command, gateway.key in command) == (True, False)
    assert answer[:3] == "200"
    assert '"viewer"' in answer
    assert key.record.id in answer
    assert_at_home_and_quiet(browser, gateway)


def boxes(browser: Chrome) -> list[WebElement]:
    """The kinds of credentials that the REST documentation takes, in the order of OpenAPI."""
    return browser.find_elements(By.CSS_SELECTOR, ".auth-container")


def press_in(browser: Chrome, box: int, label: str) -> None:
    """Press a button of one kind of credentials."""
    boxes(browser)[box].find_element(By.XPATH, f".//button[text()='{label}']").click()


CONTRAST = """
  const brightness = (colour) => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).map(Number).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' && one.parentElement ? behind(one.parentElement) : colour;
  };
  return [...document.querySelectorAll('#main *')]
    .filter((one) => one.checkVisibility() && !['OPTION', 'STYLE'].includes(one.tagName))
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((one) => [brightness(getComputedStyle(one).color), brightness(behind(one)), one])
    .filter(([front, back]) => (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05) < 4.5)
    .map(([, , one]) => `${one.className} ${one.textContent.slice(0, 40)}`);
"""
"""Texts whose contrast to what is behind them is below 4.5 (WCAG 2.2, 1.4.3)."""


def test_all_text_of_the_rest_documentation_can_be_read(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/docs")
    visible(browser, f"{unfold(browser, 'Customers-replaceCustomer')} .execute")
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        prefer(browser, scheme)
        visible(browser, "html.dark-mode" if scheme == "dark" else "html:not(.dark-mode)")
        assert browser.execute_script(CONTRAST) == [], scheme


def test_every_link_of_the_home_page_leads_somewhere(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/")
    links = {one.get_attribute("href") or "" for one in browser.find_elements(By.CSS_SELECTOR, "a[href]")}
    links = {link for link in links if "#" not in link}
    wanted = ("/graphql", "/docs", "/openapi.json", "/schemas/customer.json", "/problems", "/health/ready")
    assert {urljoin(gateway.url, path) for path in wanted} <= links
    for link in sorted(links):
        assert link.startswith(gateway.url)
        assert requests.get(link, headers={"Accept": "text/html,*/*"}, timeout=PATIENCE).status_code == 200, link
    assert_at_home_and_quiet(browser, gateway)


def test_the_home_page_gives_a_command_that_works_as_it_stands(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/")
    command = visible(browser, "#curl-rest").text
    key, address = re.findall(r'"([^"]+)"', command)
    name, value = key.split(": ")
    assert address.startswith(gateway.url)
    assert requests.get(address, headers={name: value}, timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_follows_the_preferred_scheme_quietly(
    browser: Chrome, gateway: Gateway, path: str, scheme: Scheme
) -> None:
    prefer(browser, scheme)
    open_page(browser, gateway, path)
    background: str = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3
    assert brightness < 60 if scheme == "dark" else brightness > 200
    assert_at_home_and_quiet(browser, gateway)


@pytest.mark.parametrize("path", PAGES)
def test_each_page_can_be_used_from_the_keyboard(browser: Chrome, gateway: Gateway, path: str) -> None:
    open_page(browser, gateway, path)
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    assert browser.title.endswith("Customer Gateway")
    current = browser.find_elements(By.CSS_SELECTOR, 'nav [aria-current="page"]')
    assert [one.get_attribute("href") for one in current] == [gateway.url + path]

    browser.execute_script("document.activeElement.blur()")
    ActionChains(browser).send_keys(Keys.TAB).perform()
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the content"
    assert browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", skip) != "none"
    skip.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"


@pytest.mark.parametrize("path", PAGES)
def test_each_button_has_a_name(browser: Chrome, gateway: Gateway, path: str) -> None:
    open_page(browser, gateway, path)
    nameless = browser.execute_script(
        """
        return [...document.querySelectorAll('button, input:not([type=hidden]), select')]
          .filter((one) => one.checkVisibility() && !one.closest('.monaco-editor'))
          .filter((one) => !(one.innerText || one.ariaLabel || one.getAttribute('aria-labelledby')))
          .filter((one) => !(one.title || one.placeholder || one.labels?.length))
          .map((one) => one.outerHTML.slice(0, 200));
        """
    )
    assert nameless == []


def test_the_pages_fit_a_telephone(browser: Chrome, gateway: Gateway) -> None:
    screen = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    for path in PAGES:
        open_page(browser, gateway, path)
        width: int = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= 400, path
