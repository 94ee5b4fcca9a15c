"""A ticket on its way: opened on the telephone, done from a pocket, signed for by the customer."""

import io
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, FilePayload, Page, TimeoutError, expect

from tests.browser.who_works import Work, finished_work, who_has
from tests.fixtures.browsers import LogIn, OpenPage, Server

PHONE = {"width": 390, "height": 844}
SHANGHAI = {"lat": 31.2304, "lon": 121.4737}
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"


@dataclass(frozen=True, slots=True)
class Opened:
    ticket_id: int
    no: str
    version: int
    path: str
    login: str
    technician: str


OpenTicket = Callable[..., Opened]


@pytest.fixture
def open_ticket(server: Server, context_as: LogIn) -> OpenTicket:
    """Opens a repair in Shanghai at the desk, and says who got it and where the customer follows it."""

    def open_one(title: str = "空调不制冷", **more: Any) -> Opened:
        body = {
            "command_id": str(uuid4()),
            "template_code": "repair",
            "title": title,
            "values": {"category": "hvac"},
            "contact_name": "罗霞",
            "contact_phone": "13800001234",
            "address": "上海市南京东路 1 号",
            **SHANGHAI,
            **more,
        }
        agent = context_as("agent")
        answer = agent.request.post("/api/v1/tickets", data=body, headers={"origin": server.url})
        assert answer.status == 201, answer.text()
        told = answer.json()
        return Opened(
            told["ticket_id"],
            told["no"],
            told["version"],
            f"/track/{told['tracking_token']}",
            who_has(server, told["no"]).login if told["assignee_id"] else "",
            told["assignee_name"],
        )

    return open_one


def photo(name: str = "site.jpg") -> FilePayload:
    picture = io.BytesIO()
    Image.effect_noise((1400, 1000), 60).convert("RGB").save(picture, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": picture.getvalue()}


def finish(page: Page) -> None:
    """Press the one big button of the step."""
    page.locator(".tc-step .tc-form-actions .tc-btn").first.click()


def fill_in_the_work(page: Page) -> None:
    page.locator("[data-field=arrival] button").click()
    page.locator("[data-field=fault_cause] input").fill("启动电容老化")
    page.locator("[data-field=actions] textarea").fill("更换启动电容，试机正常")
    page.locator("[data-field=labour_hours] input").fill("1.5")
    page.locator("[data-field=difficulty] input").fill("1.2")


def upload(page: Page, *photos: FilePayload) -> None:
    page.locator("[data-field='evidence:photo'] input[type=file]").set_input_files(list(photos))
    expect(page.locator(".tc-thumb img")).to_have_count(len(photos))


def accept_the_job(page: Page) -> None:
    finish(page)
    expect(page.locator("[data-field=arrival]")).to_be_visible()


def sign(page: Page) -> None:
    sheet = page.locator(".tc-sign")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 40 + step * 14, box["y"] + 60 + (step % 4) * 15)
    page.mouse.up()


def test_a_call_becomes_a_ticket_with_the_words_and_one_press(page_as: OpenPage) -> None:  # INT-16
    page = page_as("agent", "/tickets/new", locale="en")
    expect(page.locator(".tc-area").first).to_be_focused()

    page.keyboard.type("家里空调不制冷，吹出来是热风")
    expect(page.locator("[data-template=repair]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Control+Enter")

    expect(page.locator("h1")).to_contain_text("is open")
    assert "/track/" in page.get_by_label("Link for the customer").input_value()


def test_a_number_finds_the_customer_and_the_device_says_where(page_as: OpenPage) -> None:
    page = page_as("agent", "/tickets/new", locale="en")

    page.locator("[data-field='ask:text'] textarea").fill("空调漏水")
    page.locator("[data-field='ask:phone'] input").fill("19900000022")
    page.locator(".tc-found button").first.click()
    page.locator(".tc-device").first.click()

    expect(page.locator(".tc-device").first).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-field='ask:address'] input")).not_to_have_value("")
    page.get_by_role("button", name="Open ticket").click()
    expect(page.locator(".tc-opened")).to_contain_text("Assigned to")


def test_what_is_wrong_with_a_new_ticket_stands_at_its_field(page_as: OpenPage) -> None:
    page = page_as("agent", "/tickets/new?template=consult", locale="en")

    page.locator("[data-field='ask:text'] textarea").fill("报价")
    page.locator("summary", has_text="Place").click()
    place = page.locator("[data-field='ask:place'] input")
    place.fill("123.4, 500")
    place.blur()
    page.get_by_role("button", name="Open ticket").click()

    expect(page.locator("[data-field='ask:place'] .tc-problem")).to_be_visible()
    expect(page.locator("[data-field='ask:text'] textarea")).to_have_value("报价")


