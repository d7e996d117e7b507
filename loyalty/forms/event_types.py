"""An event type as a marketing person says it: what partners send, what it gives, when, for whom, how often."""

import json
from typing import Any, ClassVar, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from config.kernel.codes import code_validator
from config.kernel.language_fields import typed
from loyalty.errors import RuleRefused
from loyalty.events.lines import lines_of, schema_of
from loyalty.events.rules import CAPS, COOLDOWN_UNITS, DEVICE_CAPS, Cooldown, EventRule
from loyalty.forms.fields import ClockField, choice, number, plain_text, set_clock, show_refusal, text, whole
from loyalty.forms.labels import LABEL, label_fields
from loyalty.models import EventType, RulePart
from members.models import Programme
from segments.models import Segment

EVENT_TYPE_STEPS: list[tuple[str, dict[str, Any]]] = [
    ("Event type", {"fields": [("code", "name"), "is_active", "started_from"]}),
    ("What partners send", {"fields": ["attributes", "schema"]}),
    ("What it gives", {"fields": ["points", ("attribute", "rate"), "qualifying", "review"]}),
    ("When and for whom", {"fields": [("starts_at", "ends_at"), "segments"]}),
    (
        "How often",
        {
            "fields": [
                ("cap_total", "cap_month"),
                ("cap_week", "cap_day"),
                ("cooldown_amount", "cooldown_unit"),
                ("device_total", "device_day"),
            ]
        },
    ),
]


_FIELDS = {
    "/points": "points",
    "/rate": "rate",
    "/attribute": "attribute",
    "/window/until": "ends_at",
    "/segments": "segments",
    "/cooldown/amount": "cooldown_amount",
    **{f"/caps/{scope}": f"cap_{scope}" for scope in CAPS},
    **{f"/device/{scope}": f"device_{scope}" for scope in DEVICE_CAPS},
}


