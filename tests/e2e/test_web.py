"""The page as a person uses it: a real browser, a real server, a real home."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect, sync_playwright
from render_media import cut_clip, render_clip

from titledeed.bootstrap import open_registry
from titledeed.bootstrap.homes import initialize_home
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType
from titledeed.models.registration import Visibility
from titledeed.services.acceptance import Statement
from titledeed.services.registration import RegisteredFile, RegisterRequest
from titledeed.settings import Settings
from titledeed_api import create_app

pytestmark = [pytest.mark.chain, pytest.mark.browser]

HOSTILE_TITLE = "Night market <img src=x onerror=alert(1)>"
START_TIMEOUT_S = 60
VERDICT_TIMEOUT_MS = 60_000
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ANSWERS = ["Integrity", "Trust", "History", "Time", "Registry", "Disclosure"]


@dataclass(frozen=True)
class Site:
    """A running server with one published registration, and a cut out of its clip."""

    address: str
    registration_id: str
    cut: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    settings = Settings(home=folder / "home")
    initialize_home(settings)
    clip = render_clip(folder / "clip.mp4", seconds=10, seed=41)
    with open_registry(settings) as registry:
        statement = Statement(
            disclosure=AssetDisclosure(DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA),
            title=HOSTILE_TITLE,
            credits=(),
            visibility=Visibility.PUBLISHED,
            output=None,
        )
        (registered,) = registry.registration.register(
            RegisterRequest((clip,), statement), registry.owner
        )
    assert isinstance(registered, RegisteredFile)
    cut = cut_clip(clip, folder / "cut.mp4", start_s=3, end_s=7, scale=0.75)
    with serve(settings) as address:
        yield Site(address, registered.registration.registration_id, cut)


class serve:  # noqa: N801 - used like a function
    """Run the application in a thread, on a port that the system chooses."""

    def __init__(self, settings: Settings) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(settings), log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> str:
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            assert self._thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        yield launched
        launched.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says; breaches of the content security policy among it."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=site.address, viewport={"width": 1100, "height": 900})
    yield watch(context, complaints)
    context.close()


def watch(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("http://127.0.0.1", "blob:"))
            else complaints.append(f"remote: {request.url}")
        ),
    )
    return page


def drop(page: Page, path: Path, *, onto: str = "body") -> None:
    page.goto("/")
    file: FilePayload = {"name": path.name, "mimeType": "video/mp4", "buffer": path.read_bytes()}
    page.locator(onto).drop({"files": [file]})


def expect_verdict(page: Page) -> None:
    expect(page.get_by_role("status")).to_contain_text(
        "Matches a registered work", timeout=VERDICT_TIMEOUT_MS
    )


def test_a_dropped_cut_is_told_in_one_sentence_with_its_seconds(
    page: Page, site: Site, complaints: list[str]
) -> None:
    drop(page, site.cut)
    expect_verdict(page)
    sentence = page.locator("#verdict .sentence").inner_text()
    assert sentence.startswith("Seconds 0.0 to ")
    assert HOSTILE_TITLE in sentence
    assert (
        page.locator("#details .answers")
        .first.locator("dt")
        .evaluate_all("rows => rows.map(row => row.firstChild.textContent.trim())")
        == ANSWERS
    )
    seconds = page.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts()
    start, end = map(float, re.findall(r"[\d.]+", seconds[1]))
    assert start == pytest.approx(3, abs=0.3)
    assert end == pytest.approx(7, abs=0.3)
    picture = page.get_by_role("img", name="Matched seconds of this file")
    expect(picture).to_have_count(1)
    expect(page.get_by_text("It is no proof of authorship.")).to_be_visible()
    expect(page.locator("#preview video")).to_have_count(1)
    assert complaints == []


@pytest.mark.parametrize("onto", ["header", "h1", "footer"])
def test_a_file_may_be_dropped_anywhere(
    page: Page, site: Site, complaints: list[str], onto: str
) -> None:
    drop(page, site.cut, onto=onto)
    expect_verdict(page)
    assert complaints == []


def test_the_result_has_an_address_of_its_own(
    page: Page, site: Site, complaints: list[str]
) -> None:
    drop(page, site.cut)
    expect_verdict(page)
    sentence = page.locator("#verdict .sentence").inner_text()
    page.wait_for_url("**/verifications/*")
    page.reload()
    expect(page.locator("#verdict .sentence")).to_have_text(sentence)
    page.go_back()
    expect(page.locator("#verdict .sentence")).to_have_count(0)
    assert complaints == []


def test_a_file_is_chosen_with_the_keyboard(page: Page, site: Site, complaints: list[str]) -> None:
    page.goto("/")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    page.get_by_label("choose one").set_input_files(site.cut)
    expect_verdict(page)
    assert complaints == []


def test_a_published_registration_has_a_page(page: Page, site: Site, complaints: list[str]) -> None:
    drop(page, site.cut)
    expect_verdict(page)
    page.get_by_role("link", name=HOSTILE_TITLE).first.click()
    page.wait_for_url(f"**/registrations/{site.registration_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE_TITLE)
    expect(page.get_by_text("Kept by the registry itself")).to_be_visible()
    assert page.locator("img.still").evaluate("image => image.naturalWidth") > 0
    assert page.locator("img[onerror]").count() == 0
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the evidence bundle").click()
    assert site.registration_id in started.value.suggested_filename
    assert site.registration_id in started.value.path().read_text()
    assert complaints == []


def test_bad_media_are_told_on_the_page(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "<b>notes.mp4"
    text.write_text("no film at all")
    drop(page, text)
    expect(page.get_by_role("status")).to_contain_text("Unsupported media type", timeout=30_000)
    assert page.locator("#verdict b").count() == 0


def test_without_scripts_the_form_leads_to_the_same_page(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("choose one").set_input_files(site.cut)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#verdict .sentence")).to_contain_text(
        "Seconds 0.0", timeout=VERDICT_TIMEOUT_MS
    )
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_nothing_is_wider_than_the_window(
    browser: Browser, site: Site, tmp_path: Path, scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=site.address,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
    )
    complaints: list[str] = []
    page = watch(context, complaints)
    drop(page, site.cut)
    expect_verdict(page)
    for name, address in (("verification", None), ("registration", site.registration_id)):
        if address:
            page.goto(f"/registrations/{address}")
        page.screenshot(path=tmp_path / f"{name}-{scheme}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert complaints == []
