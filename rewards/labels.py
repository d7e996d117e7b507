"""What a promotion gives, in a few words for members, in the languages of our own texts."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from config.kernel.catalogues import own_variant
from rewards.templatetags.my_points import exact

EFFECTS = ("multiplier", "rate", "per_item", "fixed")


def written_in(languages: Sequence[str]) -> str:
    """The first of these languages (BCP 47) that we write; the installation's for none."""
    return next(filter(None, map(own_variant, languages)), settings.LANGUAGE_CODE)


def earn_label(effect: Mapping[str, str], currency: str, language: str) -> str:
    """An effect in a language we write: "Points × 3"."""
    value = Decimal(effect["value"])
    # Catalogues count in whole numbers: one and a half is one in French, and many elsewhere.
    count = 1 if value == 1 or (language == "fr" and value < 2) else 2
    with override(language):
        return _text(effect["type"], count) % {"value": exact(effect["value"]), "currency": currency}


def burn_label(points: int, before: int, language: str) -> str:
    """A promotional price of a gift in a language we write."""
    with override(language):
        return _("%(points)s points instead of %(before)s") % {"points": points, "before": before}


def _text(effect: str, count: int) -> str:
    if effect == "multiplier":
        return _("Points × %(value)s")
    if effect == "rate":
        return ngettext(
            "%(value)s extra point per %(currency)s", "%(value)s extra points per %(currency)s", count
        )
    if effect == "per_item":
        return ngettext("%(value)s extra point per item", "%(value)s extra points per item", count)
    return ngettext("%(value)s extra point", "%(value)s extra points", count)
