"""What a person does in a browser, and what a browser shows."""

import json
import re
import uuid
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode

import requests
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

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
    """Wait for a condition to give something, or fail with the promise that was not kept.

    What the page replaces while it is looked at is looked at again.
    """
    replaced = (StaleElementReferenceException,)
    found = WebDriverWait(browser, PATIENCE, 0.05, ignored_exceptions=replaced).until(condition, promise)
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


def wait_until_shown(browser: Chrome, selector: str, words: str) -> str:
    """Wait until an element has some words, and return all its text."""

    def look(now: Chrome) -> str | None:
        text = " ".join(one.text for one in now.find_elements(By.CSS_SELECTOR, selector))
        return text if words in text else None

    return until(browser, look, f"{selector} has {words}")


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


def choose_example(browser: Chrome, title: str) -> None:
    """Press the example of this title in the panel of examples, which is open at the first visit."""
    buttons = until(
        browser,
        lambda now: now.find_elements(By.CSS_SELECTOR, ".gateway-examples button") or None,
        "examples show",
    )
    next(one for one in buttons if one.text == title).click()
