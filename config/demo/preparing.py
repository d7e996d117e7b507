"""Everything the demo needs to be served: programmes, people who sign in, and their secrets."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from config import journey
from config.demo import place
from config.demo.club import club_create
from config.demo.gifts import CATEGORIES, gifts_create
from config.demo.groups import CLUB, JOURNEY, groups_create
from config.demo.household import household_create, household_of
from config.demo.orders import orders_create
from config.demo.paintings import logo
from members.models import Member, Partner, Programme
from members.services import partner_create, programme_logo_set, staff_create

Say = Callable[[str], None]
PARTNER = "Demo shop"
SUPERUSER, CLUB_STAFF = "demo", "choco"
OLDEST_RECEIPT_DAYS = 36500
JOURNEY_GIFTS = ("children", "kitchen", "solidarity", "vouchers")


def prepare(say: Say, verbosity: int) -> dict[str, Any]:
    """Make what is missing, keep what is there, and return the secrets. `say` hears what is going on."""
    say("Migrating the database")
    call_command("migrate", verbosity=0, interactive=False)
    now = datetime.now(UTC)
    found = place.secrets_read()
    club = Programme.objects.filter(code="choco-club").first()
    if club is None:
        say("Programme choco-club: rules, products and a year of shopping")
        club = club_create(now)
    travelled = Programme.objects.filter(code="journey").first()
    if travelled is None:
        say("Programme journey: a real supermarket's products, households and mailings")
        travelled = journey.journey_create()
    if "journey" not in found.get("programmes", {}):
        # Receipts that are booked already are counted as such: an interrupted import just goes on.
        say("Programme journey: receipts")
        _import_receipts(verbosity)
    for programme, kept in ((club, CATEGORIES), (travelled, JOURNEY_GIFTS)):
        if not programme.rewards.exists():
            say(f"Programme {programme.code}: gifts")
            gifts_create(programme, now, kept)
    orders_create(club, now)
    household_create(travelled, datetime.now(UTC))
    if not club.logo:
        programme_logo_set(programme=club, content=logo(club.name, "#5a2d0c", "#a4633a"))
    groups_create(club, CLUB, now)
    groups_create(travelled, JOURNEY, now)
    content = {
        "base_url": found.get("base_url", ""),
        "programmes": {
            programme.code: _partner(programme, found.get("programmes", {}).get(programme.code))
            for programme in (club, travelled)
        },
        "household": household_of(travelled).number,
        "staff": _staff(SUPERUSER, found.get("staff"), []),
        "club_staff": _staff(CLUB_STAFF, found.get("club_staff"), [club]),
    }
    place.secrets_write(content)
    return content


def _import_receipts(verbosity: int) -> None:
    call_command(
        "import_transactions",
        journey.RECEIPTS,
        programme="journey",
        map=list(journey.COLUMNS.items()),
        backdate=OLDEST_RECEIPT_DAYS,
        rejects=settings.VAR_DIR / "journey.rejects.csv",
        verbosity=verbosity,
    )


def _partner(programme: Programme, found: dict[str, Any] | None) -> dict[str, Any]:
    """The credentials of a partner with every scope, as kept or made afresh, and the programme's members."""
    if not found or not Partner.objects.filter(programme=programme, client_id=found["client_id"]).exists():
        partner, secret = partner_create(programme=programme, name=PARTNER, scopes=settings.SCOPES)
        found = {"client_id": partner.client_id, "client_secret": secret}
    numbers = Member.objects.filter(programme=programme).order_by("number").values_list("number", flat=True)
    return {
        "client_id": found["client_id"],
        "client_secret": found["client_secret"],
        "members": list(numbers),
    }


def _staff(name: str, found: dict[str, str] | None, programmes: list[Programme]) -> dict[str, str]:
    """Name and password of a staff user, as kept or made afresh; without programmes a superuser."""
    user = get_user_model().objects.filter(username=name).first()
    if user is not None and found:
        return found
    password = secrets.token_urlsafe(12)
    if user is None:
        staff_create(username=name, password=password, programmes=programmes, is_superuser=not programmes)
    else:
        user.set_password(password)
        user.save()
    return {"username": name, "password": password}
