"""What members are asked, in which words: set up by staff, said by members, partners and staff, shown for good."""

import re
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.db import transaction as db_transaction
from django.test import Client
from django.urls import reverse

from config.kernel.errors import ValidationFailed
from config.kernel.flat import MAX_FLAT_BYTES
from members.models import ConsentChange, ConsentPurpose, ConsentWording, Member, Programme
from members.services import consent_purpose_save
from tests.factories import ApiClient, ProgrammeFactory
from tests.loyalty.desks import texts
from tests.loyalty.worlds import MONDAY
from tests.rewards.test_member_pages import browser_of, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:members_consentpurpose_changelist")
ADD = reverse("admin:members_consentpurpose_add")
NAMES = {"fr": "Lettre d'information", "nl-BE": "Nieuwsbrief"}
TEXTS = {"fr": "Une lettre par mois.", "nl-BE": "Eén brief per maand."}


@pytest.fixture
def news(programme: Programme) -> ConsentPurpose:
    return consent_purpose_save(programme=programme, code="newsletter", names=NAMES, texts=TEXTS, now=MONDAY)


@pytest.fixture
def phone(till: ApiClient, ada: Member, monday: time_machine.Traveller) -> Client:
    Member.objects.filter(pk=ada.pk).update(language="nl-BE")
    return browser_of(till)


def edit(purpose: ConsentPurpose) -> str:
    return reverse("admin:members_consentpurpose_change", args=[purpose.pk])


def saved(desk: Client, purpose: ConsentPurpose, form: dict[str, Any], **how: Any) -> Any:
    """Send the page of a purpose as a browser that has just opened it."""
    seen = desk.get(edit(purpose)).context["adminform"].form["started_from"].value()
    return desk.post(edit(purpose), {"started_from": seen, **form}, **how)


def say(phone: Client, value: str, wording: Any = "", code: str = "newsletter") -> Any:
    return phone.post("/my/profile/consents", {"code": code, "value": value, "wording": wording}, follow=True)


def said() -> list[tuple[Any, int | None]]:
    """Value and number of the wording, oldest first."""
    rows = ConsentChange.objects.order_by("id").select_related("wording")
    return [(row.value, row.wording and row.wording.number) for row in rows]


# --- The member -------------------------------------------------------------------------------------------


def test_asked_and_not_ticked(phone: Client, news: ConsentPurpose, ada: Member) -> None:
    """Who never said anything has agreed to nothing, and reads what she is asked in her language."""
    page = text_of(phone.get("/my/profile"))
    assert "Nieuwsbrief niet akkoord Eén brief per maand. Akkoord gaan" in page
    assert not ConsentChange.objects.exists()
    ada.refresh_from_db()
    assert ada.consents == {}


def test_agree_and_withdraw(phone: Client, news: ConsentPurpose, ada: Member) -> None:
    assert "Bewaard." in text_of(say(phone, "yes", 1))
    assert "Bewaard." in text_of(say(phone, "yes", 1))
    ada.refresh_from_db()
    assert (ada.consents, said()) == ({"newsletter": True}, [(True, 1)])
    page = text_of(phone.get("/my/profile"))
    assert "Nieuwsbrief akkoord Eén brief per maand. sinds 23 november 2026 Intrekken" in page
    assert "tekst nr. 1" in page
    say(phone, "no", 1)
    ada.refresh_from_db()
    assert (ada.consents, said()) == ({"newsletter": False}, [(True, 1), (False, 1)])


def test_other_words_are_asked_again(
    phone: Client, news: ConsentPurpose, monday: time_machine.Traveller, programme: Programme
) -> None:
    """What was agreed to stays readable; it is not agreed to the new words by silence."""
    say(phone, "yes", 1)
    more = {"nl-BE": "Twee brieven per maand.", "fr": "Deux lettres par mois."}
    consent_purpose_save(programme=programme, code="newsletter", texts=more, now=MONDAY)
    page = text_of(phone.get("/my/profile"))
    assert "Twee brieven per maand. De tekst is veranderd sinds uw akkoord." in page
    assert "Eén brief per maand." in page, "what she agreed to"
    assert page.index("Akkoord gaan") < page.index("Intrekken")
    assert "De tekst is intussen veranderd." in text_of(say(phone, "yes", 1))
    assert said() == [(True, 1)]
    say(phone, "yes", 2)
    assert said() == [(True, 1), (True, 2)]
    assert "veranderd sinds" not in text_of(phone.get("/my/profile"))


def test_who_agreed_before_there_were_words(phone: Client, till: ApiClient, programme: Programme) -> None:
    """No text has changed for her: there was none. What she said stays as she said it."""
    till.patch_json("/api/v1/members/10042", {"consents": {"newsletter": True}})
    consent_purpose_save(programme=programme, code="newsletter", names=NAMES, texts=TEXTS, now=MONDAY)
    page = text_of(phone.get("/my/profile"))
    assert "Nieuwsbrief akkoord Eén brief per maand." in page
    assert "De tekst is veranderd" not in page
    assert "Akkoord gaan Intrekken" in page, "she may agree to the words there are now"
    say(phone, "yes", 1)
    assert said() == [(True, None), (True, 1)]
    assert "Akkoord gaan" not in text_of(phone.get("/my/profile"))


