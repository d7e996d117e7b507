"""The catalogue: gifts, what their next version is to say, and what may change at once."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import display

from config.kernel.admin import OwnFilter, found_or_404
from rewards.admin.gift_pages import GiftPages
from rewards.admin.programmes import actor_of, picture_url, thumbnail
from rewards.admin.telling import STATES, actor_names, name_of, state_of, steps_told
from rewards.forms import gift_fieldsets, gift_form
from rewards.models import Reward, RewardVersion
from rewards.services import reward_create, reward_revise, reward_update, stock_set
from rewards.services.content import cleaned, content_of
from rewards.services.pools import free_codes_of_gift
from rewards.validation import switches


@admin.register(Reward)
class RewardAdmin(GiftPages):
    list_display = ["image", "code", "called", "kind", "states", "points", "pieces", "programme"]
    list_display_links = ["code", "called"]
    list_filter = [("programme", OwnFilter), "kind", "state", "versions__state"]
    search_fields = ["code", "versions__name", "versions__brand", "versions__categories"]
    search_help_text = "Code, name, brand or category"
    list_per_page = 50
    actions = ["submit_chosen"]
    actions_detail = ["preview", "promotional_prices", "submit", "pause", "resume", "retire"]
    change_form_template = "admin/rewards/gift.html"
    warn_unsaved_form = True
    keeps_history = False
    empty_says = (
        "Add the first gift, or import a file of them. What the client has validated is shown to members."
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        versions = RewardVersion.objects.order_by("-number").prefetch_related("pictures__picture")
        rows = super().get_queryset(request).select_related("programme")
        rows = rows.prefetch_related("programme__languages")
        rows = rows.annotate(free_codes=free_codes_of_gift(timezone.now()))
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
        allowed = {"preview", "promotional_prices", *switches(row.state)}
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
            acted = (who for one in reward.newest_first for who in (one.submitted_by, one.validated_by))
            names = actor_names(acted)
            context |= {
                "versions": [
                    {
                        "version": version,
                        "state": state,
                        "kind": STATES[state],
                        "submitted_by": names.get(version.submitted_by, ""),
                        "validated_by": names.get(version.validated_by, ""),
                    }
                    for version in reward.newest_first
                    if (state := state_of(reward, version))
                ],
                "steps": steps_told(reward.steps.select_related("version").order_by("-id")[:50]),
                "pictures": [
                    (row, picture_url(row.picture))
                    for version in reward.newest_first[:1]
                    for row in version.pictures.all()
                ],
                "zone": ZoneInfo(reward.programme.time_zone),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="Image")
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

    @display(description="In stock", ordering="stock")
    def pieces(self, row: Any) -> str:
        """Pieces, and codes where others issued them; empty: without limit."""
        pieces = "" if row.stock is None else str(row.stock)
        if row.kind != Reward.Kind.POOL_VOUCHER:
            return pieces
        codes = f"{row.free_codes} code{'' if row.free_codes == 1 else 's'}"
        return f"{codes}, at most {pieces}" if pieces else codes

    @display(description="Points")
    def points(self, row: Any) -> int | str:
        return row.newest_first[0].points if row.newest_first else ""
