"""Forms of the catalogue: a gift and a category, with their texts in every language of the programme."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from config.kernel.codes import code_validator
from config.kernel.errors import RistourneError
from loyalty.models import Tier
from members.models import Programme
from members.selectors import languages_of
from rewards.models import Category, Picture, Reward, RewardVersion
from rewards.pictures import read_upload
from rewards.services import Content, Image, Terms, picture_store
from segments.selectors import segments_of

TEXTS = {"name": "Name", "description": "Description", "delivery_terms": "Delivery terms"}


class WallClockField(forms.CharField):
    """An instant, typed on the programme's wall clock."""

    def __init__(self, zone: ZoneInfo, **kwargs: Any) -> None:
        self.zone = zone
        super().__init__(
            required=False, widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}), **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            return value
        return value.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="minutes")

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self.zone) if text else None
        except ValueError:
            raise forms.ValidationError("A date and a time, e.g. 2026-11-23T10:15.") from None


def _text(label: str, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, widget=UnfoldAdminTextInputWidget, **kwargs)


def _whole(label: str, **kwargs: Any) -> forms.IntegerField:
    kwargs = {"required": False, "min_value": 0, **kwargs}
    return forms.IntegerField(label=label, widget=UnfoldAdminIntegerFieldWidget, **kwargs)


def _amount(label: str, **kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, required=False, widget=UnfoldAdminDecimalFieldWidget, **kwargs)


def _switch(label: str, **kwargs: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget, **kwargs)


def _several(label: str, codes: Iterable[tuple[str, str]], **kwargs: Any) -> forms.MultipleChoiceField:
    widget = UnfoldAdminSelectMultipleWidget
    return forms.MultipleChoiceField(
        label=label, choices=list(codes), required=False, widget=widget, **kwargs
    )


class TextsForm(forms.ModelForm):
    """What the forms of gifts and categories share. `programme` is set by the subclass for a request."""

    programme: ClassVar[Programme]
    languages: ClassVar[list[tuple[str, str]]]

    def texts(self, name: str) -> dict[str, str]:
        """What was typed for a text, by language."""
        return {code: self.cleaned_data.get(f"{name}_{code}", "") for code, _ in self.languages}

    def uploaded(self, name: str) -> Picture | None:
        """The picture that was uploaded, kept; None without one. Raises PictureRefused."""
        file = self.cleaned_data.get(name)
        if not file:
            return None
        return picture_store(programme=self.programme, content=read_upload(file), now=timezone.now())

    def clean(self) -> dict[str, Any]:
        """Pictures are judged here, so that a refusal stands at the field."""
        cleaned = super().clean() or self.cleaned_data
        self.picture = None
        try:
            self.picture = self.uploaded("upload")
        except RistourneError as error:
            self.add_error("upload", error.detail)
        return cleaned


def _spoken(programme: Programme) -> list[tuple[str, str]]:
    return [(language.code, language.name) for language in languages_of(programme)]


def _upload(label: str) -> forms.FileField:
    return forms.FileField(
        label=label,
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="PNG, JPEG or WebP, at most 10 MiB. It is judged by its content and made anew.",
    )


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
            Image(row.picture_id, {code: said.get(f"alt_{row.pk}_{code}", "") for code, _ in self.languages})
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
    for code, name in _spoken(programme):
        fields |= _language_fields(code, name, version)
    fields |= _image_fields(programme, version)
    extra = {"programme": programme, "languages": _spoken(programme), "version": version}
    return type("GiftFormOfProgramme", (GiftForm,), {**extra, **fields, "__module__": __name__})


