"""A page in headless Chromium, by selenium and the chromedriver that is installed.

What WebDriver has no words for goes through the DevTools protocol: the width of a telephone, the
colours of a system, and pictures of a whole page. Requests and the console are read from
chromedriver's logs.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

#: What keeps a browser to the page that it is given.
QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@dataclass(frozen=True)
class Page:
    """An open browser with one page.

    Attributes:
        driver: of the browser.
    """

    driver: Chrome

    @property
    def versions(self) -> str:
        """Those of browser and driver, in words."""
        known = self.driver.capabilities
        own = known["chrome"]["chromedriverVersion"].split()[0]
        return f"Chromium {known['browserVersion']}, chromedriver {own}"

    def open(self, path: Path) -> str:
        """Open a file, and return its address."""
        address = path.resolve().as_uri()
        self.driver.get(address)
        return address

    def width(self, width: int, height: int, *, is_telephone: bool) -> None:
        """Show the page so many CSS pixels wide; telephones have two dots a pixel."""
        screen = {"width": width, "height": height, "mobile": is_telephone}
        screen["deviceScaleFactor"] = 2 if is_telephone else 1
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def colours(self, scheme: str) -> None:
        """Show the page as in a `light` or `dark` system."""
        preferred = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preferred]})

    def script(self, source: str) -> Any:
        """Return what the body of a JavaScript function returns."""
        return self.driver.execute_script(source)

    def requests(self) -> list[str]:
        """Return the addresses asked for since the last call."""
        entries = self.driver.get_log("performance")
        messages = (json.loads(entry["message"])["message"] for entry in entries)
        return [
            m["params"]["request"]["url"]
            for m in messages
            if m["method"] == "Network.requestWillBeSent"
        ]

    def console(self) -> list[str]:
        """Return what was written to the console since the last call."""
        return [f"{e['level']}: {e['message']}" for e in self.driver.get_log("browser")]

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        whole = {"format": "png", "captureBeyondViewport": True}
        told = self.driver.execute_cdp_cmd("Page.captureScreenshot", whole)
        return base64.b64decode(told["data"])


@contextmanager
def browser(chromium: str, chromedriver: str) -> Iterator[Page]:
    """Start a browser with a profile of its own; it ends with the context.

    As the driver is named, selenium looks for none and downloads none.

    Args:
        chromium: path of the program.
        chromedriver: path of that of the same version.

    Raises:
        selenium.common.exceptions.WebDriverException: one of them does not start.
    """
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in QUIET:
        options.add_argument(argument)
    if getattr(os, "geteuid", lambda: 1)() == 0:
        # Chromium refuses to start as the administrator with its sandbox.
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    # The driver listens on this machine, for which a proxy of the environment is not.
    with (
        patch.dict(os.environ, no_proxy="localhost"),
        Chrome(options, ChromeService(chromedriver)) as driver,
    ):
        yield Page(driver)
