"""The pages on which a member signs in and says who she is."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.kernel.rates import Rate
from members import views
from members.look import digest
from members.models import Member, MemberSession, Programme, SignInRequest
from members.services import member_close, session_revoke, sessions_clean, sign_in_answer
from tests.factories import ApiClient, MemberFactory

SIGN_IN = "/my/choco-club/sign-in"
COLOUR = "#7b3f00"


@pytest.fixture
def ada(programme: Programme) -> Member:
    return MemberFactory(
        programme=programme,
        number="10042",
        email="ada@example.org",
        language="nl-BE",
        consents={"newsletter": True, "terms": "v3"},
    )


@pytest.fixture
def phone(till: ApiClient, ada: Member) -> Client:
    """Ada's, signed in through a partner; checks CSRF as a phone meets it."""
    phone = Client(enforce_csrf_checks=True)
    login = till.post_json("/api/v1/identifications", {"member": "10042", "device": "Shop"}).json()[
        "login_url"
    ]
    assert phone.get(login).status_code == 302
    return phone


def post(phone: Client, path: str, page: str = "/my/profile", **fields: Any) -> Any:
    """Post a form as its page made it, token included."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', phone.get(page).content.decode())
    assert token
    return phone.post(path, {"csrfmiddlewaretoken": token[1], **fields})


def answer_all() -> int:
    """What the job does with every request."""
    requests = SignInRequest.objects.filter(answered_at=None)
    return sum(sign_in_answer(request_id=asked.pk, now=timezone.now()) for asked in requests)


def link() -> str:
    found = re.search(r"http://testserver(/my/enter-by-email/\S+)", mail.outbox[-1].body)
    assert found
    return found[1]


def test_signing_in_by_mail(ada: Member) -> None:
    phone = Client()
    assert phone.get(SIGN_IN).status_code == 200
    sent = phone.post(SIGN_IN, {"email": "Ada@Example.org"})
    assert sent.status_code == 200
    assert answer_all() == 1
    assert mail.outbox[0].to == ["ada@example.org"]
    assert phone.get(link()).status_code == 200
    assert not MemberSession.objects.get().entered_at, "looking at the link does not use it"
    assert phone.post(link()).headers["Location"] == "/my/"
    page = phone.get("/my/profile")
    assert page.status_code == 200
    assert "10042" in page.content.decode()
    assert Client().post(link()).status_code == 410


def test_known_and_unknown_addresses_are_answered_alike(ada: Member) -> None:
    """Same page, same rows, same number of queries; only the job knows."""
    known, unknown = (
        Client().post(SIGN_IN, {"email": email}) for email in ("ada@example.org", "eve@example.org")
    )
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert SignInRequest.objects.count() == 2
    assert answer_all() == 1
    assert [message.to for message in mail.outbox] == [["ada@example.org"]]
    assert answer_all() == 0, "a request is answered once"


def test_closed_members_and_other_programmes_get_no_mail(ada: Member) -> None:
    MemberFactory(email="ada@example.org")
    member_close(member=ada, now=timezone.now())
    Client().post(SIGN_IN, {"email": "ada@example.org"})
    assert answer_all() == 0
    assert mail.outbox == []


def test_a_mail_link_lives_for_fifteen_minutes(ada: Member) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        Client().post(SIGN_IN, {"email": "ada@example.org"})
        answer_all()
        clock.shift(timedelta(minutes=15, seconds=1))
        assert Client().post(link()).status_code == 410


def test_too_many_links_for_one_address_are_not_sent_and_nobody_is_told(ada: Member) -> None:
    pages = {Client().post(SIGN_IN, {"email": "ada@example.org"}).content for _ in range(8)}
    assert len(pages) == 1
    assert answer_all() == 5


def test_too_many_links_from_one_place(ada: Member) -> None:
    statuses = [Client().post(SIGN_IN, {"email": f"a{n}@example.org"}).status_code for n in range(31)]
    assert statuses == [200] * 30 + [429]


def test_places_are_told_apart_behind_a_proxy(
    ada: Member, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the address that the proxy added, whatever a caller claims; without a proxy claims count for nothing."""
    monkeypatch.setattr(views, "SIGN_INS", Rate(2, 3600))

    def ask(place: str) -> int:
        said = {"X-Forwarded-For": place}
        return Client(headers=said).post(SIGN_IN, {"email": "ada@example.org"}).status_code

    settings.TRUST_PROXY = True
    assert [ask(f"10.0.0.{n}, 192.0.2.1") for n in range(3)] == [200, 200, 429]
    assert [ask(place) for place in ("192.0.2.2", "2001:db8::1", "192.0.2.2")] == [200, 200, 200]
    settings.TRUST_PROXY = False
    assert [ask(f"192.0.2.{n}") for n in range(3, 6)] == [200, 200, 429]


