"""The home page, the REST documentation, and what all pages have in common."""

import re
from urllib.parse import urljoin

import pytest
import requests
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from tests.browser.person import (
    PAGES,
    PATIENCE,
    Gateway,
    assert_at_home_and_quiet,
    create_customer,
    open_page,
    prefer,
    until,
    visible,
)

pytestmark = pytest.mark.browser


def test_the_rest_documentation_shows_operations_and_tries_one_with_the_demo_key(
    browser: Chrome, gateway: Gateway
) -> None:
    create_customer(gateway)
    open_page(browser, gateway, "/docs")
    until(
        browser,
        lambda now: len(now.find_elements(By.CSS_SELECTOR, ".opblock")) >= 5 or None,
        "operations show",
    )
    path = next(
        one
        for one in browser.find_elements(By.CSS_SELECTOR, ".opblock-get .opblock-summary-path")
        if one.get_attribute("data-path") == "/api/v1/customers"
    )
    path.find_element(By.XPATH, "./ancestor::button").click()
    execute = visible(browser, ".opblock-get .execute")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", execute)
    execute.click()
    status = visible(browser, ".live-responses-table tbody .response-col_status")
    assert status.text.startswith("200")
    assert_at_home_and_quiet(browser, gateway)


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
