"""What staff do to a gift as a whole: submit its draft, pause it, bring it back, end it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant

from config.kernel.admin import asks, go_to
from config.kernel.errors import RistourneError
from rewards.admin.files import CatalogueFiles
from rewards.admin.programmes import actor_of
from rewards.forms import CommentForm
from rewards.models import Reward
from rewards.services import reward_pause, reward_resume, reward_retire, version_submit


class GiftSwitches(CatalogueFiles):
    """The buttons of a gift, and the action of the list."""

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
