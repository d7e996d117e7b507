"""Gift orders of a member: ordering with a confirmation, the voucher, where an order stands, sending it back."""

from datetime import timedelta
from typing import Any

import msgspec
import segno
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from config.kernel.errors import RistourneError
from config.kernel.pages import MemberPage
from loyalty.services import Write
from rewards.lifecycle import Status
from rewards.pages import words
from rewards.pages.forms import DeliveryForm, new_reference
from rewards.pages.gifts import gift_or_404, window_of
from rewards.pages.page import PointsPage, page_number
from rewards.selectors import OwnOrder, order_of_member, order_since, orders_of_member, voucher_pdf
from rewards.services import DeliveryTo, MoveCommand, RedemptionCommand, redemption_move, redemption_order

ACTOR = "member"
PAGE = 25
A_MOMENT = timedelta(minutes=10)
"""Who comes back to order the same gift so soon is told that she did."""
WAY = (Status.EXCHANGED, Status.IN_PREPARATION, Status.IN_DELIVERY, Status.DELIVERED)
"""How a gift that is sent reaches the member."""


class OrderGiftPage(PointsPage):
    """Confirm a gift order: what it costs, what is left, where it goes.

    The order's reference comes with the form, so that sending it twice orders once, and the price with it, so
    that nobody pays another.
    """

    template_name = "my/order_gift.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        window = window_of(self)
        gift = gift_or_404(window, self.kwargs["gift"])
        kwargs |= {
            "gift": window.shown(gift),
            "offer": window.offer(gift),
            "ordered": order_since(self.programme, self.member, gift.code, self.now - A_MOMENT),
        }
        kwargs.setdefault("form", DeliveryForm(gift.kind, initial={"reference": new_reference()}))
        return super().get_context_data(**kwargs | self._promise())

    def post(self, request: HttpRequest, gift: str) -> HttpResponse:
        found = gift_or_404(window_of(self), gift)
        form = DeliveryForm(found.kind, request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        said = form.cleaned_data
        command = self._command(said["reference"], "commit", form.delivery(self.member.email), said["points"])
        try:
            redemption_order(write=self._write(), command=command)
        except RistourneError as error:
            return self.render_to_response(
                self.get_context_data(form=form, refusal=words.refusal(error)), status=409
            )
        return redirect("my-order", command.reference)

    def _promise(self) -> dict[str, Any]:
        """What ordering now would cost and leave, or why it would be refused."""
        try:
            answer = redemption_order(
                write=self._write(), command=self._command(new_reference(), "dry_run", None)
            )
        except RistourneError as error:
            return {"promise": None, "refusal": words.refusal(error)}
        return {"promise": msgspec.json.decode(answer.body)}

    def _command(
        self, reference: str, mode: str, to: DeliveryTo | None, points: int | None = None
    ) -> RedemptionCommand:
        return RedemptionCommand(
            reference=reference,
            member=self.member.number,
            gift=self.kwargs["gift"],
            actor=ACTOR,
            mode=mode,
            language=self.member.language,
            delivery=to,
            points=points,
        )

    def _write(self) -> Write:
        return Write(self.programme.pk, self.now)


class OrdersPage(MemberPage):
    """The member's gift orders, the newest first; `?page=` turns."""

    template_name = "my/orders.html"
    found_name = "my/orders_found.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = page_number(self.request.GET.get("page", "1"))
        found = orders_of_member(self.programme, self.member, self.now, begin=page * PAGE, limit=PAGE + 1)
        if page and not found:
            raise Http404
        kwargs |= {
            "orders": found[:PAGE],
            "older": f"?page={page + 2}" if len(found) > PAGE else "",
            "newest": "?" if page else "",
        }
        return super().get_context_data(**kwargs)


class OrderPage(MemberPage):
    """Where an order stands, with every step, and its voucher with code and QR code."""

    template_name = "my/order.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        order = order_of_member(self.programme, self.member, self.kwargs["reference"], self.now)
        if order is None:
            raise Http404
        kwargs |= {
            "order": order.body,
            "name": order.name,
            "code": order.code,
            "qr": _qr(order.code) if order.code else "",
            "coming": _coming(order.body["status"]),
            "may_cancel": Status.CANCELLED in order.body["allowed"],
            "may_return": Status.RETURN_REQUESTED in order.body["allowed"],
        }
        return super().get_context_data(**kwargs)


class VoucherPaper(MemberPage):
    """The voucher to print, with its code: for the member alone."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        reference = self.kwargs["reference"]
        order = order_of_member(self.programme, self.member, reference, self.now)
        if order is None or order.code is None:
            raise Http404
        body = voucher_pdf(self.programme, reference, self.now, shows_code=True)
        response = HttpResponse(body, content_type="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="{reference}.pdf"'
        return response


class OrderStep(MemberPage):
    """The member cancels an order, or asks to send it back: she is asked whether, and says so."""

    template_name = "my/order_step.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        order = self._order(self.kwargs["reference"])
        if Status(self.kwargs["to"]) not in order.body["allowed"]:
            return redirect("my-order", self.kwargs["reference"])
        context = self.get_context_data(
            order=order.body, name=order.name, gives_back=order.gives_back, to=self.kwargs["to"]
        )
        return self.render_to_response(context)

    def _order(self, reference: str) -> OwnOrder:
        order = order_of_member(self.programme, self.member, reference, self.now)
        if order is None:
            raise Http404
        return order

    def post(self, request: HttpRequest, reference: str, to: str) -> HttpResponse:
        self._order(reference)
        command = MoveCommand(reference, Status(to), ACTOR)
        try:
            redemption_move(write=Write(self.programme.pk, self.now), command=command)
        except RistourneError as error:
            messages.error(request, words.refusal(error))
        else:
            messages.success(request, gettext("Done."))
        return redirect("my-order", reference)


def _coming(status: str) -> tuple[Status, ...]:
    """What is still to happen to a gift that is on its way to the member."""
    return WAY[WAY.index(Status(status)) + 1 :] if status in WAY else ()


def _qr(code: str) -> SafeString:
    """The code as a QR code in SVG, dark on light in every scheme so that scanners read it."""
    made = segno.make(code, error="m", micro=False)
    return mark_safe(made.svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass="qr"))  # noqa: S308
