"""The form of a gift: its content in every language of the programme, its limits and its stock."""

from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from config.kernel.codes import code_validator
from config.kernel.language_fields import Named, language_fields
from loyalty.models import Tier
from members.models import Programme
from members.selectors import languages_of
from rewards.forms.fields import (
    WallClockField,
    amount_field,
    several_field,
    switch_field,
    text_field,
    upload_field,
    whole_field,
)
from rewards.forms.texts import TextsForm
from rewards.models import Category, Reward, RewardVersion
from rewards.services import Content, Image, Terms
from segments.selectors import segments_of

TEXTS = {"name": "Name", "description": "Description", "delivery_terms": "Delivery terms"}
_HTML_KEPT = "Paragraphs, lists, bold, links: other HTML is taken out."


class GiftForm(TextsForm):
    """A gift: what may change at once, and the content of its next version."""

    version: ClassVar[RewardVersion | None]

    class Meta:
        model = Reward
        fields: list[str] = []

    def content(self) -> Content:
        """What the version is to say."""
        said = self.cleaned_data
        kept = [
            Image(row.picture_id, self.texts(f"alt_{row.pk}"))
            for row in (self.version.pictures.all() if self.version else ())
            if said.get(f"keep_{row.pk}")
        ]
        new = [Image(self.picture.pk, self.texts("alt_new"))] if self.picture else []
        fields: dict[str, Any] = {name: said[name] for name in VERSION_FIELDS}
        fields |= {name: tuple(said[name]) for name in ("categories", "tiers", "segments")}
        fields |= {name: self.texts(name) for name in TEXTS}
        return Content(
            **fields,
            attributes=said["attributes"] or {},
            images=(*kept, *new),
        )

    def terms(self) -> Terms:
        """Its limits."""
        said = self.cleaned_data
        return Terms(
            limit_per_member=said["limit_per_member"],
            limit_per_period=said["limit_per_period"],
            period=said["period"] or Reward.Period.MONTH,
        )


VERSION_FIELDS = (
    *("points", "brand", "supplier", "cash_amount", "face_value", "face_currency", "live_from", "live_until"),
    *("voucher_days", "has_balance", "is_returnable", "returns_points", "returns_stock"),
)


def gift_form(programme: Programme, reward: Reward | None) -> type[GiftForm]:
    """The form for a gift of a programme: its languages, categories and zone, and its newest version."""
    versions = RewardVersion.objects.prefetch_related("pictures__picture").order_by("-number")
    version = versions.filter(reward=reward).first() if reward else None
    fields = _own_fields(reward) | _version_fields(programme, version)
    languages = languages_of(programme)
    fields |= _text_fields(languages, version) | _image_fields(languages, version)
    extra = {"programme": programme, "languages": languages, "version": version}
    return type("GiftFormOfProgramme", (GiftForm,), {**extra, **fields, "__module__": __name__})


def _own_fields(reward: Reward | None) -> dict[str, forms.Field]:
    def was(name: str, otherwise: object = None) -> Any:
        return getattr(reward, name) if reward else otherwise

    fields: dict[str, forms.Field] = {
        "stock": whole_field("Stock", initial=was("stock"), help_text="Pieces; empty: without limit."),
        "stock_was": forms.IntegerField(initial=was("stock"), required=False, widget=forms.HiddenInput),
        "limit_per_member": whole_field("Pieces a member", initial=was("limit_per_member"), min_value=1),
        "limit_per_period": whole_field(
            "Pieces a member and period", initial=was("limit_per_period"), min_value=1
        ),
        "period": forms.ChoiceField(
            choices=Reward.Period.choices,
            initial=was("period", "month"),
            required=False,
            widget=UnfoldAdminSelectWidget,
        ),
    }
    if reward is None:
        code = forms.CharField(
            max_length=64, validators=[code_validator], widget=UnfoldAdminTextInputWidget()
        )
        kind = forms.ChoiceField(choices=Reward.Kind.choices, widget=UnfoldAdminSelectWidget)
        fields = {"code": code, "kind": kind, **fields}
    return fields


