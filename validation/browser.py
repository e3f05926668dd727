"""A page in headless Chromium, by the WebDriver protocol of its own chromedriver.

No package is needed: requests are JSON over HTTP on this machine (W3C, "WebDriver"; commands of
the DevTools protocol go through `goog/cdp/execute`, which chromedriver adds).
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

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
#: Longest that one command may take, in seconds.
LIMIT_S = 60.0


class BrowserError(RuntimeError):
    """The browser does not start, or does not do what it is told."""


@dataclass(frozen=True)
class Page:
    """An open browser with one page.

    Attributes:
        address: of the session.
        versions: of browser and driver, in words.
    """

    address: str
    versions: str

    def open(self, path: Path) -> str:
        """Open a file, and return its address."""
        address = path.resolve().as_uri()
        _post(f"{self.address}/url", {"url": address})
        return address

    def devtools(self, command: str, **parameters: Any) -> Any:
        """Give a command of the DevTools protocol, and return its answer."""
        return _post(f"{self.address}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def width(self, width: int, height: int, *, is_telephone: bool) -> None:
        """Show the page so many CSS pixels wide; telephones have two dots a pixel."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if is_telephone else 1,
            mobile=is_telephone,
        )

    def colours(self, scheme: str) -> None:
        """Show the page as in a `light` or `dark` system."""
        preferred = {"name": "prefers-color-scheme", "value": scheme}
        self.devtools("Emulation.setEmulatedMedia", features=[preferred])

    def script(self, source: str) -> Any:
        """Return what the body of a JavaScript function returns."""
        return _post(f"{self.address}/execute/sync", {"script": source, "args": []})

    def requests(self) -> list[str]:
        """Return the addresses asked for since the last call."""
        messages = (json.loads(entry["message"])["message"] for entry in self._log("performance"))
        return [
            m["params"]["request"]["url"]
            for m in messages
            if m["method"] == "Network.requestWillBeSent"
        ]

    def console(self) -> list[str]:
        """Return what was written to the console since the last call."""
        return [f"{entry['level']}: {entry['message']}" for entry in self._log("browser")]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        return _post(f"{self.address}/se/log", {"type": kind})

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        told = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(told["data"])


@contextmanager
def browser(chromium: str, chromedriver: str) -> Iterator[Page]:
    """Start a browser with a profile of its own; it ends with the context.

    Args:
        chromium: the program.
        chromedriver: that of the same version.

    Raises:
        BrowserError: one of them does not start.
    """
    arguments = [*QUIET, *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else [])]
    with tempfile.TemporaryDirectory(prefix="browser-") as folder:
        try:
            driver = subprocess.Popen(
                [chromedriver, "--port=0"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError as error:
            raise BrowserError(f"{chromedriver} does not start: {error}") from error
        try:
            root = f"http://127.0.0.1:{_port(driver)}"
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": {
                    "binary": chromium,
                    "args": [*arguments, f"--user-data-dir={folder}"],
                },
                "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            }
            made = _post(f"{root}/session", {"capabilities": {"alwaysMatch": wanted}})
            known = made["capabilities"]
            own = known["chrome"]["chromedriverVersion"].split()[0]
            versions = f"Chromium {known['browserVersion']}, chromedriver {own}"
            address = f"{root}/session/{made['sessionId']}"
            try:
                yield Page(address, versions)
            finally:
                _send(Request(address, method="DELETE"))
        finally:
            driver.terminate()
            driver.communicate(timeout=LIMIT_S)


def _port(driver: subprocess.Popen[str]) -> int:
    assert driver.stdout is not None
    for line in driver.stdout:
        if found := re.search(r"started successfully on port (\d+)", line):
            return int(found.group(1))
    raise BrowserError(f"chromedriver ended with {driver.wait(LIMIT_S)} before it listened")


def _post(address: str, told: dict[str, Any]) -> Any:
    head = {"Content-Type": "application/json"}
    return _send(Request(address, json.dumps(told).encode(), head, method="POST"))


def _send(request: Request) -> Any:
    # A proxy of the environment is not for this machine.
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=LIMIT_S) as answer:
            return json.load(answer)["value"]
    except OSError as error:
        told = error.read().decode()[:500] if isinstance(error, HTTPError) else ""
        raise BrowserError(f"{request.full_url}: {error}: {told}") from error
