"""Pages in headless Chromium: with the network off, and everything seen that they do beside showing themselves."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field

CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DESKTOP = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}

EVIL = (
    "{{7*7}}{% raw %}{# #}<script>alert(1)</script><img src=x onerror=alert(2)>`${alert(3)}`\\u003c\\\"'"
    "</script><!--<svg/onload=alert(4)>&lt;\u2028]]>javascript:alert(5)"
)
LONG = ("\u0634\u0627\u0631\u0639 \u05e9\u05dc\u05d5\u05dd 社区服务站 Straße " * 25)[:500]


@dataclass
class Opened:
    """An open page, and all that it did beside showing itself."""

    page: object
    url: str
    requests: list = field(default_factory=list)
    trouble: list = field(default_factory=list)

    def at(self, lon, lat):
        """Return where a place lies on the screen."""
        x, y = self.page.evaluate(
            """([lat, lon]) => {
                const box = map_main.getContainer().getBoundingClientRect();
                const at = map_main.latLngToContainerPoint([lat, lon]);
                return [box.x + at.x, box.y + at.y];
            }""",
            [lat, lon],
        )
        return x, y

    def click(self, lon, lat):
        """Click on a place and return what the card says that opens."""
        self.page.mouse.click(*self.at(lon, lat))
        return self.card()

    def card(self):
        self.page.evaluate(
            "async () => { while (map_main._panAnim?._inProgress) await new Promise(requestAnimationFrame) }"
        )
        return re.sub(r"\n+", "\n", self.page.locator(".card").inner_text())

    def close(self):
        """Close the card, and go back to where everything is in sight."""
        self.page.keyboard.press("Escape")
        self.page.locator(".card").wait_for(state="detached")
        self.page.locator("#whole").click()

    def show_only(self, *layers):
        """Leave these layers switched on."""
        for box in self.page.locator("#contents input[type=checkbox]").all():
            box.set_checked(box.get_attribute("id").removeprefix("layer-") in layers)


@contextmanager
def opened(browser, path, device):
    """Open a page with the network off; what it asks for, says or breaks fails the test at its end."""
    with browser.new_context(offline=True, **device) as context:
        page = context.new_page()
        seen = Opened(page, path.as_uri())
        page.on("request", lambda r: seen.requests.append(r.url))
        page.on("console", lambda m: seen.trouble.append(m.text))
        page.on("pageerror", lambda e: seen.trouble.append(e.stack or e.message))
        page.on("dialog", lambda d: (seen.trouble.append(d.message), d.dismiss()))
        page.goto(seen.url)
        page.wait_for_selector("html[data-ready]", state="attached")
        yield seen
        page.wait_for_timeout(100)
        assert seen.trouble == []
        assert [url for url in seen.requests if not url.startswith("data:")] == [seen.url]
