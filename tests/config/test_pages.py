"""The start page, what problems mean, health, and what a lost visitor sees."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.db import OperationalError, connection
from django.test import Client, override_settings

from config.kernel.api.views import _kinds
from config.kernel.errors import RistourneError
from config.problems import ADVICE

OWN_CODE = re.compile(r"(config|members|segments|loyalty|rewards)\.")
pytestmark = pytest.mark.django_db


def codes() -> set[str]:
    """Every code the project's errors have (tests may define errors of their own)."""
    return {kind.code for kind in _kinds(RistourneError) if OWN_CODE.match(kind.__module__)}


def test_the_start_page_leads_to_pages_that_open(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    addresses = set(re.findall(r'href="(/[^"]*)"', page.content.decode()))
    assert {
        "/api/v1/docs",
        "/api/v1/redoc",
        "/api/v1/schema",
        "/api/v1/docs/problems",
        "/admin/",
    } <= addresses
    for address in addresses - {"/admin/"}:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address
        else:
            assert client.get(address).status_code == 200, address
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("address", ["/", "/api/v1/docs/problems", "/nowhere"])
def test_pages_need_nothing_inline_and_nothing_from_elsewhere(client: Client, address: str) -> None:
    text = client.get(address).content.decode()
    assert not re.search(r"<style|<script|style=|\son\w+=|https?://", text)


def test_the_start_page_asks_the_database_nothing(client: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        client.get("/")


def test_every_problem_is_explained(client: Client) -> None:
    assert set(ADVICE) == codes()
    text = client.get("/api/v1/docs/problems").content.decode()
    for code in codes():
        assert f'id="{code}"' in text
        assert ADVICE[code] in text


def test_health(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_health_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("no connection")

    monkeypatch.setattr(connection, "cursor", refuse)
    assert client.get("/healthz").status_code == 503


@override_settings(SECURE_SSL_REDIRECT=True)
def test_load_balancers_ask_for_health_without_tls(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/").status_code == 301


def test_a_lost_visitor_is_led_back(client: Client) -> None:
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert "There is nothing at this address." in page.content.decode()


def test_a_broken_page_says_so_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret cause")

    monkeypatch.setattr("config.views.IndexPage.get_context_data", fail)
    page = Client(raise_request_exception=False).get("/")
    assert page.status_code == 500
    assert "Something went wrong on our side." in page.content.decode()
    assert "secret cause" not in page.content.decode()