def _version_fields(programme: Programme, version: RewardVersion | None) -> dict[str, forms.Field]:
    zone = ZoneInfo(programme.time_zone)
    categories = [(row.code, _path(row)) for row in programme.categories.select_related("parent__parent")]
    tiers = Tier.objects.filter(programme=programme).values_list("code", "name")
    fields = {
        "points": whole_field("Points", required=True, min_value=1),
        "cash_amount": amount_field(f"Paid on top ({programme.currency})"),
        "brand": text_field("Brand", max_length=100),
        "supplier": text_field("Supplier", max_length=100),
        "categories": several_field("Categories", sorted(categories, key=lambda row: row[1])),
        "tiers": several_field("Only for tiers", tiers),
        "segments": several_field("Only for segments", segments_of(programme).values_list("code", "name")),
        "live_from": WallClockField(
            zone, label="Live from", help_text="Empty: from validation on. The programme's clock."
        ),
        "live_until": WallClockField(zone, label="Live until", help_text="Empty: without end."),
        "face_value": amount_field("Value of the voucher"),
        "face_currency": text_field("Its currency", max_length=3),
        "voucher_days": whole_field("Voucher valid for days", min_value=1, help_text="Empty: without end."),
        "has_balance": switch_field("The voucher may be used in parts"),
        "is_returnable": switch_field("May be returned"),
        "returns_points": switch_field("A return gives the points back", initial=True),
        "returns_stock": switch_field("A return goes back into stock", initial=True),
        "attributes": forms.JSONField(
            required=False, widget=UnfoldAdminTextareaWidget({"rows": 2}), help_text='{"weight": 250}'
        ),
    }
    if version is not None:
        for name, field in fields.items():
            field.initial = getattr(version, name)
    return fields


def _path(category: Category) -> str:
    names = [category.code]
    while (category := category.parent) is not None:  # type: ignore[assignment]
        names.append(category.code)
    return " / ".join(reversed(names))


def _text_fields(languages: Sequence[Named], version: RewardVersion | None) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for text, label in TEXTS.items():
        rows = {"description": 6, "delivery_terms": 2}.get(text)
        widget = UnfoldAdminTextareaWidget({"rows": rows}) if rows else UnfoldAdminTextInputWidget()
        fields |= language_fields(
            f"{text}_",
            languages,
            label=label,
            said=getattr(version, text) if version else {},
            help_text=_HTML_KEPT if text == "description" else "",
            widget=widget,
        )
    return fields


def _image_fields(languages: Sequence[Named], version: RewardVersion | None) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for number, row in enumerate(version.pictures.all() if version else (), start=1):
        fields[f"keep_{row.pk}"] = switch_field(f"Keep image {number}", initial=True)
        fields |= language_fields(
            f"alt_{row.pk}_", languages, label=f"What image {number} shows", said=row.alt
        )
    fields["upload"] = upload_field("Add an image")
    return fields | language_fields("alt_new_", languages, label="What it shows")


def gift_fieldsets(form: type[GiftForm]) -> list[Any]:
    """The form in steps, each language a tab that says how complete it is."""
    version = form.version
    images = [name for name in form.base_fields if name.startswith(("keep_", "alt_", "upload"))]
    head = ["code", "kind"] if "code" in form.base_fields else []
    price = ("points", "cash_amount")
    tabs = []
    for language in form.languages:
        said = sum(bool(version and getattr(version, text).get(language.code)) for text in TEXTS)
        label = f"{language.name} {said}/{len(TEXTS)}"
        tabs.append((label, {"classes": ["tab"], "fields": [f"{text}_{language.code}" for text in TEXTS]}))
    return [
        ("Gift", {"fields": [*head, price, ("brand", "supplier"), "categories"]}),
        *tabs,
        ("Images", {"fields": images}),
        ("Who may have it, and when", {"fields": [("tiers", "segments"), ("live_from", "live_until")]}),
        (
            "Voucher and returns",
            {
                "fields": [
                    ("face_value", "face_currency", "voucher_days"),
                    ("has_balance", "is_returnable"),
                    ("returns_points", "returns_stock"),
                    "attributes",
                ]
            },
        ),
        (
            "Stock and limits: at once, without validation",
            {"fields": [("stock", "limit_per_member"), ("limit_per_period", "period"), "stock_was"]},
        ),
    ]
