"""Pages beside a gift's form: as members see it, and what it costs whom a promotion is for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.safestring import mark_safe
from unfold.decorators import action

from config.kernel.admin import found_or_404, go_to
from config.kernel.errors import RistourneError
from config.kernel.texts import chain, pick
from members.selectors import languages_of
from rewards.admin.gift_switches import GiftSwitches
from rewards.admin.programmes import actor_of, picture_url
from rewards.admin.telling import STATES, spoken, state_of
from rewards.forms import price_form
from rewards.services import promotional_price_set


class GiftPages(GiftSwitches):
    """A gift's other pages."""

    def get_urls(self) -> list[Any]:
        pages = (
            ("<int:object_id>/versions/<int:number>/preview", self.preview_page, "preview"),
            ("<int:object_id>/prices", self.prices_page, "prices"),
        )
        own = [
            path(route, self.admin_site.admin_view(page), name=f"rewards_reward_{name}")
            for route, page, name in pages
        ]
        return [*own, *super().get_urls()]

    @action(description="As members see it", icon="visibility")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The newest version as a page for members."""
        row = self.own_row(request, object_id)
        return go_to(request, "admin:rewards_reward_preview", row.pk, row.newest_first[0].number)

    def preview_page(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        """A version as members see it, in the language asked for."""
        row = self.own_row(request, str(object_id))
        version = found_or_404(next((one for one in row.newest_first if one.number == number), None))
        languages = spoken(row.programme)
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

    @action(description="Promotional prices", icon="sell")
    def promotional_prices(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What it costs members whom a promotion is for."""
        return go_to(request, "admin:rewards_reward_prices", self.own_row(request, object_id).pk)

    def prices_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Its promotional prices, and one more, another or one less."""
        row = self.own_row(request, str(object_id))
        form = price_form(row.programme)(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                promotional_price_set(
                    reward=row, actor=actor_of(request), now=timezone.now(), **form.cleaned_data
                )
            except RistourneError as error:
                form.add_error("points", "; ".join(one.detail for one in error.errors) or error.detail)
            else:
                return go_to(request, "admin:rewards_reward_prices", row.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Promotional prices of {row.code}",
            "opts": self.opts,
            "media": self.media,
            "reward": row,
            "points": row.newest_first[0].points if row.newest_first else None,
            "prices": row.promotional_prices.select_related("promotion").order_by(
                "points", "promotion__code"
            ),
            "form": form,
        }
        return TemplateResponse(request, "admin/rewards/prices.html", context)
