"""A dispatcher's day at the board: the truth before a drop, the ticket beside it, many cards, limits."""

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, WebSocket, expect

from tests.fixtures.boards import TakeRequest, WatchBoard, carry, drag, give_reason, lift

PHONE = {"width": 390, "height": 844, "has_touch": True}


def _serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['nodes'][0]['html'][:160]}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]


def test_a_held_card_shows_where_it_may_go_and_says_why_not(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket, locale="en")

    lift(page, ticket)

    allowed, refused = page.locator('[data-lane="onsite"]'), page.locator('[data-lane="acceptance"]')
    expect(allowed).to_have_attribute("data-truth", re.compile("green|amber"))
    expect(refused).to_have_attribute("data-truth", "red")
    # The tone has a sign and words, so that nobody has to see colours.
    expect(refused.locator(".tb-why svg")).to_be_visible()
    expect(refused.locator(".tb-why")).to_contain_text("Not possible")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("[data-truth]")).to_have_count(0)


def test_a_drop_that_would_be_refused_is_not_sent(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    sent: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(str(frame)))

    page = board_of(
        "dispatcher",
        ticket,
        prepare=lambda context: context.on("page", lambda opened: opened.on("websocket", listen)),
    )

    drag(page, ticket, "acceptance")

    expect(page.locator("[data-sonner-toast]")).to_be_visible()
    expect(ticket.in_lane(page, "accept")).to_be_visible()
    assert [frame for frame in sent if "board_hand_state.drop" in frame] == []


