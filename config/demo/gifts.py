"""Gifts for a programme of the demo: categories, pictures, and versions at every stage of validation.

What is in the catalogue is in gifts.csv. The pictures are painted, everything is written by the services.
"""

import csv
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from secrets import token_hex

from django.db import transaction as db_transaction

from config.demo.paintings import paint
from members.models import Programme
from members.selectors import languages_of
from members.services import Language, language_add
from rewards.models import Reward, RewardVersion
from rewards.services import (
    Content,
    Image,
    Terms,
    category_create,
    content_of,
    picture_store,
    pool_upload,
    reward_create,
    reward_pause,
    reward_retire,
    reward_revise,
    version_request_changes,
    version_submit,
    version_validate,
)

GIFTS = Path(__file__).with_suffix(".csv")
WRITER, CLIENT = "staff:choco", "staff:marie"
"""Who writes and submits the gifts, and who validates them for the client."""

Names = tuple[str, str, str]
LANGUAGES = (Language("fr", "Français"), Language("nl-BE", "Nederlands (België)"), Language("en", "English"))

CATEGORIES: dict[str, tuple[str, Names]] = {
    "gourmet": ("", ("Gourmandises", "Lekkernijen", "Fine food")),
    "chocolate": ("gourmet", ("Chocolat", "Chocolade", "Chocolate")),
    "coffee-tea": ("gourmet", ("Café et thé", "Koffie en thee", "Coffee and tea")),
    "home": ("", ("Maison", "Huis", "Home")),
    "kitchen": ("home", ("Cuisine", "Keuken", "Kitchen")),
    "garden": ("home", ("Jardin", "Tuin", "Garden")),
    "leisure": ("", ("Loisirs", "Vrije tijd", "Leisure")),
    "outings": ("leisure", ("Sorties", "Uitstappen", "Outings")),
    "wellness": ("leisure", ("Bien-être", "Welzijn", "Wellness")),
    "children": ("", ("Enfants", "Kinderen", "Children")),
    "vouchers": ("", ("Bons d'achat", "Waardebonnen", "Vouchers")),
    "solidarity": ("", ("Solidarité", "Solidariteit", "Solidarity")),
}
"""Each with the one it is in, in French, Dutch and English."""

DESCRIPTIONS: dict[str, Names] = {
    "physical": (
        "<p><strong>{}</strong>, choisi par notre équipe et emballé avec soin.</p><ul><li>Livraison en Belgique"
        " et au Luxembourg</li><li>Échange possible pendant 14 jours</li></ul>",
        "<p><strong>{}</strong>, gekozen door ons team en zorgvuldig verpakt.</p><ul><li>Levering in België en"
        " Luxemburg</li><li>Omruilen kan binnen 14 dagen</li></ul>",
        "<p><strong>{}</strong>, chosen by our team and wrapped with care.</p><ul><li>Delivered in Belgium and"
        " Luxembourg</li><li>Can be exchanged for 14 days</li></ul>",
    ),
    "digital_voucher": (
        "<p><strong>{}</strong> : votre bon arrive par e-mail en quelques instants.</p><p>À présenter imprimé ou"
        " sur votre téléphone.</p>",
        "<p><strong>{}</strong>: uw bon komt meteen per e-mail.</p><p>Toon hem afgedrukt of op uw telefoon.</p>",
        "<p><strong>{}</strong>: your voucher arrives by e-mail at once.</p><p>Show it printed or on your"
        " phone.</p>",
    ),
    "donation": (
        "<p><strong>{}</strong> : vos points deviennent un don, versé intégralement à l'association.</p>",
        "<p><strong>{}</strong>: uw punten worden een gift die volledig naar de vereniging gaat.</p>",
        "<p><strong>{}</strong>: your points become a gift that goes to the charity in full.</p>",
    ),
}
DESCRIPTIONS["pool_voucher"] = DESCRIPTIONS["digital_voucher"]
TERMS: dict[str, Names] = {
    "physical": ("Livré en 3 à 5 jours ouvrables.", "Levering in 3 tot 5 werkdagen.", "3 to 5 working days."),
    "digital_voucher": ("Par e-mail, tout de suite.", "Per e-mail, meteen.", "By e-mail, at once."),
    "pool_voucher": ("Par e-mail, tout de suite.", "Per e-mail, meteen.", "By e-mail, at once."),
    "donation": ("Une confirmation par e-mail.", "Een bevestiging per e-mail.", "A confirmation by e-mail."),
}

NOT_LIVE = {
    **dict.fromkeys(("GFT-106", "GFT-305", "GFT-605", "GFT-706", "GFT-952"), "submitted"),
    **dict.fromkeys(("GFT-204", "GFT-902"), "changes_requested"),
    **dict.fromkeys(("GFT-506", "GFT-955"), "draft"),
    **dict.fromkeys(("GFT-504", "GFT-704"), "scheduled"),
}
"""Gifts that nobody can order yet, and why."""
REVISED = {"GFT-88": 2200, "GFT-402": 2450, "GFT-805": 990}
"""Live gifts with a new price that waits for validation."""
PAUSED, ENDED = "GFT-404", "GFT-603"
REMARKS = {
    "GFT-204": "La photo montre un autre moulin : laquelle est la bonne ?",
    "GFT-902": "Indiquez l'âge à partir duquel on peut jouer.",
}