def test_a_mail_that_could_not_be_sent_is_sent_later(ada: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is locked while it goes out: she may change her language meanwhile."""
    Client().post(SIGN_IN, {"email": "ada@example.org"})

    depth = len(connection.savepoint_ids)

    def fail(mail: Any) -> None:
        assert len(connection.savepoint_ids) == depth, "what was decided is committed by then"
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", fail)
        with pytest.raises(ConnectionRefusedError):
            answer_all()
    assert answer_all() == 1
    assert Client().post(link()).status_code == 302


def test_links_that_nobody_used_are_no_sessions(phone: Client) -> None:
    """Whoever types her address into the form makes no row on her profile."""
    Client(headers={"user-agent": "Mozilla/5.0 Firefox/130"}).post(SIGN_IN, {"email": "ada@example.org"})
    assert answer_all() == 1
    assert phone.get("/my/profile").content.decode().count("/end") == 0
    Client().post(link())
    assert phone.get("/my/profile").content.decode().count("/end") == 1


def test_the_page_after_signing_out_speaks_every_language(phone: Client) -> None:
    assert phone.get("/my/sign-out").status_code == 404, "looking signs nobody out"
    post(phone, "/my/sign-out")
    answer = phone.get("/my/sign-out?lang=fr")
    assert answer.status_code == 200
    assert "Vous êtes déconnecté" in answer.content.decode()


def test_a_look_at_a_login_address_does_not_use_it_up(till: ApiClient, ada: Member) -> None:
    login = till.post_json("/api/v1/identifications", {"member": "10042"}).json()["login_url"]
    assert Client().head(login).status_code == 405
    assert Client().get(login).status_code == 302


@pytest.mark.parametrize(
    "email",
    ["", "ada", "a@b@c", "ada@example.org\nBcc: eve@example.org", f"ada@{'a.' * 140}example.org"],
)
def test_what_is_no_address(ada: Member, email: str) -> None:
    assert Client().post(SIGN_IN, {"email": email}).status_code == 422
    assert not SignInRequest.objects.exists()


def test_an_unknown_programme(db: None) -> None:
    assert Client().get("/my/nobody/sign-in").status_code == 404


def test_a_stranger_is_told_how_to_come_in(db: None) -> None:
    answer = Client().get("/my/profile")
    assert answer.status_code == 401
    assert "not signed in" in answer.content.decode()


def test_who_was_here_before_is_sent_to_sign_in(phone: Client) -> None:
    session_revoke(session=MemberSession.objects.get(), now=timezone.now())
    assert phone.get("/my/profile").headers["Location"] == SIGN_IN


def test_pages_about_a_person_are_not_kept(phone: Client) -> None:
    page = phone.get("/my/profile")
    assert page.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_the_profile(phone: Client, ada: Member) -> None:
    """Consents that were asked for can be given and taken; what else is kept there stays."""
    saved = post(phone, "/my/profile", language="fr")
    assert saved.headers["Location"] == "/my/profile"
    ada.refresh_from_db()
    assert (ada.language, ada.consents) == ("fr", {"newsletter": True, "terms": "v3"})
    post(phone, "/my/profile/consents", code="newsletter", value="no")
    ada.refresh_from_db()
    assert (ada.language, ada.consents) == ("fr", {"newsletter": False, "terms": "v3"})


def test_a_form_from_elsewhere_changes_nothing(phone: Client, ada: Member) -> None:
    assert phone.post("/my/profile", {"language": "fr"}).status_code == 403
    assert phone.post("/my/sign-out").status_code == 403
    ada.refresh_from_db()
    assert ada.language == "nl-BE"
    assert phone.get("/my/profile").status_code == 200


def test_sessions_are_listed_and_ended(phone: Client, till: ApiClient, ada: Member) -> None:
    other = till.post_json("/api/v1/identifications", {"member": "10042", "device": "Old phone"}).json()
    assert "Old phone" in phone.get("/my/profile").content.decode()
    ended = post(phone, f"/my/profile/sessions/{other['session']}/end")
    assert ended.status_code == 302
    cookie = f"member={other['cookie']['value']}"
    assert Client(headers={"cookie": cookie}).get("/api/v1/me").status_code == 401
    assert phone.get("/my/profile").status_code == 200


def test_nobody_ends_the_session_of_another(phone: Client, till: ApiClient, bob: Member) -> None:
    others = till.post_json("/api/v1/identifications", {"member": "10043"}).json()
    assert post(phone, f"/my/profile/sessions/{others['session']}/end").status_code == 404
    assert MemberSession.objects.filter(revoked_at=None).count() == 2


def test_signing_out(phone: Client) -> None:
    answer = post(phone, "/my/sign-out")
    assert answer.status_code == 200
    assert answer.cookies["member"].value == ""
    assert MemberSession.objects.get().revoked_at is not None
    assert phone.get("/api/v1/me").status_code == 401


def test_a_worn_cookie_is_renewed_while_the_session_lasts(till: ApiClient, ada: Member) -> None:
    Programme.objects.update(colour=COLOUR)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        phone = Client()
        phone.get(till.post_json("/api/v1/identifications", {"member": "10042"}).json()["login_url"])
        first = phone.cookies["member"].value
        clock.shift(timedelta(minutes=14))
        assert "member" not in phone.get("/my/profile").cookies
        clock.shift(timedelta(minutes=2))
        sheet = phone.get(f"/my/choco-club/look-{digest(COLOUR)}.css")
        assert "public" in sheet.headers["Cache-Control"]
        assert not sheet.cookies, "what caches keep for everybody carries nobody's cookie"
        assert phone.get("/my/profile").cookies["member"].value != first
        clock.shift(timedelta(minutes=29))
        assert phone.get("/my/profile").status_code == 200


def test_cleaning(phone: Client, till: ApiClient, ada: Member) -> None:
    Client().post(SIGN_IN, {"email": "ada@example.org"})
    now = timezone.now()
    assert sessions_clean(now=now + timedelta(hours=20)) == 0
    assert sessions_clean(now=now + timedelta(hours=40)) == 2
    assert not MemberSession.objects.exists()