def test_a_withdrawal_needs_no_words(phone: Client, news: ConsentPurpose, programme: Programme) -> None:
    say(phone, "yes", 1)
    consent_purpose_save(programme=programme, code="newsletter", texts={"fr": "Autre."}, now=MONDAY)
    say(phone, "no", 1)
    assert said() == [(True, 1), (False, 2)]


def test_a_stale_page_says_nothing_of_others(
    phone: Client, till: ApiClient, news: ConsentPurpose, ada: Member
) -> None:
    """A shop withdraws something while her page is open."""
    till.patch_json("/api/v1/members/10042", {"consents": {"newsletter": True, "sms": True}})
    phone.get("/my/profile")
    till.patch_json("/api/v1/members/10042", {"consents": {"newsletter": True, "sms": False}})
    say(phone, "no", 1)
    ada.refresh_from_db()
    assert ada.consents == {"newsletter": False, "sms": False}


def test_what_is_offered_no_more(phone: Client, news: ConsentPurpose, programme: Programme) -> None:
    """Who agreed may still withdraw; who did not is not asked and cannot agree."""
    say(phone, "yes", 1)
    consent_purpose_save(programme=programme, code="newsletter", is_offered=False, now=MONDAY)
    assert "Nieuwsbrief akkoord" in text_of(phone.get("/my/profile"))
    say(phone, "no")
    assert said()[-1] == (False, 1)
    assert "Akkoord gaan" not in text_of(phone.get("/my/profile"))
    assert say(phone, "yes", 1).status_code == 404
    assert said()[-1] == (False, 1)
    Member.objects.update(consents={})
    page = text_of(phone.get("/my/profile"))
    assert not {"Akkoord gaan", "Intrekken"} & set(re.findall("Akkoord gaan|Intrekken", page))
    assert say(phone, "yes", 1).status_code == 404


@pytest.mark.parametrize("code", [" news ", "", "a\tb"])
def test_whatever_a_partner_calls_it_can_be_withdrawn(phone: Client, till: ApiClient, code: str) -> None:
    till.patch_json("/api/v1/members/10042", {"consents": {code: True}})
    assert say(phone, "no", code=code).status_code == 200
    assert said()[-1] == (False, None)


def test_no_more_than_is_kept_of_a_member(phone: Client, till: ApiClient, news: ConsentPurpose) -> None:
    """What a partner filled up stays as it was, and hinders nothing else."""
    full = {"x": "y" * (MAX_FLAT_BYTES - len('{"x":""}'))}
    assert till.patch_json("/api/v1/members/10042", {"consents": full}).status_code == 200
    assert "Dat lukte niet." in text_of(say(phone, "yes", 1))
    assert [value for value, _ in said()] == [full["x"]]
    assert phone.post("/my/profile", {"language": "fr"}).status_code == 302


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "unknown", "value": "yes"},
        {"code": "unknown", "value": "no"},
        {"code": "terms", "value": "yes"},
        {"code": "newsletter", "value": "maybe"},
        {"code": "newsletter"},
        {"value": "yes"},
        {"code": "newsletter", "value": "yes", "wording": "x"},
        {"code": "newsletter", "value": "yes", "wording": "99999999999"},
        {},
    ],
)
def test_what_nobody_asked(phone: Client, news: ConsentPurpose, ada: Member, fields: dict[str, str]) -> None:
    Member.objects.filter(pk=ada.pk).update(consents={"terms": "v3"})
    assert phone.post("/my/profile/consents", fields).status_code == 404
    assert Client().post("/my/profile/consents", fields).status_code == 401
    assert phone.get("/my/profile/consents").status_code == 405
    ada.refresh_from_db()
    assert (ada.consents, said()) == ({"terms": "v3"}, [])


def test_another_programmes_purposes(phone: Client, till: ApiClient) -> None:
    other = ProgrammeFactory(code="other")
    consent_purpose_save(programme=other, code="secret", names={"fr": "Ailleurs"}, now=MONDAY)
    assert "Ailleurs" not in text_of(phone.get("/my/profile"))
    assert say(phone, "yes", 1, "secret").status_code == 404


# --- Partners and staff -----------------------------------------------------------------------------------


def test_partners_say_it_of_the_words_that_hold(
    till: ApiClient, ada: Member, news: ConsentPurpose, programme: Programme
) -> None:
    patch = {"consents": {"newsletter": True, "sms": True}}
    assert till.patch_json("/api/v1/members/10042", patch).json()["consents"] == patch["consents"]
    assert said() == [(True, 1), (True, None)]
    consent_purpose_save(programme=programme, code="newsletter", texts={"fr": "Autre."}, now=MONDAY)
    till.patch_json("/api/v1/members/10042", {"consents": {"newsletter": False, "sms": True}})
    assert said() == [(True, 1), (True, None), (False, 2)]