@db_transaction.atomic
def gifts_create(programme: Programme, now: datetime, kept: Collection[str] = CATEGORIES) -> None:
    """The catalogue as it stands after some months of work, in a programme that has none.

    Of the gifts only those in the `kept` categories.
    """
    spoken = _languages(programme)
    for position, (code, (parent, names)) in enumerate(CATEGORIES.items()):
        category_create(
            programme=programme,
            code=code,
            name=_texts(spoken, names),
            parent=programme.categories.get(code=parent) if parent else None,
            position=position,
            picture=picture_store(programme=programme, content=paint(code, 0), now=now),
        )
    opened = now - timedelta(days=90)
    rows = [row for row in _rows() if row["cat"] in kept]
    for number, row in enumerate(rows, start=1):
        reward = _draft(programme, spoken, row, number, opened + timedelta(hours=number))
        _bring(reward, NOT_LIVE.get(row["code"], "live"), now)
        if row["kind"] == "pool_voucher":
            codes = [f"{row['code']}-{token_hex(5).upper()}" for _ in range(int(row["stock"]))]
            pool_upload(reward=reward, texts=codes, valid_until=None, now=now)
        if row["code"] in REVISED:
            _revise(reward, REVISED[row["code"]], now - timedelta(hours=5))
    for code, turn, reason in (
        (PAUSED, reward_pause, "Le fournisseur est en rupture jusqu'à la fin du mois."),
        (ENDED, reward_retire, "N'est plus fabriqué."),
    ):
        for reward in programme.rewards.filter(code=code):
            turn(reward=reward, actor=WRITER, now=now, comment=reason)


def _languages(programme: Programme) -> tuple[str, ...]:
    """The programme's codes for French, Dutch and English; those it lacks are added."""
    known = {language.code.split("-")[0]: language.code for language in languages_of(programme)}
    for position, language in enumerate(LANGUAGES, start=len(known)):
        if language.code.split("-")[0] not in known:
            language_add(programme=programme, language=language, position=position)
    return tuple(known.get(language.code.split("-")[0], language.code) for language in LANGUAGES)


def _texts(spoken: tuple[str, ...], texts: Names) -> dict[str, str]:
    return dict(zip(spoken, texts, strict=True))


def _rows() -> Iterator[dict[str, str]]:
    with GIFTS.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file, delimiter="|")


def _draft(
    programme: Programme, spoken: tuple[str, ...], row: dict[str, str], number: int, at: datetime
) -> Reward:
    kind, names = row["kind"], (row["fr"], row["nl"], row["en"])
    described = tuple(text.format(name) for text, name in zip(DESCRIPTIONS[kind], names, strict=True))
    picture = picture_store(programme=programme, content=paint(row["cat"], number), now=at)
    is_voucher = kind in {"digital_voucher", "pool_voucher"}
    content = Content(
        name=_texts(spoken, names),
        description=_texts(spoken, (described[0], described[1], described[2])),
        delivery_terms=_texts(spoken, TERMS[kind]),
        points=int(row["points"]),
        brand=row["brand"],
        supplier="Choco Club" if row["cat"] in {"chocolate", "vouchers"} else "Belgian Gifts SA",
        face_value=Decimal(row["value"]) if is_voucher else None,
        face_currency=programme.currency if is_voucher else "",
        categories=(row["cat"],),
        voucher_days=365 if is_voucher else None,
        has_balance=row["cat"] == "vouchers" and kind == "digital_voucher",
        is_returnable=kind == "physical",
        returns_stock=kind == "physical",
        tiers=("SILVER",) if row["code"] == "GFT-405" and programme.tiers.filter(code="SILVER") else (),
        images=(Image(picture.pk, _texts(spoken, names)),),
    )
    return reward_create(
        programme=programme,
        code=row["code"],
        kind=kind,
        content=content,
        actor=WRITER,
        now=at,
        # Codes are counted by their pool.
        stock=int(row["stock"]) if row["stock"] and kind != "pool_voucher" else None,
        terms=Terms(limit_per_period=2 if kind == "pool_voucher" else None),
    )


def _bring(reward: Reward, state: str, now: datetime) -> None:
    """Take a draft as far as this state."""
    version, at = reward.versions.get(), reward.created_at + timedelta(days=1)
    if state == "draft":
        return
    if state == "scheduled":
        starts = (now + timedelta(days=8)).replace(hour=8, minute=0, second=0, microsecond=0)
        version = reward_revise(
            reward=reward, content=replace(content_of(version), live_from=starts), actor=WRITER, now=at
        )
    version = version_submit(version=version, actor=WRITER, now=at)
    if state == "changes_requested":
        version_request_changes(version=version, actor=CLIENT, now=at, comment=REMARKS[reward.code])
    elif state != "submitted":
        version_validate(version=version, actor=CLIENT, now=at + timedelta(days=1))


def _revise(reward: Reward, points: int, at: datetime) -> RewardVersion:
    """A new price, submitted."""
    content = replace(content_of(reward.versions.get()), points=points)
    version = reward_revise(reward=reward, content=content, actor=WRITER, now=at)
    return version_submit(version=version, actor=WRITER, now=at, comment="Nouveau prix du fournisseur")
