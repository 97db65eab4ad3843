"""The home page, the REST documentation, and what all pages have in common."""

import re
from contextlib import suppress
from urllib.parse import urljoin

import pytest
import requests
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.browser.person import (
    PAGES,
    PATIENCE,
    Gateway,
    Scheme,
    assert_at_home_and_quiet,
    create_customer,
    open_page,
    prefer,
    until,
    visible,
)
from tests.harness import Gateway as Running
from tests.harness import make_new_key

pytestmark = pytest.mark.browser


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
        with suppress(TimeoutException):  # colours change gradually
            until(browser, lambda now: now.execute_script(CONTRAST) == [] or None, "text that can be read")
        assert browser.execute_script(CONTRAST) == [], scheme


def test_every_link_of_the_home_page_leads_somewhere(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/")
    links = {one.get_attribute("href") or "" for one in browser.find_elements(By.CSS_SELECTOR, "a[href]")}
    links = {link for link in links if "#" not in link}
    wanted = ("/graphql", "/docs", "/guide", "/openapi.json", "/schemas/customer.json", "/problems", "/health/ready")
    assert {urljoin(gateway.url, path) for path in wanted} <= links
    for link in sorted(links):
        assert link.startswith(gateway.url)
        assert requests.get(link, headers={"Accept": "text/html,*/*"}, timeout=PATIENCE).status_code == 200, link
    assert_at_home_and_quiet(browser, gateway)


def test_the_guide_is_found_searched_and_read_in_the_dark(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/")
    visible(browser, ".gateway-card a[href='/guide']").click()
    until(browser, lambda now: now.current_url.endswith("/guide/index.html") or None, "the guide opens")
    visible(browser, "input.md-search__input").send_keys("erase a customer")
    visible(browser, "a.md-search-result__link[href*='tasks.html']").click()
    until(browser, lambda now: "/guide/tasks.html" in now.current_url or None, "the page that was found")
    visible(browser, "label.md-header__button[title='Dark']").click()
    visible(browser, "body[data-md-color-scheme='slate']")
    assert_at_home_and_quiet(browser, gateway)


def test_a_page_of_the_guide_looks_the_same_when_it_is_opened_again(browser: Chrome, gateway: Gateway) -> None:
    for _ in range(2):
        open_page(browser, gateway, "/guide/start.html", "label.md-header__button")
        assert_at_home_and_quiet(browser, gateway)


def test_the_guide_follows_the_scheme_of_the_system_after_the_first_visit_too_and_leads_home(
    browser: Chrome, gateway: Gateway
) -> None:
    start, chooser = "/guide/start.html", "label.md-header__button[title='Dark']"
    prefer(browser, "light")
    open_page(browser, gateway, start, chooser)
    assert brightness(browser) > 200
    prefer(browser, "dark")
    open_page(browser, gateway, start, chooser)
    until(browser, lambda now: brightness(now) < 60 or None, "the page is dark")
    visible(browser, "header a.md-logo").click()
    visible(browser, ".gateway-card a[href='/guide']")


def test_an_operation_of_the_rest_documentation_fits_a_telephone(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/docs")
    visible(browser, f"{unfold(browser, 'Customers-createCustomer')} .responses-table .operation-link")
    check_telephone(browser)


def test_the_examples_of_the_rest_documentation_are_of_the_gateway_that_shows_it(
    browser: Chrome, gateway: Gateway
) -> None:
    open_page(browser, gateway, "/docs")
    assert f'"{gateway.url}/api/v1/customers?city=Berlin' in visible(browser, ".info .renderedMarkdown pre").text
    assert "api.example.com" not in visible(browser, "#main").text


def test_the_home_page_gives_a_command_that_works_as_it_stands(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/")
    command = visible(browser, "#curl-rest").text
    key, address = re.findall(r'"([^"]+)"', command)
    name, value = key.split(": ")
    assert address.startswith(gateway.url)
    assert requests.get(address, headers={name: value}, timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_each_page_has_names_is_used_from_the_keyboard_follows_the_scheme_and_fits_a_telephone(
    browser: Chrome, gateway: Gateway, path: str
) -> None:
    prefer(browser, "light")
    open_page(browser, gateway, path)
    check_keyboard(browser, gateway.url + path)
    check_names(browser)
    assert brightness(browser) > 200
    prefer(browser, "dark")
    until(browser, lambda now: brightness(now) < 60 or None, "the page turns dark")
    check_telephone(browser)
    assert_at_home_and_quiet(browser, gateway)


def brightness(browser: Chrome) -> float:
    """How bright the ground of the page is, of 255."""
    background: str = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3


def check_keyboard(browser: Chrome, address: str) -> None:
    """The page says what it is, and the first press of Tab offers to skip to its content."""
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    assert browser.title.endswith("Customer Gateway")
    current = browser.find_elements(By.CSS_SELECTOR, 'nav [aria-current="page"]')
    assert [one.get_attribute("href") for one in current] == [address]

    browser.execute_script("document.activeElement.blur()")
    ActionChains(browser).send_keys(Keys.TAB).perform()
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the content"
    assert browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", skip) != "none"
    skip.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"


def check_names(browser: Chrome) -> None:
    """Each control has a name."""
    nameless = browser.execute_script(
        """
        return [...document.querySelectorAll('button, input:not([type=hidden]), select, textarea')]
          .filter((one) => one.checkVisibility() && !one.closest('.monaco-editor'))
          .filter((one) => !(one.innerText || one.ariaLabel || one.getAttribute('aria-labelledby')))
          .filter((one) => !(one.title || one.placeholder || one.labels?.length))
          .map((one) => one.outerHTML.slice(0, 200));
        """
    )
    assert nameless == []


def check_telephone(browser: Chrome) -> None:
    """Nothing stands beyond the right edge of a narrow screen."""
    screen = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    width: int = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= 400
