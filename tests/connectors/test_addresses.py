"""Addresses that could never be called, or not safely, are found before anything is called."""

import pytest

from connectors.addresses import check_proxy, check_url


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://127.0.0.1:99999", "the port must be a number from 1 to 65535"),
        ("http://127.0.0.1:abc", "the port must be"),
        ("https://acme.com:0", "the port must be"),
        ("https://acme .com", "must be a URL such as"),
        ("https://acme.com/a b", "must be a URL such as"),
        ("https://acme.com\n", "must be a URL such as"),
        ("https://[::1", "must be a URL such as"),
        ("https://a..b", "must be a URL such as"),
        ("https://-", "must be a URL such as"),
        (f"https://{'a' * 64}.com", "must be a URL such as"),
        ("https://*.acme.com", "must be a URL such as"),
        ("ftp://acme.com", "must be a URL such as"),
        ("https://acme.com#", "must be scheme, host and path only"),
        ("https://acme.com?a=b", "must be scheme, host and path only"),
        ("https://joe:very-secret@acme.com", "must be scheme, host and path only"),
        ("http://acme.com", "plain http is accepted for loopback only"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_without_being_repeated(address: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        check_url(address)

    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["https://acme.my.salesforce.com", "https://crm.acme.com:8443/api", "http://127.0.0.1:8800", "https://[::1]:8443",
     "https://müller.example", "http://localhost:8800", "https://my_sap.example.com"],
)  # fmt: skip
def test_an_address_of_a_crm_is_taken_without_its_last_slash(address: str) -> None:
    assert check_url(f"{address}/") == address


def test_a_proxy_may_be_plain_http_but_must_have_a_port_that_is_one() -> None:
    assert check_proxy("http://proxy.example.com:3128") == "http://proxy.example.com:3128"
    with pytest.raises(ValueError, match="the port must be"):
        check_proxy("http://proxy.example.com:312800")