class EventTypeForm(forms.ModelForm):
    """The event type as it is, and what it is to be. `programme` is set by `of`; `rule` is what was said."""

    programme: ClassVar[Programme]
    rule: EventRule

    code = text(
        max_length=64,
        validators=[code_validator],
        help_text="What partners send as its type, such as survey_completed. It never changes.",
    )
    name = text(max_length=200, help_text="What members read in their history, such as “Survey completed”.")
    is_active = forms.BooleanField(
        label="Switched on",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Off: partners' events of this type are refused. What was given stays.",
    )
    started_from = forms.CharField(required=False, widget=forms.HiddenInput)
    attributes = forms.CharField(
        label="Fields",
        required=False,
        widget=UnfoldAdminTextareaWidget(
            {"rows": 4, "placeholder": "score: whole number\ncomment: text, optional"}
        ),
        help_text="One per line, as “name: kind”. Kinds: text, whole number, number, yes or no, date; add "
        "“, optional” to what may be missing. No line: the event says nothing but who and when. No names, "
        "addresses or other personal details.",
    )
    schema = forms.CharField(
        label="JSON Schema instead",
        required=False,
        max_length=8192,
        widget=UnfoldAdminTextareaWidget({"rows": 4}),
        help_text="For technicians, when lines cannot say it: ranges, fixed lists, patterns. Leave the fields "
        "above empty then.",
    )
    points = whole(label="Points for each event", help_text="50: every event gives 50 points.")
    attribute = text(
        label="Or points from the field",
        required=False,
        help_text="A field above that every event has, such as score.",
    )
    rate = number(
        label="Points for each 1 of it", help_text="5 with score: a score of 9 gives 45 points. Rounded once."
    )
    qualifying = forms.BooleanField(
        label="Counts for the tier", required=False, widget=UnfoldBooleanSwitchWidget
    )
    review = forms.BooleanField(
        label="Staff decide each one",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Nothing is given until somebody approves it in the review queue.",
    )
    starts_at = ClockField(label="Starts", help_text="Empty: it has no beginning.")
    ends_at = ClockField(label="Ends", help_text="The first moment it no longer runs. Empty: no end.")
    segments = forms.MultipleChoiceField(
        label="Only members of",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="In one of these segments when it happened. None chosen: everyone.",
    )
    cap_total = whole(label="Times in all", help_text="1: once in a lifetime. Empty: as often as they like.")
    cap_month = whole(label="Times a month")
    cap_week = whole(label="Times a week", help_text="Weeks start on Monday.")
    cap_day = whole(label="Times a day")
    cooldown_amount = whole(label="Pause between two", help_text="Such as 24 hours or 7 days.")
    cooldown_unit = choice([(unit, unit) for unit in COOLDOWN_UNITS], label="Pause in", initial="hours")
    device_total = whole(
        label="Times a device in all",
        help_text="Over all members. Partners then have to send which device it was; only a keyed hash is kept.",
    )
    device_day = whole(label="Times a device and day")

    class Meta:
        model = EventType
        fields: ClassVar = ["code", "name", "is_active"]

    @classmethod
    def of(cls, programme: Programme) -> type["EventTypeForm"]:
        """The form for one programme: its clock, its segments, a name for each of its languages."""
        return type(cls.__name__, (cls,), {"programme": programme, **label_fields(programme)})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_clock(self, self.programme.time_zone, "starts_at", "ends_at")
        segments = Segment.objects.filter(programme=self.programme).order_by("code")
        shown = [(segment.code, f"{segment.name} ({segment.code})") for segment in segments]
        cast(forms.MultipleChoiceField, self.fields["segments"]).choices = shown
        if self.instance.pk:
            self.fields.pop("code", None)
            self.initial.update(self._said())

    def _said(self) -> dict[str, Any]:
        row = self.instance
        body = RulePart.objects.values_list("body", flat=True).get(programme=self.programme, hash=row.part)
        labels = {f"{LABEL}{language}": text for language, text in row.labels.items()}
        return {"started_from": _stands(row), **labels, **_initial(EventRule.from_part(body))}

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if EventType.objects.filter(programme=self.programme, code=code).exists():
            raise forms.ValidationError("The programme has an event type with this code.", code="taken")
        return code

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.instance.pk and given.get("started_from") != _stands(self.instance):
            self.add_error(None, "Somebody changed this event type meanwhile. Open it again and look first.")
        schema = self._schema(given)
        if not self.errors:
            self.rule = _rule(given, schema)
            try:
                self.rule.check()
            except RuleRefused as error:
                where = "schema" if given["schema"] else "attributes"
                named = {x.pointer: where for x in error.errors if x.pointer.startswith("/schema")}
                show_refusal(self, error, _FIELDS | named)
        return given

    def _schema(self, given: dict[str, Any]) -> Any:
        """What partners send; an error at the field that does not say it."""
        if given.get("schema") and given.get("attributes"):
            self.add_error("schema", "Either lines above or a JSON Schema here.")
        elif given.get("schema"):
            try:
                return json.loads(given["schema"])
            except (ValueError, RecursionError):
                self.add_error("schema", "This is not JSON.")
        else:
            try:
                return schema_of(given.get("attributes", ""))
            except ValueError as error:
                self.add_error("attributes", f"Not understood: “{error}”. Say it like “score: whole number”.")
        return {}

    def labels(self) -> dict[str, str]:
        """The names by language code."""
        return typed(LABEL, self.cleaned_data)


def _stands(row: EventType) -> str:
    """What a type says now, as a mark that changes with it: names are in no version."""
    return json.dumps([row.version, row.name, row.is_active, row.labels], sort_keys=True)


def _rule(given: dict[str, Any], schema: Any) -> EventRule:
    amount = given["cooldown_amount"]
    return EventRule(
        points=given["points"],
        attribute=given["attribute"] or None,
        rate=plain_text(given["rate"]) or "1",
        schema=schema,
        caps={scope: given[f"cap_{scope}"] for scope in CAPS if given[f"cap_{scope}"] is not None},
        cooldown=None if amount is None else Cooldown(amount, given["cooldown_unit"]),
        device_caps={
            scope: given[f"device_{scope}"] for scope in DEVICE_CAPS if given[f"device_{scope}"] is not None
        },
        starts_at=given["starts_at"],
        ends_at=given["ends_at"],
        segments=tuple(given["segments"]),
        qualifying=given["qualifying"],
        review=given["review"],
    )


def _initial(rule: EventRule) -> dict[str, Any]:
    names = ("points", "attribute", "starts_at", "ends_at", "segments", "qualifying", "review")
    lines = lines_of(rule.schema)
    return {
        **{name: getattr(rule, name) for name in names},
        "rate": rule.rate if rule.attribute else None,
        "attributes": lines or "",
        "schema": "" if lines is not None else json.dumps(rule.schema, indent=2, ensure_ascii=False),
        **{f"cap_{scope}": most for scope, most in rule.caps.items()},
        **{f"device_{scope}": most for scope, most in rule.device_caps.items()},
        "cooldown_amount": rule.cooldown.amount if rule.cooldown else None,
        "cooldown_unit": rule.cooldown.unit if rule.cooldown else "hours",
    }