def test_staff_set_a_purpose_up(desk: Client, programme: Programme) -> None:
    form = {"programme": programme.pk, "code": "newsletter", "position": "1", "is_offered": "on"}
    answer = desk.post(ADD, form)
    purpose = ConsentPurpose.objects.get()
    assert answer.headers["Location"] == edit(purpose)
    assert "Not written yet: members are not asked" in desk.get(LIST).content.decode()
    form = {"position": "1", "is_offered": "on", "name_fr": " Lettre ", "text_fr": "Une par mois."}
    assert saved(desk, purpose, form).status_code == 302
    wording = ConsentWording.objects.get()
    assert (wording.number, wording.names, wording.texts) == (
        1, {"fr": "Lettre"}, {"fr": "Une par mois."},
    )  # fmt: skip
    assert saved(desk, purpose, form).status_code == 302
    assert ConsentWording.objects.count() == 1, "the same words again are no new wording"
    saved(desk, purpose, {**form, "text_nl-BE": "Eén per maand."})
    assert list(purpose.wordings.values_list("number", "names", "texts")) == [
        (2, {"fr": "Lettre"}, {"fr": "Une par mois.", "nl-BE": "Eén per maand."}),
        (1, {"fr": "Lettre"}, {"fr": "Une par mois."}),
    ]
    page = desk.get(edit(purpose)).content.decode()
    assert "2, from" in page
    assert "1, from" in page
    saved(desk, purpose, {key: text for key, text in form.items() if key != "is_offered"})
    purpose.refresh_from_db()
    assert not purpose.is_offered


def test_a_page_that_staff_opened_before_takes_no_words_back(desk: Client, news: ConsentPurpose) -> None:
    form = {"position": "0", "is_offered": "on", **{f"name_{x}": text for x, text in NAMES.items()}}
    seen = desk.get(edit(news)).context["adminform"].form["started_from"].value()
    saved(desk, news, {**form, "text_fr": "Autre.", "text_nl-BE": TEXTS["nl-BE"]})
    late = {**form, "started_from": seen, "text_fr": TEXTS["fr"], "text_nl-BE": "Anders."}
    answer = desk.post(edit(news), late)
    assert "Somebody changed this purpose meanwhile." in answer.content.decode()
    assert [row.texts["fr"] for row in news.wordings.all()] == ["Autre.", TEXTS["fr"]]


def test_words_without_the_default_language(desk: Client, news: ConsentPurpose) -> None:
    form = {"position": "0", "is_offered": "on", "name_fr": "", "name_nl-BE": "Brief"}
    assert "default language" in " ".join(texts(saved(desk, news, form, follow=True)))
    for names in ({"de": "Brief", "fr": "Lettre"}, {"fr": "x" * 201}):
        with pytest.raises(ValidationFailed):
            consent_purpose_save(programme=news.programme, code="newsletter", names=names, now=MONDAY)
    assert ConsentWording.objects.count() == 1


def test_strangers_of_another_programme(stranger: Client, news: ConsentPurpose) -> None:
    assert not stranger.get(LIST).context["cl"].result_list
    assert stranger.get(edit(news)).status_code == 302
    assert stranger.post(edit(news), {"position": "0", "name_fr": "Mine"}).status_code == 302
    form = {"programme": news.programme_id, "code": "more", "position": "1"}
    assert stranger.post(ADD, form).status_code == 200
    assert ConsentPurpose.objects.count() == ConsentWording.objects.count() == 1


def test_words_stay_in_their_programme(news: ConsentPurpose, ada: Member) -> None:
    """The database refuses words of another programme's purpose, and a consent to another programme's words."""
    other = ProgrammeFactory()
    words = {"number": 2, "names": {}, "texts": {}, "since": MONDAY}
    with pytest.raises(IntegrityError, match="wording_purpose_of_programme"), db_transaction.atomic():
        ConsentWording.objects.create(programme=other, purpose=news, **words)
    theirs = consent_purpose_save(programme=other, code="newsletter", now=MONDAY)
    foreign = ConsentWording.objects.create(programme=other, purpose=theirs, **words)
    said = {"purpose": "newsletter", "value": True, "source": "member", "at": MONDAY}
    with pytest.raises(IntegrityError, match="consent_wording_of_programme"), db_transaction.atomic():
        ConsentChange.objects.create(programme=ada.programme, member=ada, wording=foreign, **said)


def test_words_are_never_rewritten(news: ConsentPurpose) -> None:
    for change in (
        lambda: ConsentWording.objects.update(texts={}),
        lambda: ConsentWording.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), db_transaction.atomic():
            change()