def test_a_job_is_accepted_done_with_a_photo_and_signed_for(
    page_as: OpenPage, open_ticket: OpenTicket
) -> None:  # MOB-01
    job = open_ticket()
    customer = page_as(None, job.path, locale="en", **PHONE)
    expect(customer.locator(".tc-track-now")).to_have_text(f"{job.technician} will take care of it")
    page = page_as(job.login, "/my", locale="en", has_touch=True, is_mobile=True, **PHONE)

    page.locator(f"[data-ticket={job.no}]").get_by_role("link", name="Open").click()
    accept_the_job(page)
    expect(customer.locator(".tc-track-now")).to_have_text(f"{job.technician} is working on it")
    fill_in_the_work(page)
    page.locator("[data-field=parts] button", has_text="Add a part").click()
    page.locator("[data-field=parts] select").select_option(index=1)
    page.get_by_label("One more").click()
    upload(page, photo("a.jpg"), photo("b.jpg"))
    assert page.evaluate(TOO_WIDE) <= 0
    finish(page)

    expect(page.locator(".tc-waits")).to_contain_text("the customer")
    expect(page.locator(".tc-values [data-kind=parts]")).to_contain_text("× 2")
    expect(customer.locator(".tc-track-now")).to_have_text("The work is finished: please confirm")
    customer.get_by_label("5 stars").click()
    sign(customer)
    customer.get_by_role("button", name="Sign and confirm").click()
    expect(customer.locator(".tc-track-now")).to_have_text("All done")
    expect(customer.locator(".tc-signed")).to_be_visible()
    assert customer.evaluate(TOO_WIDE) <= 0
    expect(page.locator(".tc-stages [data-state=here]")).to_have_attribute("data-category", "done")


def test_what_was_typed_survives_a_photo_a_refusal_and_a_reload(
    page_as: OpenPage, open_ticket: OpenTicket
) -> None:
    job = open_ticket()
    page = page_as(job.login, f"/tickets/{job.ticket_id}", locale="en", **PHONE)
    accept_the_job(page)

    fill_in_the_work(page)
    page.locator("[data-field=difficulty] input").fill("9")
    upload(page, photo())
    finish(page)
    expect(page.locator("[data-field=difficulty] .tc-problem")).to_have_text("must be 3 or less")
    page.reload()

    expect(page.locator("[data-field=actions] textarea")).to_have_value("更换启动电容，试机正常")
    expect(page.locator(".tc-thumb img")).to_have_count(1)


def test_a_step_without_its_photo_says_so_at_the_photo(page_as: OpenPage, open_ticket: OpenTicket) -> None:
    job = open_ticket()
    page = page_as(job.login, f"/tickets/{job.ticket_id}", locale="en", **PHONE)
    accept_the_job(page)

    fill_in_the_work(page)
    finish(page)

    expect(page.locator("[data-field='evidence:photo'] .tc-problem")).to_have_text("This is required")


def test_a_customer_refuses_and_the_technician_reads_why(page_as: OpenPage, open_ticket: OpenTicket) -> None:
    job = open_ticket()
    page = page_as(job.login, f"/tickets/{job.ticket_id}", locale="en", **PHONE)
    customer = page_as(None, job.path, locale="en", **PHONE)
    accept_the_job(page)
    fill_in_the_work(page)
    upload(page, photo())
    finish(page)

    customer.get_by_role("button", name="Something is not right").click()
    customer.get_by_label("What is not right").fill("还是不冷")
    customer.get_by_role("button", name="Confirm", exact=True).click()

    expect(customer.locator(".tc-track-now")).to_have_text(f"{job.technician} is working on it")
    expect(page.locator(".tc-timeline")).to_contain_text("还是不冷")
    expect(page.locator(".tc-marks")).to_contain_text("Returned 1 time")


def test_a_customer_reads_no_internal_word(
    server: Server, context_as: LogIn, page_as: OpenPage, open_ticket: OpenTicket
) -> None:
    job = open_ticket()
    dispatcher = context_as("dispatcher")
    say(dispatcher, server, job, "客户爱投诉，小心", for_customer=False)
    say(dispatcher, server, job, "师傅下午到", for_customer=True)
    customer = page_as(None, job.path, locale="en", **PHONE)

    expect(customer.locator(".tc-comment")).to_contain_text("师傅下午到")
    whole = customer.locator("body").inner_text()
    assert "客户爱投诉" not in whole
    assert "周明远" not in whole
    customer.get_by_label("Write to us").fill("请带梯子")
    customer.get_by_role("button", name="Send").click()
    expect(customer.locator(".tc-comment[data-teller=customer]")).to_contain_text("请带梯子")


def say(context: BrowserContext, server: Server, job: Opened, text: str, *, for_customer: bool) -> None:
    answer = context.request.post(
        f"/api/v1/tickets/{job.ticket_id}/comments",
        data={"command_id": str(uuid4()), "text": text, "for_customer": for_customer},
        headers={"origin": server.url},
    )
    assert answer.ok, answer.text()


def test_a_link_that_leads_nowhere_is_answered_kindly(page_as: OpenPage) -> None:
    page = page_as(None, "/track/not-a-link-of-ours", locale="en", **PHONE)

    expect(page.get_by_text("This link leads nowhere")).to_be_visible()


