"""What must hold of every page a browser shows."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, Response

HAND = pytest.mark.parametrize("setting", [("hand", "light")], indirect=True, ids=["hand-light"])
DESK = pytest.mark.parametrize("setting", [("desk", "light")], indirect=True, ids=["desk-light"])
"""Where one setting is enough."""
_axe = Axe()
SERIOUS = {"serious", "critical"}
MEMBERS_RULES = {"rules": {"target-size": {"enabled": True}}}
"""On members' pages also: what is pressed is at least 24 pixels wide and high, or has as much room (WCAG 2.5.8)."""
CLIPPED = """() => [...document.querySelectorAll('body *')].filter(node => {
    const style = getComputedStyle(node);
    const isHidden = style.overflow !== 'visible' || node.closest('.unseen, svg, select, .skip');
    return !isHidden && node.scrollWidth > node.clientWidth + 1 && style.display === 'block';
}).map(node => node.outerHTML.slice(0, 120))"""
"""Blocks whose text runs out of them."""

REACHABLE = """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(node => node.checkVisibility() && !node.disabled)"""
PLACE = f"{REACHABLE}.indexOf(document.activeElement)"
SHOWS = """(() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== 'none' || style.boxShadow !== 'none';
})()"""


class Look:
    """Takes a picture of each page, and keeps what it asked for and complained of."""

    def __init__(self, page: Page, host: str, name: str, folder: Path) -> None:
        self.page, self.host, self.name, self.folder = page, host, name, folder
        self.asked: list[str] = []
        self.broken: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._on_request)
        page.on("response", self._on_response)
        page.on("console", lambda it: self._complain(it.type, f"{it.text} {it.location.get('url')}"))
        page.on("pageerror", lambda error: self._complain("error", f"{error} {error.stack}"))
        folder.mkdir(parents=True, exist_ok=True)

    def _on_request(self, request: Request) -> None:
        self.asked.append(request.url)

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.broken.append(f"{response.status} {response.url}")

    def _complain(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def at(self, what: str, *, checks_access: bool = True, status: int = 200) -> None:
        """Take the picture `what` and check: nothing broken or foreign was loaded, nothing overflows, and axe
        finds nothing serious. A page may itself be a refusal: its `status`."""
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=self.folder / f"{what}-{self.name}.png", full_page=True)
        foreign = [url for url in self.asked if not url.startswith((self.host, "data:", "blob:"))]
        assert foreign == [], "no request leaves the host"
        refused = [] if status == 200 else [f"{status} {self.page.url}"]
        assert self.broken == refused
        assert len(self.complaints) == len(refused), self.complaints
        self.broken.clear()
        self.complaints.clear()
        if checks_access:
            assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), what
            if self.is_members:
                assert self.page.evaluate(CLIPPED) == [], what
            self._check_access(what)

    @property
    def is_members(self) -> bool:
        return self.page.url.startswith(f"{self.host}/my/")

    def _check_access(self, what: str) -> None:
        options = MEMBERS_RULES if self.is_members else None
        found = [
            (violation["id"], [node["html"][:160] for node in violation["nodes"]][:3])
            for violation in _axe.run(self.page, options=options).response["violations"]
            if violation["impact"] in SERIOUS
        ]
        assert found == [], what

    def reach_by_keyboard(self, text: str, most: int = 60, *, exact: bool = False) -> None:
        """Press Tab until the link or button that says `text`, or begins with it, has the focus; see that it shows."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            focused = self.page.evaluate("(document.activeElement?.innerText || '').trim()")
            if focused == text if exact else focused.startswith(text):
                outline = self.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                shadow = self.page.evaluate("getComputedStyle(document.activeElement).boxShadow")
                assert outline != "none" or shadow != "none", "the focus is seen"
                return
        raise AssertionError(f"{text!r} cannot be reached by keyboard")

    def goes_through(self, most: int = 200) -> None:
        """Press Tab until the focus leaves the page: every link, button and field once, in the order they stand,
        each with a focus that shows."""
        reached: list[int] = []
        for _ in range(most):
            self.page.keyboard.press("Tab")
            place = self.page.evaluate(PLACE)
            if place < 0 or (len(reached) > 1 and place == reached[0]):
                break  # out of the page, which is where some browsers begin again
            if reached and place == reached[-1]:
                continue  # the parts of a date
            assert self.page.evaluate(SHOWS), self.page.evaluate("document.activeElement.outerHTML")
            reached.append(place)
        else:
            raise AssertionError("the focus never gets through the page")
        assert reached == sorted(set(reached))
        assert len(reached) == self.page.evaluate(f"{REACHABLE}.length")
