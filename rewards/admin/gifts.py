"""The catalogue: gifts, what waits for validation, and how members see them."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from config.kernel.admin import OwnFilter, asks, found_or_404, go_to
from config.kernel.errors import RistourneError
from members.selectors import languages_of
from rewards.admin.files import CatalogueFiles
from rewards.admin.programmes import actor_of, picture_url, thumbnail
from rewards.forms import CommentForm, gift_fieldsets, gift_form
from rewards.models import Reward, RewardVersion
from rewards.services import (
    reward_create,
    reward_pause,
    reward_resume,
    reward_retire,
    reward_revise,
    reward_update,
    stock_set,
    version_submit,
)
from rewards.services.content import cleaned, content_of
from rewards.texts import Spoken, chain, pick, spoken_by_default
from rewards.validation import shown_state, switches

STATES = {
    "Draft": "default",
    "Submitted": "warning",
    "Changes requested": "danger",
    "Validated": "info",
    "Scheduled": "info",
    "Live": "success",
    "Paused": "warning",
    "Retired": "default",
}


def state_of(reward: Reward, version: RewardVersion) -> str:
    """What a version is called now, as a label says it."""
    shown = shown_state(
        gift=reward.state,
        state=version.state,
        shown_from=version.shown_from,
        shown_until=version.shown_until,
        now=timezone.now(),
    )
    return shown.replace("_", " ").capitalize()


def spoken(reward: Reward) -> tuple[Spoken, ...]:
    """The languages of the gift's programme."""
    return tuple(Spoken(row.code, row.fallback, row.is_default) for row in languages_of(reward.programme))


def name_of(version: RewardVersion, reward: Reward) -> str:
    """What staff call it: its name in the default language, else in any."""
    languages = spoken(reward)
    return pick(version.name, chain(spoken_by_default(languages), languages))[0]


