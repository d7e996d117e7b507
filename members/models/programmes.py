"""The tenant and the languages it speaks."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from simple_history.models import HistoricalRecords

from config.kernel.codes import CODE_MAX_LENGTH, code_validator
from members.look import LOGOS

# ISO 4217, list one: the minor units that are not 2.
_WITHOUT_MINOR_UNIT = frozenset(
    """BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF""".split()  # noqa: SIM905
)
_WITH_THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

currency_validator = RegexValidator(r"^[A-Z]{3}\Z", "An ISO 4217 code: three capital letters.")
# BCP 47 (RFC 5646) without private use and grandfathered tags.
language_validator = RegexValidator(
    r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{5,8})*\Z", "A BCP 47 language tag."
)


def digits_of(currency: str) -> int:
    """Decimals of a currency's minor unit (ISO 4217)."""
    if currency in _WITHOUT_MINOR_UNIT:
        return 0
    return 3 if currency in _WITH_THREE_DIGITS else 2


class Programme(models.Model):
    """A tenant. Every query of the platform starts from one.

    Days and months are those of `time_zone` (IANA), money is in `currency` (ISO 4217); both freeze with the
    first transaction. `backdating_days` and `grace_days` count days, `approval_limit` points. `point_value` is
    what a point costs, in the programme's currency: for reports only, no point depends on it.
    `colour` and `logo` (name, width and height of its file) are the look of members' pages and papers.
    """

    class Status(models.TextChoices):
        ACTIVE = "active"
        CLOSED = "closed"

    class Overdraw(models.TextChoices):
        """Who bears it when points to take back are no longer there."""

        DEBT = "debt", "the member, as debt"
        WITHIN_BALANCE = "within_balance", "the programme, beyond the balance"
        REFUSE = "refuse", "nobody: the return is refused"

    class OnUnknownMember(models.TextChoices):
        REFUSE = "refuse"
        ENROL = "enrol"

    code = models.CharField(max_length=CODE_MAX_LENGTH, unique=True, validators=[code_validator])
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, validators=[currency_validator])
    time_zone = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    overdraw = models.CharField(max_length=16, choices=Overdraw, default=Overdraw.DEBT)
    backdating_days = models.PositiveIntegerField(default=30)
    approval_limit = models.PositiveBigIntegerField(null=True, blank=True)
    grace_days = models.PositiveIntegerField(default=0)
    on_unknown_member = models.CharField(
        max_length=16, choices=OnUnknownMember, default=OnUnknownMember.REFUSE
    )
    point_value = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="What a point costs, in the programme's currency; for reports only.",
    )
    colour = models.CharField(
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "A colour as #rrggbb.")],
        help_text="Of members' pages, as #rrggbb. Texts take a shade of it that can be read.",
    )
    logo = models.JSONField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()

    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def logo_path(self) -> str:
        """The logo's file in the media; "" without one."""
        return f"{LOGOS}/{self.logo['name']}" if self.logo else ""

    @property
    def currency_digits(self) -> int:
        """Decimals of the currency's minor unit (ISO 4217): 0 for JPY, 3 for KWD, else 2."""
        return digits_of(self.currency)


class ProgrammeLanguage(models.Model):
    """A language the programme's texts come in, and the one to fall back to (its code, or "")."""

    class Direction(models.TextChoices):
        LTR = "ltr", "left to right"
        RTL = "rtl", "right to left"

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="languages", db_index=False)
    code = models.CharField(max_length=35, validators=[language_validator])
    name = models.CharField(max_length=100)
    direction = models.CharField(max_length=3, choices=Direction, default=Direction.LTR)
    is_default = models.BooleanField(default=False)
    fallback = models.CharField(max_length=35, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="language_once"),
            models.UniqueConstraint(
                fields=["programme"], condition=models.Q(is_default=True), name="language_one_default"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"