def test_space_shows_the_ticket_beside_the_board_and_escape_takes_it_away(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take(description="The key is with the neighbour")
    page = board_of("dispatcher", ticket, locale="en")

    ticket.card(page).focus()
    page.keyboard.press("Space")

    panel = page.get_by_role("complementary", name=f"Ticket {ticket.no} at the side")
    expect(panel.get_by_role("heading", level=2)).to_have_text(ticket.title)
    assert page.url.endswith(f"q={ticket.title.replace(' ', '+')}")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(ticket.card(page)).to_be_focused()


def test_a_mouse_that_rests_on_a_card_shows_the_ticket_until_it_leaves(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket)

    ticket.card(page).hover()

    expect(page.locator(".tb-panel")).to_contain_text(ticket.title)
    page.mouse.move(700, 20)
    expect(page.locator(".tb-panel")).to_have_count(0)


def test_a_ticket_is_given_to_a_person_with_the_keyboard_alone(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    # Nobody knows where it is to be done, so whoever gives it to somebody answers for it.
    ticket = take()
    mine, theirs = board_of("dispatcher", ticket, locale="en"), board_of("manager", ticket)

    ticket.card(mine).focus()
    mine.keyboard.press("m")
    mine.locator(".tb-rail-count").first.wait_for()
    mine.keyboard.press("p")
    chosen = mine.locator("[data-person][data-over]")
    name = chosen.locator("strong").inner_text()
    expect(mine.locator("[data-test=said]")).to_contain_text(name)
    expect(chosen).to_have_attribute("data-tone", "red")
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("dialog")).to_contain_text(name)
    give_reason(mine, "They are next door")

    expect(ticket.card(theirs)).to_contain_text(name)


def test_a_card_dropped_in_a_persons_lane_is_that_persons_work(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket, asked={"by": "person"})
    theirs = board_of("manager", ticket)
    expect(ticket.in_lane(page, "none")).to_be_visible()

    lift(page, ticket)
    person = page.locator("[data-lane][data-target]").first
    key, name = person.get_attribute("data-lane"), person.locator("h2").inner_text()
    assert key is not None
    person.locator("header").scroll_into_view_if_needed()
    carry(page, key)
    page.mouse.up()
    give_reason(page, "They are next door")

    expect(ticket.in_lane(page, key)).to_be_visible()
    expect(ticket.card(theirs)).to_contain_text(name)


def test_who_moved_last_takes_it_back_with_one_key(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    mine, theirs = board_of("dispatcher", ticket), board_of("manager", ticket)
    drag(mine, ticket, "onsite")
    expect(ticket.in_lane(theirs, "onsite")).to_be_visible()
    expect(mine.locator("[data-sonner-toast]")).to_contain_text(ticket.no)

    mine.keyboard.press("z")

    expect(ticket.in_lane(theirs, "accept")).to_be_visible()
    expect(ticket.in_lane(mine, "accept")).to_be_visible()


def test_others_see_whose_hand_holds_a_card(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    mine, theirs = board_of("dispatcher", ticket), board_of("manager", ticket, locale="en")

    lift(mine, ticket)

    expect(ticket.card(theirs)).to_contain_text("周明远 is moving this")
    expect(theirs.locator(".tb-faces")).to_be_visible()
    mine.keyboard.press("Escape")
    mine.mouse.up()
    expect(ticket.card(theirs)).not_to_contain_text("is moving this")


def test_many_cards_move_at_once_and_each_says_what_became_of_it(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    mark = uuid4().hex[:8]
    goes, stays = take(f"Together {mark} one"), take(f"Together {mark} two", template="complaint")
    page = board_of("dispatcher", asked={"q": f"Together {mark}"}, height=900, locale="en")
    theirs = board_of("manager", goes)

    goes.card(page).focus()
    page.keyboard.press("x")
    stays.card(page).click(modifiers=["Control"])
    page.locator("[data-test=bulk]").get_by_role("button", name="Move", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").select_option("onsite")
    dialog.get_by_role("button", name="Move", exact=True).click()

    outcomes = page.locator("[data-test=outcomes]")
    expect(outcomes.locator('[data-ok="true"]')).to_contain_text(goes.no)
    expect(outcomes.locator('[data-ok="false"]')).to_contain_text(stays.no)
    expect(goes.in_lane(theirs, "onsite")).to_be_visible()
    expect(stays.in_lane(page, "intake")).to_be_visible()
    # Those that were refused stay selected, for the next try.
    page.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.locator("[data-test=bulk]")).to_contain_text("1 selected")


def test_a_full_lane_refuses_and_lets_in_whoever_gives_a_reason(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()
    page = board_of("manager", ticket, locale="en")
    theirs = board_of("dispatcher", ticket)

    def limit(hard: str) -> None:
        page.locator('[data-lane="onsite"] .tb-count-button').click()
        # The demo company warns above a number of its own.
        page.get_by_role("dialog").get_by_label("Warn above").fill("")
        page.get_by_role("dialog").get_by_label("Full at").fill(hard)
        page.get_by_role("dialog").get_by_role("button", name="Save").click()

    limit("1")
    try:
        expect(page.locator("[data-test=count-onsite]")).to_contain_text("/ 1")
        drag(page, ticket, "onsite")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("all the same")
        expect(ticket.in_lane(theirs, "accept")).to_be_visible()

        give_reason(page, "The customer waits at the door")

        expect(ticket.in_lane(theirs, "onsite")).to_be_visible()
    finally:
        limit("")
    expect(page.locator("[data-test=count-onsite]")).not_to_contain_text("/")


def test_a_saved_view_is_a_link_for_everybody_it_is_shared_with(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()
    name = f"View {uuid4().hex[:6]}"
    page = board_of("dispatcher", ticket, locale="en")

    page.locator("[data-test=views]").click()
    page.get_by_role("menuitem", name="Save as new view").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"view=\d+"))
    number = re.search(r"view=(\d+)", page.url)
    assert number is not None

    colleague = board_of("manager", asked={"view": number[1]}, height=900)

    expect(colleague.locator("[data-card]")).to_have_count(1)
    expect(ticket.in_lane(colleague, "accept")).to_be_visible()
    expect(colleague.locator("[data-test=views]")).to_contain_text(name)


def test_a_board_with_rows_keeps_each_card_in_its_row(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket, asked={"rows": "priority"})
    cell = page.locator(f'[data-lane="accept"][data-row]:has([data-card="{ticket.id}"])')
    expect(cell).to_have_count(1)
    row = cell.get_attribute("data-row")

    ticket.card(page).focus()
    page.keyboard.press("m")
    page.locator("[data-truth]").first.wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    expect(page.locator(f'[data-lane="onsite"][data-row="{row}"] [data-card="{ticket.id}"]')).to_be_visible()


def test_a_phone_shows_one_lane_and_moves_a_card_by_a_list(take: TakeRequest, board_of: WatchBoard) -> None:
    ticket = take()
    page = board_of("dispatcher", ticket, locale="en", **PHONE)
    theirs = board_of("manager", ticket)
    expect(page.locator("[data-lane]")).to_have_count(1)

    page.get_by_role("button", name=f"Move or assign ticket {ticket.no}").click()
    page.locator("[data-test=goals] button", has_text="In progress").click()

    expect(ticket.in_lane(theirs, "onsite")).to_be_visible()
    page.locator(".tb-switch button", has_text="In progress").click()
    expect(ticket.in_lane(page, "onsite")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_the_board(take: TakeRequest, board_of: WatchBoard, dark: bool) -> None:
    ticket = take()
    page = board_of("dispatcher", locale="en", height=900, dark=dark)
    assert _serious(page) == []

    page.locator("[data-card]").first.focus()
    page.keyboard.press("Space")
    expect(page.locator(".tb-panel h2")).to_be_visible()
    assert _serious(page) == []
    page.keyboard.press("Escape")

    page.keyboard.press("m")
    page.locator(".tb-rail-count").first.wait_for()
    page.keyboard.press("p")
    page.locator("[data-person]").first.wait_for()
    assert _serious(page) == []
    page.keyboard.press("Escape")

    alone = board_of("manager", ticket, locale="en", dark=dark, asked={"by": "person", "density": "compact"})
    assert _serious(alone) == []


def test_cards_stand_in_their_territories_and_in_their_due_times(
    take: TakeRequest, board_of: WatchBoard
) -> None:
    ticket = take()

    everything = board_of("dispatcher", asked={"by": "territory"}, locale="en")
    expect(everything.locator('[data-lane]:not([data-lane="none"]) [data-card]').first).to_be_visible()
    territories = board_of("dispatcher", ticket, asked={"by": "territory"}, locale="en")
    expect(ticket.in_lane(territories, "none")).to_be_visible()

    times = board_of("dispatcher", ticket, asked={"by": "due"}, locale="en")
    lane = times.locator("[data-lane]").filter(has=ticket.card(times))
    expect(lane).to_have_attribute("data-lane", re.compile("^(today|tomorrow|week)$"))
    lift(times, ticket)
    # A due time is an agreement: no other lane takes the card.
    expect(times.locator('[data-lane="later"]')).to_have_attribute("data-truth", "red")
    times.keyboard.press("Escape")
    times.mouse.up()
