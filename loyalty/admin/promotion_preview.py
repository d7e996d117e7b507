"""What a promotion's page says about what is typed in it: its summary, what is odd, and what baskets would get."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.kernel.admin import found_or_404
from config.kernel.errors import RistourneError
from loyalty.forms import BasketForm, PromotionForm
from loyalty.models import Promotion, RulesHead
from loyalty.promotions.trials import (
    Receipt,
    Trial,
    basket_try,
    receipt_try,
    receipts_found,
    receipts_suggested,
)
from loyalty.versions import trial_of
from members.models import Programme

_BUTTONS = ("csrfmiddlewaretoken", "_publish", "_draft", "_find", "_try_receipt", "_try_basket")


@dataclass(slots=True)
class Tried:
    """What "try it" shows: receipts to choose from, the result, or why there is none."""

    form: BasketForm
    receipts: Iterable[Receipt] = ()
    trial: Trial | None = None
    refusal: str = ""


class PromotionPreview:
    """Two addresses beside the form, both POST with all its fields; nothing is written.

    `summary/` answers the summary alone, `try/` the section "Try it", or a page with it without script.
    """

    def get_urls(self) -> list[URLPattern]:
        view: Any = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path("summary/", view(require_POST(self.summary_view)), name="loyalty_promotion_summary"),
            path("try/", view(require_POST(self.try_view)), name="loyalty_promotion_try"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def preview_context(self, request: HttpRequest, form: Any, promotion: Promotion | None) -> dict[str, Any]:
        """What the form's page shows of it: summary, findings, "try it" with suggestions."""
        programme = found_or_404(self.programme_of(request, promotion))  # type: ignore[attr-defined]
        query = f"?promotion={promotion.pk}" if promotion else f"?programme={programme.pk}"
        context: dict[str, Any] = {
            "summary_url": reverse("admin:loyalty_promotion_summary") + query,
            "try_url": reverse("admin:loyalty_promotion_try") + query,
        }
        if isinstance(form, PromotionForm) and form.fields:
            if not form.is_bound and promotion:
                form.start()
            context |= _said(form, is_deep=True)
            context["tried"] = Tried(BasketForm(programme=programme, now=timezone.now()))
        return context

    def summary_view(self, request: HttpRequest) -> HttpResponse:
        """The summary of what is typed so far, and what is odd about it."""
        form = self._form(request)
        form.is_valid()
        return TemplateResponse(request, "admin/loyalty/promotion_summary.html", _said(form, is_deep=False))

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """The draft on a receipt or a typed basket; what is typed of the promotion travels along."""
        form = self._form(request)
        context = {
            "tried": _tried(form, request.POST),
            "programme": form.programme,
            "try_url": request.get_full_path(),
        }
        if request.headers.get("X-Fragment"):
            return TemplateResponse(request, "admin/loyalty/promotion_try.html", context)
        typed = [(name, value) for name, values in request.POST.lists() for value in values]
        context |= {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            **_said(form, is_deep=False),
            "title": "Try it",
            "opts": Promotion._meta,
            "media": self.media,  # type: ignore[attr-defined]
            "typed": [x for x in typed if x[0] not in _BUTTONS and not x[0].startswith("try-")],
        }
        return TemplateResponse(request, "admin/loyalty/promotion_try_page.html", context)

    def _form(self, request: HttpRequest) -> PromotionForm:
        """The form as typed, of one's own promotion or of a new one in one's own programme."""
        asked, promotion = request.GET.get("promotion"), None
        if asked is not None:
            promotion = self.own_row(request, asked)  # type: ignore[attr-defined]
        if not self.has_change_permission(request, promotion):  # type: ignore[attr-defined]
            raise PermissionDenied
        programme: Programme = found_or_404(self.programme_of(request, promotion))  # type: ignore[attr-defined]
        instance = promotion or Promotion(programme=programme)
        return PromotionForm.of(programme)(request.POST, request.FILES, instance=instance)


def _said(form: PromotionForm, *, is_deep: bool) -> dict[str, Any]:
    """Summary and findings of a form, as far as it can be read."""
    if not hasattr(form, "draft"):
        return {"summary": "", "findings": []}
    errors = [
        (form.fields[name].label or name.replace("_", " ").capitalize() if name in form.fields else "", text)
        for name, texts in form.errors.items()
        for text in texts
    ]
    findings = [] if errors else form.findings(is_deep=is_deep)
    return {"summary": form.summary(), "findings": findings, "wrong": errors}


def _tried(form: PromotionForm, sent: QueryDict) -> Tried:
    now = timezone.now()
    basket = BasketForm(sent, programme=form.programme, now=now)
    if not form.is_valid():
        return Tried(basket, refusal="Mend what is marked in the form first.")
    promotion = form.instance
    promotion.programme = form.programme
    draft = trial_of(promotion, form.draft, now)
    try:
        if "_try_receipt" in sent:
            head = (
                RulesHead.objects.filter(programme=form.programme).values_list("version", flat=True).first()
            )
            return Tried(
                basket, trial=receipt_try(form.programme, draft, str(sent["_try_receipt"]), head or 0, now)
            )
        if "_try_basket" in sent:
            if not (basket.is_valid() and basket.cleaned_data["lines"]):
                return Tried(basket, refusal="Type at least one line." if not basket.errors else "")
            return Tried(basket, trial=basket_try(form.programme, draft, basket.basket(), now))
        word = sent.get("try-find", "").strip()
        receipts = receipts_found(form.programme, word) if word else receipts_suggested(form.programme, draft)
    except RistourneError as error:
        return Tried(basket, refusal=_told(error))
    nothing = (
        "No receipt or member has this number." if word else "No recent receipt has one of its products."
    )
    return Tried(basket, receipts=receipts, refusal="" if receipts else nothing)


def _told(error: RistourneError) -> str:
    if error.code == "not_found":
        return "There is no such member or receipt."
    return " ".join(field.detail for field in error.errors) or error.detail
