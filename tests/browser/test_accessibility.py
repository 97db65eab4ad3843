"""What those meet who use no mouse, cannot see the screen, or have a small one; axe-core judges names and colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from tests.browser.person import (
    QUERY,
    Gateway,
    Scheme,
    choose_example,
    open_page,
    open_playground,
    prefer,
    press,
    run,
    shown,
    until,
    visible,
    wait_for_text,
)
from tests.browser.test_pages import execute, unfold

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "judges/node_modules/axe-core/axe.min.js"
ASK = """
  const [rules, done] = arguments;
  axe.run({ exclude: ['.monaco-editor'] }, { resultTypes: ['violations'], rules }).then(({ violations }) =>
    done(violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => [id, node.target.join(' '), node.html.slice(0, 160)]))));
"""
EXPLAINED = (
    ("nested-interactive", "graphiql-tab"),  # GraphiQL: a tab is a list item with its buttons inside
    ("label-content-name-mismatch", "graphiql-history-item-label"),  # GraphiQL: "Set active"
    ("aria-allowed-role", 'id="operations"'),  # a group, where Swagger UI has a second main
    ("heading-order", "<h4"),  # Swagger UI: the kinds of credentials
    ("landmark-unique", "md-"),  # Material: a table of contents at the side and one in the drawer
    ("region", "md-toggle"),  # Material: switches that are not seen
    ("region", "md-top"),
)
"""What is not ours and does no harm: the rule, and words of the element."""

OFF = {"scrollable-region-focusable": {"enabled": False}}
"""Browsers let the keyboard scroll what scrolls."""


def violations(browser: Chrome) -> list[Any]:
    """What axe-core finds on the page as it is now, without what is explained."""
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(ASK, OFF)
    return [one for one in found if not any(one[0] == rule and words in " ".join(one) for rule, words in EXPLAINED)]


SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/", ""),
        ("/docs", ""),
        ("/problems", "main"),
        ("/problems/validation-error", "main"),
        ("/guide/tasks.html", ".md-content"),
    ],
)
def test_axe_finds_nothing_on_a_page(browser: Chrome, gateway: Gateway, path: str, ready: str, scheme: Scheme) -> None:
    prefer(browser, scheme)
    open_page(browser, gateway, path, ready)
    until(browser, lambda now: violations(now) == [] or None, f"nothing is found, but {violations(browser)}")


PANELS = ("Documentation Explorer", "Examples", "REST twin", "GraphiQL Explorer", "History", "Credentials")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_in_the_playground_and_its_panels(browser: Chrome, gateway: Gateway, scheme: Scheme) -> None:
    prefer(browser, scheme)
    open_playground(browser, gateway, {"X-API-Key": gateway.key}, query="{ customer(id: 1) { nothing } }")
    run(browser)
    visible(browser, ".gateway-refusals")
    for panel in PANELS:
        if browser.find_elements(By.CSS_SELECTOR, f'button[aria-label="Show {panel}"]'):
            press(browser, f"Show {panel}")
        assert violations(browser) == [], panel


def test_escape_closes_a_panel_and_leaves_the_keyboard_where_it_was_opened(browser: Chrome, gateway: Gateway) -> None:
    open_page(browser, gateway, "/graphql")
    press(browser, "Show REST twin")
    visible(browser, "#gateway-rest").send_keys(Keys.ESCAPE)
    until(browser, lambda now: not now.find_elements(By.CSS_SELECTOR, ".gateway-panel") or None, "the panel closes")
    assert browser.switch_to.active_element.accessible_name == "Show REST twin"

    browser.switch_to.active_element.send_keys(Keys.ENTER)
    visible(browser, ".gateway-panel")
    press(browser, "Show Examples")
    search = visible(browser, ".gateway-panel input")
    search.send_keys("phone", Keys.ESCAPE)
    until(browser, lambda _: search.get_attribute("value") == "" or None, "the field is emptied first")
    visible(browser, ".gateway-panel").find_element(By.TAG_NAME, "input").send_keys(Keys.ESCAPE)
    until(browser, lambda now: not now.find_elements(By.CSS_SELECTOR, ".gateway-panel") or None, "the panel closes")


def test_the_editors_say_how_the_keyboard_leaves_them_and_it_does(browser: Chrome, gateway: Gateway) -> None:
    open_playground(browser, gateway, query="{ __typename }")
    visible(browser, f"{QUERY} .view-lines").click()
    editor = browser.switch_to.active_element
    assert editor.accessible_name == "Operation. Control-M, then Tab, leaves the editor"
    ActionChains(browser).key_down(Keys.CONTROL).send_keys("m").key_up(Keys.CONTROL).send_keys(Keys.TAB).perform()
    assert browser.switch_to.active_element != editor
    assert "__typename }" in shown(browser, QUERY)


NARROW = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
OUTSIDE = """
  return [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility())
    .map((one) => one.getBoundingClientRect()).filter(({ left, right }) => left < 0 || right > 390.5).length;
"""


def test_on_a_telephone_a_panel_has_room_and_goes_when_an_example_is_chosen(browser: Chrome, gateway: Gateway) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", NARROW)
    open_playground(browser, gateway, {"X-API-Key": gateway.key}, query="{ viewer { id } }")
    press(browser, "Show Examples")
    assert visible(browser, ".graphiql-plugin").size["width"] > 300
    choose_example(browser, "Get one customer")
    wait_for_text(browser, QUERY, "query GetCustomer")
    assert visible(browser, QUERY).size["width"] > 300
    run(browser)  # nothing lies over the button
    press(browser, "Open settings dialog")
    visible(browser, ".graphiql-dialog")
    assert browser.execute_script(OUTSIDE, ".graphiql-dialog, .graphiql-dialog button") == 0


def test_the_rest_documentation_shows_the_parameters_of_an_address_and_reads_what_was_created(
    browser: Chrome, gateway: Gateway
) -> None:
    open_page(browser, gateway, "/docs")
    _, answer = execute(browser, unfold(browser, "Customers-createCustomer"))
    assert answer[:3] == "201"
    created = json.loads(answer[answer.index("{") : answer.index("}\nResponse headers") + 1])
    block = unfold(browser, "Customers-getCustomer")
    field = visible(browser, f"{block} [data-param-name='customerId'] input")
    field.clear()
    field.send_keys(created["id"], Keys.TAB)
    command, answer = execute(browser, block)
    assert f"/api/v1/customers/{created['id']}'" in command
    assert answer[:3] == "200"
