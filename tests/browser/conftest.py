"""A real Chromium, new to each test that asks for it."""

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.harness import Gateway

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,800",
)


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """The paths of Chromium and its driver; without them browser tests fail: a suite that is left out looks green."""
    found = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if found[0] is None or found[1] is None:
        missing = "Chromium" if found[0] is None else "chromedriver"
        pytest.fail(f"{missing} is not installed (Debian: apt-get install chromium chromium-driver)")
    return found[0], found[1]


@pytest.fixture(scope="session")
def chrome(chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests; it notes requests and its console."""
    options = ChromeOptions()
    options.binary_location = chromium[0]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    with pytest.MonkeyPatch.context() as environment:
        # Selenium would otherwise look for a driver on the network, and tell its makers that it was used.
        environment.setenv("SE_OFFLINE", "true")
        environment.setenv("SE_AVOID_STATS", "true")
        driver = Chrome(options=options, service=Service(chromium[1], log_output=os.devnull))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser(chrome: Chrome, gateway: Gateway) -> Chrome:
    """The browser as one that has never been here: a new tab, nothing stored; only built files may be cached."""
    old = chrome.window_handles
    chrome.switch_to.new_window("tab")
    new = chrome.current_window_handle
    for handle in old:
        chrome.switch_to.window(handle)
        chrome.close()
    chrome.switch_to.window(new)
    chrome.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": gateway.url, "storageTypes": "local_storage"})
    for name in ("performance", "browser"):
        chrome.get_log(name)  # type: ignore[no-untyped-call]
    return chrome
