"""What the database itself refuses of members."""

import pytest
from django.db import IntegrityError
from django.db import transaction as db_transaction

from config.kernel.errors import ValidationFailed
from members.errors import ProgrammeFrozen
from members.models import Activity, Member, Programme, ProgrammeLanguage
from members.services import Language, language_add, programme_create, programme_update, staff_create
from tests.factories import LONG_AGO, MemberFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db


def test_activity_stays_in_the_members_programme(ada: Member) -> None:
    Activity.objects.create(programme=ada.programme, member=ada, day="2026-11-23")
    other = ProgrammeFactory()
    with pytest.raises(IntegrityError, match="activity_member_of_programme"), db_transaction.atomic():
        Activity.objects.create(programme=other, member=ada, day="2026-11-24")


def test_one_activity_per_member_and_day(ada: Member) -> None:
    Activity.objects.create(programme=ada.programme, member=ada, day="2026-11-23", earned=5)
    with pytest.raises(IntegrityError), db_transaction.atomic():
        Activity.objects.create(programme=ada.programme, member=ada, day="2026-11-23")


def test_a_number_once_per_programme(ada: Member) -> None:
    MemberFactory(number=ada.number)
    with pytest.raises(IntegrityError, match="member_number_once"), db_transaction.atomic():
        MemberFactory(programme=ada.programme, number=ada.number)


def test_one_default_language(programme: Programme) -> None:
    with pytest.raises(IntegrityError, match="language_one_default"), db_transaction.atomic():
        ProgrammeLanguage.objects.filter(programme=programme).update(is_default=True)


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("USD", 2)])
def test_digits_of_a_currency(currency: str, digits: int) -> None:
    assert Programme(currency=currency).currency_digits == digits


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "../x"),
        ("code", ""),
        ("currency", "euro"),
        ("currency", "eur"),
        ("time_zone", "Mars/Base"),
        ("time_zone", "../../etc/passwd"),
        ("overdraw", "never"),
        ("backdating_days", -1),
    ],
)
def test_what_a_programme_cannot_be(field: str, value: object) -> None:
    fields = {"code": "club", "name": "Club", "currency": "EUR", "time_zone": "Europe/Brussels"} | {
        field: value
    }
    with pytest.raises(ValidationFailed) as caught:
        programme_create(now=LONG_AGO, **fields)
    assert caught.value.errors[0].pointer == f"/{field}"
    assert not Programme.objects.exists()


def test_currency_and_time_zone_freeze(ada: Member) -> None:
    programme_update(programme=ada.programme, time_zone="Europe/Paris")
    Activity.objects.create(programme=ada.programme, member=ada, day="2026-11-23")
    for change in ({"currency": "USD"}, {"time_zone": "Asia/Tokyo"}):
        with pytest.raises(ProgrammeFrozen):
            programme_update(programme=ada.programme, **change)
    programme = programme_update(programme=ada.programme, time_zone="Europe/Paris", grace_days=3)
    assert (programme.currency, programme.time_zone, programme.grace_days) == ("EUR", "Europe/Paris", 3)


@pytest.mark.parametrize(
    "language",
    [Language("xx-invalid-tag-!", "X"), Language("fr", "Again"), Language("de", "D", fallback="it")],
)
def test_languages_that_are_refused(programme: Programme, language: Language) -> None:
    with pytest.raises(ValidationFailed):
        language_add(programme=programme, language=language)
    assert programme.languages.count() == 2


def test_weak_passwords_of_staff(programme: Programme) -> None:
    with pytest.raises(ValidationFailed):
        staff_create(username="carol", password="password", programmes=[programme])
    assert not programme.staff_memberships.exists()
