"""What members are asked to agree to, and what was said of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from config.kernel.texts import called, pick
from members.models import ConsentChange, ConsentWording, Member, Programme


def wordings_now(programme: Programme, codes: Iterable[str] | None = None) -> dict[str, ConsentWording]:
    """The wording that holds of each purpose that has one, with its purpose, by code in the programme's order."""
    rows = ConsentWording.objects.select_related("purpose").filter(programme=programme)
    if codes is not None:
        rows = rows.filter(purpose__code__in=list(codes))
    rows = rows.order_by("purpose__position", "purpose__code", "-number")
    found: dict[str, ConsentWording] = {}
    for row in rows.distinct("purpose__position", "purpose__code"):
        found[row.purpose.code] = row
    return found


@dataclass(frozen=True, slots=True)
class Consent:
    """What a member is asked or was asked: `value` True, False, or None for nothing said yet.

    `wording` is the number of the words that hold, None for what only partners know; `is_other` when she agreed
    to other words than those, `may_agree` when she can agree to those that hold.
    """

    code: str
    name: str
    text: str
    value: bool | None
    wording: int | None
    said_at: datetime | None
    is_other: bool
    may_agree: bool


def consents_of(member: Member, languages: Sequence[str]) -> list[Consent]:
    """The purposes that members are asked, in their order, and what else the member was asked before."""
    wordings = wordings_now(member.programme)
    last = {row.purpose: row for row in member.consent_changes.order_by("purpose", "-id").distinct("purpose")}
    known = {code: value for code, value in member.consents.items() if isinstance(value, bool)}
    asked = [code for code, wording in wordings.items() if wording.purpose.is_offered or code in known]
    found = []
    for code in [*asked, *(code for code in known if code not in wordings)]:
        wording, said, value = wordings.get(code), last.get(code), known.get(code)
        agreed = said.wording_id if said and value else None
        holds = wording.pk if wording else None
        found.append(
            Consent(
                code=code,
                name=consent_name(code, wording, languages),
                text=pick(wording.texts, languages)[0] if wording else "",
                value=value,
                wording=wording.number if wording else None,
                said_at=said.at if said else None,
                is_other=bool(agreed and holds and agreed != holds),
                may_agree=not (value and agreed == holds) and (wording is None or wording.purpose.is_offered),
            )
        )
    return found


def consent_name(code: str, wording: ConsentWording | None, languages: Sequence[str]) -> str:
    """What a purpose is called along a chain of languages; one that is not set up by its code, as words."""
    words = code.replace("_", " ").replace("-", " ")
    return called(words[:1].upper() + words[1:], wording.names if wording else {}, languages)


def consents_said(member: Member) -> QuerySet[ConsentChange]:
    """What was said of the member's consents with the words it was said of, the newest first; the last hundred."""
    return member.consent_changes.select_related("wording")[:100]
