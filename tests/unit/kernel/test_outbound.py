"""Which addresses the console may call."""

import pytest

from ticket_console.kernel.outbound import AddressNotAllowed, is_web_address, refuse_unless_allowed

HOSTS = ("crm.example.com", "erp.example.com:8443", "*.partner.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com/hook",
        "http://CRM.example.com/hook?key=1",
        "https://crm.example.com:443/",
        "https://erp.example.com:8443/",
        "https://a.partner.example/x",
        "https://a.b.partner.example/x",
    ],
)
def test_a_listed_host_may_be_called(url: str) -> None:
    refuse_unless_allowed(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com:8443/",
        "https://erp.example.com/",
        "https://partner.example/",
        "https://evilpartner.example/",
        "https://crm.example.com.evil.example/",
        "https://crm.example.com@evil.example/",
        "https://li:secret@crm.example.com/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "ftp://crm.example.com/",
        "file:///etc/passwd",
        "https://",
        "https://a\\.partner.example/x",
        "https://a b.partner.example/x",
        "https://crm.example.com/ x",
        "https://crm.example.com/\x07",
        "https://crm.exa\nmple.com/",
        "https://crm.example.com:99999/",
        "//crm.example.com/",
        "",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        refuse_unless_allowed(url, HOSTS)


def test_without_a_list_nothing_may_be_called() -> None:
    with pytest.raises(AddressNotAllowed):
        refuse_unless_allowed("https://crm.example.com/", ())


def test_a_refusal_does_not_repeat_what_may_be_secret() -> None:
    with pytest.raises(AddressNotAllowed) as refusal:
        refuse_unless_allowed("https://evil.example/hook?token=hunter2", HOSTS)

    assert refusal.value.params == {"address": "https://evil.example/hook"}


@pytest.mark.parametrize("url", ["https://[broken/", "https://host:port/", "mailto:li@example.com"])
def test_what_is_no_address_is_none(url: str) -> None:
    assert not is_web_address(url)
