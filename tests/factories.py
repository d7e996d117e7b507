"""Rows for tests: programmes, partners with a live token, members and segments."""

from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model, set_token_value

from members.models import Member, Partner, Programme, ProgrammeLanguage
from members.services import partner_create
from segments.models import Membership, Segment

LONG_AGO = datetime(2026, 1, 1, 12, tzinfo=UTC)


class ProgrammeFactory(factory.django.DjangoModelFactory[Programme]):
    """An active programme in euros and Brussels time, in French (default) and Dutch."""

    class Meta:
        model = Programme
        skip_postgeneration_save = True

    code = factory.Sequence(lambda number: f"club-{number}")
    name = factory.LazyAttribute(lambda programme: programme.code.title())
    currency = "EUR"
    time_zone = "Europe/Brussels"
    created_at = LONG_AGO

    @factory.post_generation
    def languages(self, create: bool, extracted: object, **kwargs: Any) -> None:
        if create:
            ProgrammeLanguage.objects.create(programme=self, code="fr", name="Français", is_default=True)
            ProgrammeLanguage.objects.create(
                programme=self, code="nl-BE", name="Nederlands (België)", fallback="fr", position=1
            )


class MemberFactory(factory.django.DjangoModelFactory[Member]):
    class Meta:
        model = Member

    programme = factory.SubFactory(ProgrammeFactory)
    number = factory.Sequence(lambda number: f"{500000 + number}")  # nobody else is called so
    first_name = "Ada"
    language = "fr"
    enrolled_at = LONG_AGO


class SegmentFactory(factory.django.DjangoModelFactory[Segment]):
    class Meta:
        model = Segment

    programme = factory.SubFactory(ProgrammeFactory)
    code = factory.Sequence(lambda number: f"segment-{number}")
    name = factory.LazyAttribute(lambda segment: segment.code.title())


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    member = factory.SubFactory(MemberFactory)
    programme = factory.SelfAttribute("member.programme")
    segment = factory.SubFactory(SegmentFactory, programme=factory.SelfAttribute("..member.programme"))
    valid_from = LONG_AGO
    source = Membership.Source.STAFF


def token_of(
    partner: Partner, *, scopes: list[str] | None = None, lives: timedelta = timedelta(hours=1)
) -> str:
    """A new access token of the partner, with its allowed scopes unless others are given."""
    text = generate_client_secret()
    access_token = get_access_token_model()(
        application=partner,
        expires=datetime.now(UTC) + lives,
        scope=" ".join(partner.allowed_scopes if scopes is None else scopes),
    )
    set_token_value(access_token, text)
    access_token.save()
    return text


class ApiClient(Client):
    """Calls the API as a partner: JSON bodies, the token in the header. `partner` is whose calls they are."""

    def __init__(self, programme: Programme, *, scopes: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partner, self.secret = partner_create(
            programme=programme, name="Till 7", scopes=settings.SCOPES if scopes is None else scopes
        )
        self.use(token_of(self.partner))

    def use(self, token: str) -> None:
        """Call with this token from now on."""
        self.token = token
        self.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    def post_json(self, path: str, body: object, **extra: Any) -> HttpResponse:
        return self.post(path, body, content_type="application/json", **extra)

    def put_json(self, path: str, body: object, **extra: Any) -> HttpResponse:
        return self.put(path, body, content_type="application/json", **extra)

    def patch_json(self, path: str, body: object, **extra: Any) -> HttpResponse:
        return self.patch(path, body, content_type="application/json", **extra)