@admin.register(Reward)
class RewardAdmin(CatalogueFiles):
    list_display = ["image", "code", "called", "kind", "states", "points", "stock", "programme"]
    list_display_links = ["code", "called"]
    list_filter = [("programme", OwnFilter), "kind", "state", "versions__state"]
    search_fields = ["code", "versions__name", "versions__brand", "versions__categories"]
    search_help_text = "Code, name, brand or category"
    list_per_page = 50
    actions = ["submit_chosen"]
    actions_detail = ["preview", "submit", "pause", "resume", "retire"]
    change_form_template = "admin/rewards/gift.html"
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        versions = RewardVersion.objects.order_by("-number").prefetch_related("pictures__picture")
        rows = super().get_queryset(request).select_related("programme")
        rows = rows.prefetch_related("programme__languages")
        return rows.prefetch_related(Prefetch("versions", versions, to_attr="newest_first"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = gift_form(found_or_404(self.programme_of(request, obj)), obj)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return gift_fieldsets(gift_form(found_or_404(self.programme_of(request, obj)), obj))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what can be done now."""
        row = self.get_object(request, object_id)
        found = super().get_actions_detail(request, object_id)
        if row is None:
            return found
        allowed = {"preview", *switches(row.state)}
        if row.newest_first and row.newest_first[0].state in RewardVersion.EDITABLE:
            allowed.add("submit")
        return [one for one in found if any(one.action_name.endswith(f"_{name}") for name in allowed)]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now, actor, content = timezone.now(), actor_of(request), form.content()
        if not change:
            obj.pk = reward_create(
                programme=form.programme,
                code=form.cleaned_data["code"],
                kind=form.cleaned_data["kind"],
                content=content,
                stock=form.cleaned_data["stock"],
                terms=form.terms(),
                actor=actor,
                now=now,
            ).pk
        else:
            stock, was = form.cleaned_data["stock"], form.cleaned_data["stock_was"]
            if stock != was:
                stock_set(reward=obj, stock=stock, was=was, actor=actor, now=now)
            reward_update(reward=obj, terms=form.terms(), actor=actor, now=now)
            if form.version is None or cleaned(content) != content_of(form.version):
                reward_revise(reward=obj, content=content, actor=actor, now=now)
        obj.refresh_from_db()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        reward = kwargs.get("obj")
        if reward:
            context |= {
                "versions": [
                    {"version": version, "state": state_of(reward, version), "kind": STATES[state]}
                    for version in reward.newest_first
                    if (state := state_of(reward, version))
                ],
                "steps": reward.steps.select_related("version").order_by("-id")[:50],
                "pictures": [
                    (row, picture_url(row.picture))
                    for version in reward.newest_first[:1]
                    for row in version.pictures.all()
                ],
                "zone": ZoneInfo(reward.programme.time_zone),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        shown = path(
            "<int:object_id>/versions/<int:number>/preview",
            self.admin_site.admin_view(self.preview_page),
            name="rewards_reward_preview",
        )
        return [shown, *super().get_urls()]

    @action(description="As members see it", icon="visibility")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The newest version as a page for members."""
        row = self.own_row(request, object_id)
        return go_to(request, "admin:rewards_reward_preview", row.pk, row.newest_first[0].number)

    def preview_page(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        """A version as members see it, in the language asked for."""
        row = self.own_row(request, str(object_id))
        version = found_or_404(next((one for one in row.newest_first if one.number == number), None))
        languages = spoken(row)
        codes = [language.code for language in languages]
        language = request.GET.get("lang", "")
        wanted = chain(language if language in codes else next(iter(codes), ""), languages)
        texts = {
            name: pick(getattr(version, name), wanted) for name in ("name", "description", "delivery_terms")
        }
        context = {
            **self.admin_site.each_context(request),
            "title": f"{row.code}, version {number}",
            "opts": self.opts,
            "media": self.media,
            "reward": row,
            "version": version,
            "state": state_of(row, version),
            "state_kind": STATES[state_of(row, version)],
            "languages": languages_of(row.programme),
            "language": wanted[0] if wanted else "",
            "name": texts["name"][0],
            # Cleaned when it was written.
            "description": mark_safe(texts["description"][0]),  # noqa: S308
            "terms": texts["delivery_terms"][0],
            "fallen": [name for name, (text, code) in texts.items() if text and code != wanted[0]],
            "images": [
                (picture_url(one.picture, smallest=False), pick(one.alt, wanted)[0])
                for one in version.pictures.all()
            ],
        }
        return TemplateResponse(request, "admin/rewards/preview.html", context)

    @action(
        description="Submit",
        icon="send",
        variant=ActionVariant.PRIMARY,
        dialog=asks("Ask the client to validate this version?"),
    )
    def submit(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Submit the draft."""
        row = self.own_row(request, object_id)
        self._submit(request, row)
        return go_to(request, "admin:rewards_reward_change", row.pk)

    @admin.action(description="Submit the drafts of the chosen gifts")
    def submit_chosen(self, request: HttpRequest, queryset: "QuerySet[Reward]") -> None:
        for row in queryset:
            self._submit(request, row)

    def _submit(self, request: HttpRequest, row: Any) -> None:
        try:
            version_submit(version=row.newest_first[0], actor=actor_of(request), now=timezone.now())
        except RistourneError as error:
            details = "; ".join(f"{one.pointer} {one.detail}" for one in error.errors) or error.detail
            self.message_user(request, f"{row.code}: {details}", messages.ERROR)
        else:
            self.message_user(request, f"{row.code} is submitted.", messages.SUCCESS)

    @action(
        description="Pause",
        icon="pause",
        dialog=asks("Show it no more for now?") | {"form_class": CommentForm},
    )
    def pause(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Take it out of the feed."""
        return self._turn(request, form, object_id, reward_pause, "is paused")

    @action(
        description="Resume", icon="play_arrow", dialog=asks("Show it again?") | {"form_class": CommentForm}
    )
    def resume(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Bring it back."""
        return self._turn(request, form, object_id, reward_resume, "is shown again")

    @action(
        description="Retire",
        icon="block",
        dialog=asks("Show it never again? What waits for validation is given up.")
        | {"form_class": CommentForm},
    )
    def retire(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """End it."""
        return self._turn(request, form, object_id, reward_retire, "is retired")

    def _turn(self, request: HttpRequest, form: Form, object_id: str, turn: Any, done: str) -> HttpResponse:
        row = self.own_row(request, object_id)
        try:
            turn(
                reward=row,
                actor=actor_of(request),
                now=timezone.now(),
                comment=form.cleaned_data.get("comment", ""),
            )
        except RistourneError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, f"{row.code} {done}.", messages.SUCCESS)
        return go_to(request, "admin:rewards_reward_change", row.pk)

    @display(description="")
    def image(self, row: Any) -> str:
        pictures = row.newest_first[0].pictures.all() if row.newest_first else ()
        return thumbnail(pictures[0].picture if pictures else None)

    @display(description="Name")
    def called(self, row: Any) -> str:
        return name_of(row.newest_first[0], row) if row.newest_first else ""

    @display(description="State", label=STATES)
    def states(self, row: Any) -> str:
        if row.state == Reward.State.PAUSED:
            return "Paused"
        return state_of(row, row.newest_first[0]) if row.newest_first else ""

    @display(description="Points")
    def points(self, row: Any) -> int | str:
        return row.newest_first[0].points if row.newest_first else ""


def gift_url(reward: Reward) -> str:
    """The page of a gift."""
    return reverse("admin:rewards_reward_change", args=[reward.pk])
