"""Request ids, log lines, policies, and what calls of the API do not pass."""

import json
import logging

import pytest
import structlog
from django.test import Client
from structlog.testing import capture_logs

from config.kernel.logging import logging_config
from members.models import Member
from tests.factories import ApiClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("given", ["0191f2a4-6c2b", "abc.DEF_123-xyz"])
def test_a_sane_request_id_is_kept(till: ApiClient, given: str) -> None:
    assert till.get("/api/v1/languages", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "a b c d e f", "line\nbreak", "<script>alert"])
def test_any_other_gets_one_of_ours(till: ApiClient, given: str) -> None:
    answer = till.get("/api/v1/languages", headers={"X-Request-Id": given})
    assert len(answer.headers["X-Request-Id"]) == 36


def test_the_log_line(till: ApiClient, ada: Member) -> None:
    with capture_logs() as lines:
        answer = till.get("/api/v1/members/10042?lang=fr&email=ada@example.org")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line.pop("ms") > 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "api/v1/members/<code:member>",
        "status": 200,
        "client": till.partner.client_id,
        "programme": "choco-club",
    }
    assert answer.headers["X-Request-Id"]


def test_no_line_names_people_tokens_or_queries(
    till: ApiClient, ada: Member, capsys: pytest.CaptureFixture[str]
) -> None:
    till.get("/api/v1/members/10042?email=ada@example.org")
    till.get("/api/v1/members/someone-unknown")
    till.post_json("/api/v1/members", {"member": "10099", "first_name": "Augusta"})
    output = capsys.readouterr().out
    assert output.count("request") >= 3
    for secret in (till.token, "10042", "ada@example.org", "someone-unknown", "Augusta", "10099"):
        assert secret not in output


def test_the_id_is_on_the_lines_of_the_request(till: ApiClient, capsys: pytest.CaptureFixture[str]) -> None:
    till.get("/api/v1/languages", headers={"X-Request-Id": "request-id-77"})
    assert "request_id=request-id-77" in capsys.readouterr().out
    assert structlog.contextvars.get_contextvars() == {}


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    config = logging_config(as_json=True, level="INFO")
    try:
        structlog.get_logger().info("told", points=3)
        secret = "value of a local variable"
        try:
            raise RuntimeError("broken")
        except RuntimeError:
            structlog.get_logger().exception("failed")
    finally:
        logging_config(as_json=False, level="INFO")
    told, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert (told["event"], told["points"], told["level"]) == ("told", 3, "info")
    assert "RuntimeError: broken" in failed["exception"]
    assert secret not in failed["exception"].replace(f'secret = "{secret}"', "")
    assert config["root"]["level"] == logging.getLevelName(logging.WARNING)


def test_a_page_that_fails_leaves_its_cause_in_the_log_and_no_path(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("config.views.IndexPage.get", broken)
    browser = Client(raise_request_exception=False)
    assert browser.get("/?code=4NRW").status_code == 500
    assert browser.get("/nothing-here").status_code == 404
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.getMessage() == "unexpected_error"
    assert record.levelname == "ERROR"
    assert record.exc_info
    assert str(record.exc_info[1]) == "broken"


def test_an_unknown_level_stops_the_start() -> None:
    with pytest.raises(ValueError, match="LOG_LEVEL"):
        logging_config(as_json=True, level="LOUD")


def test_calls_of_the_api_know_no_session_and_no_cookie(till: ApiClient) -> None:
    answer = till.get("/api/v1/languages", headers={"Cookie": "sessionid=x; csrftoken=y"})
    assert not hasattr(answer.wsgi_request, "session")
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_a_call_needs_one_query_after_its_token_is_known(till: ApiClient, django_assert_num_queries) -> None:
    till.get("/api/v1/languages")
    with django_assert_num_queries(2):
        till.get("/api/v1/languages")


def test_policies_of_pages() -> None:
    login = Client().get("/admin/login/")
    assert login.status_code == 200
    assert "default-src 'self'" in login.headers["Content-Security-Policy"]
    docs = Client().get("/api/v1/docs")
    assert "worker-src" in docs.headers["Content-Security-Policy"]
    missing = Client().get("/nothing-here")
    assert missing.status_code == 404
    assert "unsafe" not in missing.headers["Content-Security-Policy"]
    assert missing.headers["X-Request-Id"]
    assert missing.headers["X-Content-Type-Options"] == "nosniff"