def _own_fields(reward: Reward | None) -> dict[str, forms.Field]:
    def was(name: str, otherwise: object = None) -> Any:
        return getattr(reward, name) if reward else otherwise

    fields: dict[str, forms.Field] = {
        "stock": _whole("Stock", initial=was("stock"), help_text="Pieces; empty: without limit."),
        "stock_was": forms.IntegerField(initial=was("stock"), required=False, widget=forms.HiddenInput),
        "limit_per_member": _whole("Pieces a member", initial=was("limit_per_member"), min_value=1),
        "limit_per_period": _whole(
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
        "points": _whole("Points", required=True, min_value=1),
        "cash_amount": _amount(f"Paid on top ({programme.currency})"),
        "brand": _text("Brand", max_length=100),
        "supplier": _text("Supplier", max_length=100),
        "categories": _several("Categories", sorted(categories, key=lambda row: row[1])),
        "tiers": _several("Only for tiers", tiers),
        "segments": _several("Only for segments", segments_of(programme).values_list("code", "name")),
        "live_from": WallClockField(
            zone, label="Live from", help_text="Empty: from validation on. The programme's clock."
        ),
        "live_until": WallClockField(zone, label="Live until", help_text="Empty: without end."),
        "face_value": _amount("Value of the voucher"),
        "face_currency": _text("Its currency", max_length=3),
        "voucher_days": _whole("Voucher valid for days", min_value=1, help_text="Empty: without end."),
        "has_balance": _switch("The voucher may be used in parts"),
        "is_returnable": _switch("May be returned"),
        "returns_points": _switch("A return gives the points back", initial=True),
        "returns_stock": _switch("A return goes back into stock", initial=True),
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


def _language_fields(code: str, name: str, version: RewardVersion | None) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for text, label in TEXTS.items():
        rows = {"description": 6, "delivery_terms": 2}.get(text)
        widget = UnfoldAdminTextareaWidget({"rows": rows}) if rows else UnfoldAdminTextInputWidget()
        initial = getattr(version, text).get(code, "") if version else ""
        fields[f"{text}_{code}"] = forms.CharField(
            label=f"{label} ({name})", required=False, initial=initial, widget=widget
        )
    fields[f"description_{code}"].help_text = "Paragraphs, lists, bold, links: other HTML is taken out."
    return fields


def _image_fields(programme: Programme, version: RewardVersion | None) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for number, row in enumerate(version.pictures.all() if version else (), start=1):
        fields[f"keep_{row.pk}"] = _switch(f"Keep image {number}", initial=True)
        for code, name in _spoken(programme):
            fields[f"alt_{row.pk}_{code}"] = _text(
                f"What image {number} shows ({name})", initial=row.alt.get(code, "")
            )
    fields["upload"] = _upload("Add an image")
    for code, name in _spoken(programme):
        fields[f"alt_new_{code}"] = _text(f"What it shows ({name})")
    return fields


def gift_fieldsets(form: type[GiftForm]) -> list[Any]:
    """The form in steps, each language a tab that says how complete it is."""
    version = form.version
    images = [name for name in form.base_fields if name.startswith(("keep_", "alt_", "upload"))]
    head = ["code", "kind"] if "code" in form.base_fields else []
    price = ("points", "cash_amount")
    tabs = []
    for code, name in form.languages:
        said = sum(bool(version and getattr(version, text).get(code)) for text in TEXTS)
        label = f"{name} {said}/{len(TEXTS)}"
        tabs.append((label, {"classes": ["tab"], "fields": [f"{text}_{code}" for text in TEXTS]}))
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


class CategoryForm(TextsForm):
    """A category."""

    class Meta:
        model = Category
        fields = ["code", "parent", "position", "is_active"]


def category_form(programme: Programme, category: Category | None) -> type[CategoryForm]:
    """The form for a category of a programme."""
    fields: dict[str, Any] = {
        f"name_{code}": _text(f"Name ({name})", initial=category.name.get(code, "") if category else "")
        for code, name in _spoken(programme)
    }
    fields["upload"] = _upload("Another image" if category and category.picture_id else "Image")
    extra = {"programme": programme, "languages": _spoken(programme)}
    return type("CategoryFormOfProgramme", (CategoryForm,), {**extra, **fields, "__module__": __name__})


class CommentForm(BaseDialogForm):
    """A decision with its reason."""

    comment = forms.CharField(
        label="Comment", required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}), max_length=2000
    )


class NeededCommentForm(CommentForm):
    """A decision that has to say why."""

    comment = forms.CharField(
        label="What has to change", widget=UnfoldAdminTextareaWidget({"rows": 4}), max_length=2000
    )
