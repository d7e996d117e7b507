"""Who may act in a programme: partners with their secrets and tokens, and staff."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction as db_transaction
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import clear_expired, get_access_token_model

from config.kernel.errors import ValidationFailed
from config.kernel.models import check_fields
from members.models import Partner, Programme, StaffMembership
from members.selectors import forget_tokens

SECRET_OVERLAP = timedelta(days=7)


def partner_create(
    *, programme: Programme, name: str, scopes: Iterable[str], return_urls: Iterable[str] = ()
) -> tuple[Partner, str]:
    """Create a partner; the second value is its generated secret, stored hashed and never shown again.

    Identified members may be sent back to `return_urls`. Raises ValidationFailed for unknown scopes.
    """
    secret: str = generate_client_secret()
    partner = Partner(
        programme=programme,
        name=name,
        client_type=Partner.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Partner.GRANT_CLIENT_CREDENTIALS,
        allowed_scopes=_known_scopes(scopes),
        return_urls=list(return_urls),
        client_secret=secret,
    )
    check_fields(partner)
    partner.save()
    return partner, secret


def partner_update(
    *, partner: Partner, name: str, scopes: Iterable[str], return_urls: Iterable[str] | None = None
) -> Partner:
    """Rename a partner or change what it may do; its tokens lose scopes it lost. Raises ValidationFailed.

    `return_urls` None leaves them as they are.
    """
    partner.name = name
    if return_urls is not None:
        partner.return_urls = list(return_urls)
    partner.allowed_scopes = _known_scopes(scopes)
    check_fields(partner)
    partner.save()
    forget_tokens()
    return partner


def partner_rotate_secret(*, partner: Partner, now: datetime, overlap: timedelta = SECRET_OVERLAP) -> str:
    """Give the partner a new secret and return it; the one before lives on for `overlap`."""
    secret: str = generate_client_secret()
    partner.previous_client_secret = partner.client_secret
    partner.previous_secret_expires_at = now + overlap
    partner.client_secret = secret
    partner.save()
    return secret


def partner_revoke_tokens(*, partner: Partner) -> int:
    """Revoke all access tokens of a partner, e.g. after a leak; returns how many there were."""
    tokens = get_access_token_model().objects.filter(application=partner)
    count: int = tokens.delete()[0]
    forget_tokens()
    return count


def tokens_clear() -> None:
    """Forget access tokens that have expired, in chunks."""
    clear_expired()


def _known_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in settings.SCOPES]:
        raise ValidationFailed.at("/allowed_scopes", "unknown_scope", f"Unknown: {', '.join(unknown)}.")
    return wanted


@db_transaction.atomic
def staff_create(
    *,
    username: str,
    password: str,
    programmes: Iterable[Programme],
    email: str = "",
    is_superuser: bool = False,
) -> AbstractUser:
    """Create a staff user who works for these programmes. Raises ValidationFailed for a weak password."""
    user_model = get_user_model()
    user = user_model(username=username, email=email, is_staff=True, is_superuser=is_superuser)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed.at("/password", "invalid", " ".join(error.messages)) from None
    user.set_password(password)
    check_fields(user)
    user.save()
    StaffMembership.objects.bulk_create(
        StaffMembership(user=user, programme=programme) for programme in programmes
    )
    return user
