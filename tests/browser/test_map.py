"""The map in the browser: a ticket is chosen and given away, others see it; positions, tracks, all sites."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.who_works import open_ticket, somebody_at_work, somebody_unseen, technician_of
from tests.fixtures.browsers import LogIn, Server

READY = '.mp[data-status="ready"][data-map="drawn"]'


@pytest.fixture
def map_of(context_as: LogIn) -> "OpenMap":
    return OpenMap(context_as)


class OpenMap:
    """A map of somebody, ready to be used; whatever a browser asks another host for is kept."""

    def __init__(self, context_as: LogIn) -> None:
        self._context_as = context_as
        self.outside: list[str] = []

    def __call__(self, login: str, path: str = "/map", *, locale: str = "zh", width: int = 1440) -> Page:
        context = self._context_as(login, locale=locale, width=width)
        page = context.new_page()
        page.on("request", lambda request: self._note(request.url))
        page.goto(path)
        expect(page.locator(READY)).to_be_visible()
        return page

    def _note(self, url: str) -> None:
        if not re.match(r"(https?://localhost|data:|blob:)", url):
            self.outside.append(url)


def candidates(page: Page) -> Locator:
    return page.locator(".mp-candidate[data-eligible='true']")


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['nodes'][0]['html'][:160]}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]


def test_a_ticket_is_given_away_on_the_map_and_others_see_it(
    map_of: OpenMap, context_as: LogIn, server: Server
) -> None:  # DSP-09
    no = open_ticket(context_as("manager"), server.url, "地图上派的单")
    first, second = map_of("dispatcher"), map_of("manager")

    for page in (first, second):
        # The keyboard's way: find it, and press Enter on its line.
        page.get_by_role("searchbox").fill(no)
        line = page.locator(f'[data-ticket="{no}"]')
        line.focus()
        line.press("Enter")
        expect(page.locator(f'[data-chosen="{no}"]')).to_be_visible()
        expect(candidates(page).first).to_contain_text("公里")
    expect(first.locator(".mp-chosen h2")).to_be_focused()
    other = candidates(first).filter(has=first.get_by_role("button", name=re.compile("派给"))).first
    name = other.locator("strong").inner_text()
    other.get_by_role("button").click()

    expect(first.locator(".mp-chosen [role=status]")).to_have_text("已派单")
    holder = first.locator(".mp-candidate", has_text="当前负责")
    expect(holder.locator("strong")).to_have_text(name)

    # The other dispatcher still has the old version before them, and learns who was faster.
    late = candidates(second).filter(has=second.get_by_role("button", name=re.compile("派给"))).last
    late.get_by_role("button").click()
    expect(second.get_by_role("alert").filter(has_text="周明远")).to_be_visible()
    expect(second.locator(".mp-candidate", has_text="当前负责").locator("strong")).to_have_text(name)

    second.keyboard.press("Escape")
    expect(second.locator(f'[data-ticket="{no}"]')).to_contain_text(name)
    assert map_of.outside == []


def test_a_new_ticket_comes_to_an_open_map(map_of: OpenMap, context_as: LogIn, server: Server) -> None:
    page = map_of("dispatcher")
    page.get_by_role("searchbox").fill("WO-")
    no = open_ticket(context_as("manager"), server.url, "刚刚来的单")

    page.get_by_role("searchbox").fill(no)

    expect(page.locator(f'[data-ticket="{no}"]')).to_contain_text("刚刚来的单")


def test_a_technicians_way_is_drawn_for_the_dispatcher_and_for_themselves(
    map_of: OpenMap, context_as: LogIn, server: Server
) -> None:  # RPT-06, MOB-10
    who = somebody_unseen(server)
    context = context_as(
        who.login, width=390, height=844, geolocation={"latitude": 31.21, "longitude": 121.45},
        permissions=["geolocation"],
    )  # fmt: skip
    own = context.new_page()
    own.goto("/my/map")
    switch = own.get_by_role("switch", name=re.compile("位置"))
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    # MOB-10: the device itself tells where it is from now on, once there is consent.
    context.set_geolocation({"latitude": 31.211, "longitude": 121.451})
    expect(own.locator('[data-sending="sent"]')).to_be_visible()

    now = datetime.now(UTC)
    for step in range(1, 4):
        told = context.request.post(
            "/api/v1/positions",
            headers={"origin": server.url},
            data={
                "device": "test",
                "lat": 31.21 + step / 1000,
                "lon": 121.45,
                "accuracy_m": 10,
                "taken_at": (now + timedelta(seconds=step)).isoformat(),
            },
        )
        assert told.status == 200, told.text()
    own.reload()
    expect(own.locator(".mp-track [role=status]")).to_have_text("4 个位置")

    page = map_of("dispatcher")
    page.locator('[data-tab="people"]').click()
    person = f'[data-person="{technician_of(server, who.login)}"]'
    expect(page.locator(f'{person} [data-live="true"]')).to_have_count(1)
    page.locator(person).click()
    expect(page.locator(".mp-track [role=status]")).to_have_text("4 个位置")
    expect(page.locator(".mp-facts")).to_contain_text("位置更新于")

    switch.click()
    expect(own.get_by_role("switch", name=re.compile("位置"))).to_have_attribute("aria-checked", "false")
    page.keyboard.press("Escape")
    # The dispatcher's map lets go of the position by itself.
    expect(page.locator(f'{person} [data-live="true"]')).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_maps_are_accessible_and_fit_a_phone(
    map_of: OpenMap, context_as: LogIn, server: Server, locale: str
) -> None:
    page = map_of("dispatcher", locale=locale, width=390)
    page.locator("[data-ticket]").first.click()
    expect(page.locator(".mp-chosen h2")).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    overview = map_of("manager", "/sites", locale=locale)
    assert serious(overview) == []


def test_sites_are_sorted_narrowed_and_lead_to_their_tickets(map_of: OpenMap) -> None:  # RPT-05
    page = map_of("manager", "/sites", locale="en")
    rows = page.locator("tbody tr")
    everything = rows.count()

    page.get_by_role("button", name="Open", exact=True).click()
    figures = [int(text or 0) for text in page.locator("tbody tr td:nth-child(4)").all_inner_texts()]
    assert figures == sorted(figures, reverse=True)
    page.get_by_label("Which sites").select_option("late")
    assert 0 < rows.count() < everything
    late = rows.first.locator("td").nth(3).inner_text()
    rows.first.locator("td").nth(3).get_by_role("link").click()

    expect(page).to_have_url(re.compile(r"/tickets\?site=\d+&metric=overdue"))
    expect(page.locator("tbody tr")).to_have_count(int(late))


def test_without_a_drawing_the_list_does_it_all(context_as: LogIn, server: Server) -> None:
    page = context_as("dispatcher").new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto("/map")

    expect(page.locator('.mp[data-status="ready"][data-map="none"]')).to_be_visible()
    page.locator("[data-ticket]").first.click()
    expect(page.locator(".mp-chosen h2")).to_be_visible()
    expect(page.get_by_role("heading", name="人选")).to_be_visible()


def test_the_way_to_a_ticket_is_a_geo_address_on_a_phone(context_as: LogIn, server: Server) -> None:  # CTX-17
    work = somebody_at_work(server)
    page = context_as(
        work.login, width=390, height=844, user_agent="Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126"
    ).new_page()
    page.goto(f"/tickets/{work.ticket_id}")

    link = page.locator('a[href^="geo:"]').first
    place = r"(-?\d+\.\d+,-?\d+\.\d+)"
    expect(link).to_have_attribute("href", re.compile(rf"^geo:{place}\?q=\1$"))