def test_of_two_who_claim_a_job_one_wins_and_the_other_reads_who(
    server: Server, context_as: LogIn, page_as: OpenPage, open_ticket: OpenTicket
) -> None:  # pains 33
    # The worker looks for somebody too, and now and then it is the first; then they race again.
    for trade in ("plumbing", "appliance", "hvac", "electrical", "plumbing", "appliance"):
        job = open_ticket("漏水漏电", values={"category": trade})
        # The few people of a trade may be away or full by now.
        if not job.login:
            continue
        other = fit_beside(server, context_as, job)
        if other is None:
            continue
        rivals = [page_as(login, "/my", locale="en", **PHONE) for login in (job.login, other)]
        for page in rivals:
            page.get_by_role("button", name="to claim").click()
        give_back(context_as(job.login), server, job)
        pressed = [press_claim(page, job) for page in rivals]
        if all(pressed):
            won, lost = sorted(map(answer_to, rivals), key=lambda told: "is yours" not in told)
            if "is yours" in won:
                break

    assert f"{job.no} is yours" in won
    assert name_of(server, who_has(server, job.no)) in lost


def fit_beside(server: Server, context_as: LogIn, job: Opened) -> str | None:
    """The log-in of somebody else who could do the job."""
    told = context_as("dispatcher").request.get(f"/api/v1/tickets/{job.ticket_id}").json()
    names = [each["name"] for each in told["decisions"][0]["candidates"] if not each["is_chosen"]]
    people = dict(rows(server, f"SELECT technician.name, login FROM {_PEOPLE}"))
    return people[names[0]] if names else None


def press_claim(page: Page, job: Opened) -> bool:
    press = (
        "no => { const it = document.querySelector(`[data-ticket=${no}] button`); it?.click(); return !!it }"
    )
    try:
        page.locator(f"[data-ticket={job.no}] button").wait_for(timeout=5_000)
    except TimeoutError:
        return False
    return bool(page.evaluate(press, job.no))


def answer_to(page: Page) -> str:
    notice = page.locator("[data-sonner-toast]").first
    notice.wait_for()
    return notice.inner_text()


def give_back(context: BrowserContext, server: Server, job: Opened) -> None:
    page = context.new_page()
    page.goto(f"/tickets/{job.ticket_id}")
    page.locator(".tc-step-ways .tc-btn[data-tone=quiet]").click()
    page.locator("dialog textarea").fill("车坏了")
    page.locator("dialog button[type=submit]").click()
    page.wait_for_url("**/my")


_PEOPLE = "technician JOIN user_account ON user_account.id = technician.user_id"


def name_of(server: Server, work: Work) -> str:
    query = f"SELECT technician.name FROM {_PEOPLE} WHERE login = ?"
    return str(rows(server, query, work.login)[0][0])


def rows(server: Server, query: str, *values: str) -> list[Any]:
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def test_two_who_work_on_one_ticket_see_each_other(page_as: OpenPage, open_ticket: OpenTicket) -> None:
    job = open_ticket()
    office = page_as("dispatcher", f"/tickets/{job.ticket_id}", locale="en")
    expect(office.locator(".tc-stages [data-state=here]")).to_contain_text("To accept")
    page = page_as(job.login, f"/tickets/{job.ticket_id}", locale="en", **PHONE)

    accept_the_job(page)

    expect(office.locator(".tc-stages [data-state=here]")).to_contain_text("In progress")


def test_off_duty_is_one_press(page_as: OpenPage) -> None:
    page = page_as("tech09", "/my", locale="en", **PHONE)
    switch = page.get_by_role("switch")
    before = switch.get_attribute("aria-checked")

    switch.click()

    expect(switch).not_to_have_attribute("aria-checked", str(before))
    page.reload()
    expect(switch).not_to_have_attribute("aria-checked", str(before))
    switch.click()
    expect(switch).to_have_attribute("aria-checked", str(before))


@pytest.mark.parametrize(
    ("login", "sees_pay"),
    [("manager", True), ("finance", True), ("dispatcher", False), ("agent", False)],
)
def test_how_the_pay_came_about_is_for_those_who_may_see_amounts(
    server: Server, page_as: OpenPage, login: str, sees_pay: bool
) -> None:  # PRM-02
    page = page_as(login, f"/tickets/{finished_work(server).ticket_id}", locale="en")
    expect(page.locator("h1")).to_be_visible()
    page.locator(".tc-timeline").wait_for()

    assert page.get_by_text("How the pay came about").count() == sees_pay
    assert ("¥" in page.locator("main").inner_text()) == sees_pay


def test_the_dispatcher_sees_every_candidate_and_what_kept_the_others_out(
    page_as: OpenPage, open_ticket: OpenTicket
) -> None:
    job = open_ticket()
    page = page_as("dispatcher", f"/tickets/{job.ticket_id}", locale="en")

    chosen = page.locator(".tc-candidates [data-chosen=true]")
    expect(chosen).to_contain_text(job.technician)
    expect(chosen).to_contain_text("km away")
    page.get_by_text("Who was kept out").click()
    expect(page.locator(".tc-excluded li").first).to_be_visible()
