"""Where a browser comes from: what tells one address from another, and what nobody can make up."""

from types import SimpleNamespace

import pytest
import streamlit as st

from fmnist.ui.state import classroom


@pytest.mark.parametrize(
    ("direct", "forwarded", "address"),
    [
        ("192.168.7.8", None, "192.168.7.8"),
        ("192.168.7.8", "10.0.0.1", "192.168.7.8"),  # who isn't a proxy here says what he likes
        (None, None, "this machine"),
        (None, "10.0.0.1", "10.0.0.1"),
        (None, "1.2.3.4, 10.0.0.1", "10.0.0.1"),  # what the proxy itself has seen stands last
        (None, "x" * 9999, "x" * 45),
    ],
)
def test_an_address_is_that_of_the_connection_or_what_a_proxy_on_this_machine_says(
    direct: str | None, forwarded: str | None, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    monkeypatch.setattr(st, "context", SimpleNamespace(ip_address=direct, headers=headers))
    assert classroom.address() == address
