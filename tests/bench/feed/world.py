"""A programme in three languages with thousands of gifts that are live."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model, set_token_value

from members.models import Programme
from members.services import Language, partner_create, programme_create
from rewards.models import Picture, Reward, RewardVersion, VersionPicture
from rewards.services import catalogue_changed, category_create

GIFTS = 5_000
LANGUAGES = ("fr", "nl", "en")
_TEXT = (
    "<p>Une description comme on en lit : <strong>matière</strong>, taille, entretien, provenance.</p>" * 4
)


def build() -> tuple[Programme, str]:
    """The programme, and a token of a partner that reads its catalogue."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    languages = [Language(code, code.upper()) for code in LANGUAGES]
    programme = programme_create(
        code="feed", name="Feed", currency="EUR", time_zone="Europe/Brussels", now=now, languages=languages
    )
    for number in range(12):
        category_create(programme=programme, code=f"cat-{number}", name={"fr": f"Catégorie {number}"})
    add_gifts(programme, GIFTS, now)
    partner, _ = partner_create(programme=programme, name="Shop", scopes=settings.SCOPES)
    return programme, _token(partner)


def add_gifts(programme: Programme, count: int, now: datetime) -> None:
    """Rows as the services leave them, in bulk: three texts a gift in each language, two pictures."""
    codes = range(1, count + 1)
    rewards = Reward.objects.bulk_create(
        Reward(
            programme=programme,
            code=f"GFT-{n:05}",
            kind="physical",
            stock=n % 50,
            changed_at=now,
            created_at=now,
        )
        for n in codes
    )
    versions = RewardVersion.objects.bulk_create(_version(reward, n, now) for n, reward in enumerate(rewards))
    files = [
        {"name": f"{'ab' * 32}-{width}.webp", "width": width, "height": width} for width in (1200, 600, 300)
    ]
    pictures = Picture.objects.bulk_create(
        Picture(programme=programme, digest=f"{n:064}", width=1200, height=1200, files=files, created_at=now)
        for n in range(2)
    )
    VersionPicture.objects.bulk_create(
        VersionPicture(
            programme=programme,
            version=version,
            picture=picture,
            position=position,
            alt={code: f"Une photo, {code}" for code in LANGUAGES},
        )
        for version in versions
        for position, picture in enumerate(pictures)
    )
    RewardVersion.objects.filter(programme=programme).update(state="live")
    catalogue_changed(programme.pk)


def _version(reward: Reward, number: int, now: datetime) -> RewardVersion:
    texts = {code: f"{code}: cadeau {number}" for code in LANGUAGES}
    return RewardVersion(
        programme_id=reward.programme_id,
        reward=reward,
        number=1,
        state="draft",
        name=texts,
        description={code: f"{code} {_TEXT}" for code in LANGUAGES},
        delivery_terms={code: f"Livraison en {number % 7} jours ({code})" for code in LANGUAGES},
        brand=f"Brand {number % 40}",
        points=100 + number,
        attributes={"weight": number, "colour": "blue"},
        categories=[f"cat-{number % 12}"],
        shown_from=now,
        created_by="staff:ann",
        created_at=now,
        submitted_by="staff:ann",
        submitted_at=now,
        validated_by="staff:ben",
        validated_at=now,
    )


def _token(partner: object) -> str:
    text = generate_client_secret()
    access_token = get_access_token_model()(
        application=partner, expires=datetime.now(UTC) + timedelta(days=1), scope="catalogue:read"
    )
    set_token_value(access_token, text)
    access_token.save()
    return text
