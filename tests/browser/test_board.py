"""The live board in several browsers: everybody sees the same, and nobody overwrites anybody."""

import re

import pytest
from playwright.sync_api import WebSocket, expect

from tests.fixtures.boards import AT_ONCE_MS, TakeRequest, WatchBoard, carry, drag, give_reason, lift
from tests.fixtures.browsers import PATIENCE_MS, Server


def test_a_card_dragged_by_one_user_moves_on_the_board_of_another(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()
    mine, theirs = board_of("dispatcher", ticket), board_of("manager", locale="en")
    expect(ticket.in_lane(theirs, "accept")).to_be_visible()

    drag(mine, ticket, "onsite")

    expect(ticket.in_lane(theirs, "onsite")).to_be_visible(timeout=AT_ONCE_MS)
    expect(ticket.in_lane(mine, "onsite")).to_be_visible()


def test_a_new_request_appears_on_an_open_board(take: TakeRequest, board_of: WatchBoard) -> None:
    page = board_of("dispatcher")

    ticket = take()

    expect(ticket.in_lane(page, "accept")).to_be_visible(timeout=AT_ONCE_MS)
    expect(ticket.card(page)).to_contain_text(ticket.title)


COUNT_GLIDES = """
const animate = Element.prototype.animate;
window.glides = [];
Element.prototype.animate = function (...how) {
  window.glides.push(this.closest("[data-card]")?.dataset.card);
  return animate.apply(this, how);
};
"""


@pytest.mark.parametrize(
    ("locale", "told"),
    [("zh", r"周明远.*\d\d:\d\d:\d\d"), ("en", r"周明远 .* at \d\d:\d\d:\d\d")],
)
def test_who_moves_a_card_too_late_gets_it_back_and_reads_who_was_faster(
    take: TakeRequest, board_of: WatchBoard, locale: str, told: str
) -> None:
    ticket = take()
    faster = board_of("dispatcher", ticket)
    slower = board_of(
        "manager", ticket, locale=locale, prepare=lambda context: context.add_init_script(COUNT_GLIDES)
    )

    third = board_of("auditor", ticket)

    lift(slower, ticket)
    drag(faster, ticket, "dispatch")
    give_reason(faster, "The customer asked for somebody else")
    expect(ticket.in_lane(third, "dispatch")).to_be_visible()
    carry(slower, "onsite")
    slower.mouse.up()

    expect(slower.locator("[data-sonner-toast]")).to_contain_text(re.compile(told))
    expect(ticket.in_lane(slower, "dispatch")).to_be_visible()
    assert str(ticket.id) in slower.evaluate("window.glides")


def test_a_card_is_moved_with_the_keyboard_alone(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    mine, theirs = board_of("dispatcher", ticket), board_of("manager", ticket)

    ticket.card(mine).focus()
    mine.keyboard.press("m")
    mine.locator(".tb[data-dragging]").wait_for()
    mine.keyboard.press("ArrowRight")
    mine.locator('[data-lane="onsite"][data-over]').wait_for()
    mine.keyboard.press("Enter")

    expect(ticket.in_lane(theirs, "onsite")).to_be_visible()


def test_escape_leaves_a_lifted_card_where_it_was(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket)

    ticket.card(page).focus()
    page.keyboard.press("m")
    page.locator(".tb[data-dragging]").wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")

    expect(page.locator(".tb[data-dragging]")).to_have_count(0)
    expect(ticket.in_lane(page, "accept")).to_be_visible()


def test_a_move_that_asks_for_entries_opens_the_ticket(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take(template="complaint")
    page = board_of("dispatcher", ticket)
    expect(ticket.in_lane(page, "intake")).to_be_visible()

    drag(page, ticket, "acceptance")

    page.wait_for_url(f"**/tickets/{ticket.id}?to=acceptance")
    expect(page.get_by_role("heading", level=1)).to_contain_text(ticket.title)


def test_sending_back_asks_for_a_reason(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    mine, theirs = board_of("dispatcher", ticket, locale="en"), board_of("manager", ticket)

    drag(mine, ticket, "dispatch")
    dialog = mine.get_by_role("dialog")
    expect(dialog).to_contain_text(ticket.no)
    dialog.locator("button[type=submit]").click()

    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(ticket.in_lane(theirs, "accept")).to_be_visible()

    give_reason(mine, "Nobody at home on Monday")

    expect(dialog).to_have_count(0)
    expect(ticket.in_lane(theirs, "dispatch")).to_be_visible()
    mine.goto(f"/tickets/{ticket.id}")
    expect(mine.get_by_text("Nobody at home on Monday").first).to_be_visible()


def test_who_gives_no_reason_has_sent_nothing_back(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket)

    drag(page, ticket, "dispatch")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")

    expect(ticket.in_lane(page, "accept")).to_be_visible()
    expect(ticket.in_lane(board_of("manager", ticket), "accept")).to_be_visible()


def test_a_card_cannot_be_dropped_where_its_flow_does_not_lead(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket)

    lift(page, ticket)

    expect(page.locator('[data-lane="onsite"][data-target]')).to_have_count(1)
    expect(page.locator('[data-lane="acceptance"][data-refused]')).to_have_count(1)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(ticket.in_lane(page, "accept")).to_be_visible()


def test_who_may_only_look_cannot_lift_a_card(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    page = board_of("auditor", ticket)

    ticket.card(page).focus()
    page.keyboard.press("m")

    expect(page.locator(".tb[data-dragging]")).to_have_count(0)
    expect(ticket.in_lane(page, "accept")).to_be_visible()


STALE_SINCE = {"zh": r"连接已断开.*\d\d:\d\d:\d\d", "en": r"Connection lost.* as of \d\d:\d\d:\d\d"}


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_board_without_network_says_since_when_and_catches_up(
    take: TakeRequest, board_of: WatchBoard, locale: str
) -> None:
    page = board_of("dispatcher", locale=locale)
    banner = page.locator(".tc-link-lost")

    page.context.set_offline(True)

    expect(banner).to_have_text(re.compile(STALE_SINCE[locale]), timeout=AT_ONCE_MS)
    missed = take()
    expect(missed.in_lane(board_of("manager", missed), "accept")).to_be_visible()
    expect(missed.card(page)).to_have_count(0)

    page.context.set_offline(False)

    expect(missed.in_lane(page, "accept")).to_be_visible()
    expect(banner).to_have_count(0)
    expect(take().in_lane(page, "accept")).to_be_visible(timeout=AT_ONCE_MS)


def test_a_board_outlives_a_power_cut_of_the_server(
    server: Server, take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()
    page = board_of("dispatcher")

    server.kill()
    try:
        expect(page.locator(".tc-link-lost")).to_have_text(re.compile(STALE_SINCE["zh"]))
        expect(ticket.card(page)).to_be_visible()
    finally:
        server.start()
    missed = take()

    expect(missed.in_lane(page, "accept")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".tc-link-lost")).to_have_count(0)
    expect(take().in_lane(page, "accept")).to_be_visible(timeout=AT_ONCE_MS)


def test_another_language_needs_no_data_from_the_server(take: TakeRequest, board_of: WatchBoard) -> None:
    told: list[str] = []
    asked: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: told.append(str(frame)))
        socket.on("framesent", lambda frame: asked.append(str(frame)))

    page = board_of(
        "dispatcher",
        prepare=lambda context: context.on("page", lambda opened: opened.on("websocket", listen)),
    )
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    ticket = take()
    expect(ticket.card(page)).to_be_visible()
    told.clear()
    asked.clear()

    page.locator("[data-test=language]").click()
    page.get_by_role("menuitem", name="English").click()
    expect(page.locator('[data-lane="onsite"] h2')).to_have_text("In progress")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    # What the change of language caused would have come before the news of this request.
    later = take()
    expect(later.card(page)).to_be_visible()

    assert [frame for frame in asked if len(frame) > 2] == []
    assert [frame for frame in told if len(frame) > 2 and str(later.id) not in frame] == []
    assert requests == []
    expect(ticket.card(page)).to_be_visible()


def test_the_filters_of_a_board_are_in_its_address(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    page = board_of("dispatcher")

    page.get_by_role("searchbox").fill(ticket.title)
    page.wait_for_url(re.compile(r"\?q="))
    expect(page.locator("[data-card]")).to_have_count(1)
    address = page.url
    colleague = board_of("manager", ticket)
    colleague.goto(address)

    expect(ticket.in_lane(colleague, "accept")).to_be_visible()
    expect(colleague.locator("[data-card]")).to_have_count(1)
