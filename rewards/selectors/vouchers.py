"""Vouchers to print, and the pools their codes come from."""

from datetime import datetime

from django.db.models import Count, F, Q, QuerySet

from config.kernel.errors import NotFound
from config.kernel.texts import chain_for, pick
from members.models import Member, Programme
from members.selectors import default_language
from rewards import answers
from rewards.gather import known_order
from rewards.letterhead import letterhead_of
from rewards.models import CodePool, VoucherIssuer
from rewards.paper import Paper, voucher_page
from rewards.services.issuing import code_of
from rewards.shelf import shelf_of


def voucher_pdf(programme: Programme, reference: str, now: datetime, *, shows_code: bool) -> bytes:
    """An order's usable voucher to print, in the language of the order or else of the member.

    `shows_code` is for the member alone. NotFound for an order that has no usable voucher.
    """
    context = known_order(programme_id=programme.pk, reference=reference, now=now)
    voucher = context.booked.voucher if context else None
    if context is None or voucher is None or not voucher.is_usable(now):
        raise NotFound
    row, names = context.booked.row, context.gift.name or {}
    language = row.language or Member.objects.get(pk=row.member_id).language or default_language(programme)
    languages = chain_for(language, shelf_of(programme.pk, now).languages)
    issuer = VoucherIssuer.objects.filter(programme=programme).first()
    value = answers.money(voucher.balance, voucher.currency) or {"amount": "", "currency": ""}
    return voucher_page(
        Paper(
            language=language,
            gift=pick(names, languages)[0] or context.gift.code,
            amount=value["amount"],
            currency=value["currency"],
            code=code_of(context.booked) if shows_code else None,
            reference=row.reference,
            valid_until=voucher.valid_until,
            zone=context.place.zone,
            issuer=issuer.name if issuer else programme.name,
            address=issuer.address.replace("\n", ", ") if issuer else "",
            company_number=issuer.company_number if issuer else "",
            conditions=pick(issuer.conditions, languages)[0] if issuer else "",
        ),
        letterhead_of(programme),
    )


def pools_low(programme: Programme, now: datetime) -> QuerySet[CodePool]:
    """The programme's pools with fewer codes left to give than staff want to be warned of."""
    usable = Q(codes__redemption_id=None) & (Q(codes__valid_until=None) | Q(codes__valid_until__gt=now))
    pools = CodePool.objects.filter(programme=programme)
    return pools.annotate(free=Count("codes", filter=usable)).filter(free__lt=F("low_stock"))
