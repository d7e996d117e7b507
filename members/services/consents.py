"""Consents: what members are asked, and what is said of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction as db_transaction

from config.kernel.errors import NotFound, ValidationFailed
from config.kernel.flat import flat_errors
from config.kernel.models import check_fields
from config.kernel.texts import LABEL_LENGTH, Texts, stripped, text_errors
from members.errors import WordingChanged
from members.models import ConsentChange, ConsentPurpose, ConsentWording, Member, Programme
from members.models.consents import WORDING_MAX_LENGTH
from members.selectors import default_language, languages_of, wordings_now
from members.services.locking import member_locked
from members.services.telling import tell

_UNSAID = object()


class Speaker(NamedTuple):
    """Who says what is known of a member: a partner, the member herself or staff, and their name."""

    source: str = ConsentChange.Source.PARTNER
    name: str = ""


A_PARTNER = Speaker()


@db_transaction.atomic
def consent_purpose_save(
    *,
    programme: Programme,
    code: str,
    now: datetime,
    position: int = 0,
    is_offered: bool = True,
    names: Texts | None = None,
    texts: Texts | None = None,
) -> ConsentPurpose:
    """Set up a purpose, or change it. Other words (None = as before) are a wording of their own, from `now` on.

    Nobody is asked before it has a name. ValidationFailed, also for words without the default language.
    """
    said = {"position": position, "is_offered": is_offered}
    check_fields(ConsentPurpose(programme=programme, code=code, **said), checks_uniqueness=False)
    purpose, _ = ConsentPurpose.objects.update_or_create(programme=programme, code=code, defaults=said)
    last = purpose.wordings.first()
    before = (last.names, last.texts) if last else ({}, {})
    words = (
        before[0] if names is None else stripped(names),
        before[1] if texts is None else stripped(texts),
    )
    if words != before:
        _check_words(programme, *words)
        number = last.number + 1 if last else 1
        ConsentWording.objects.create(
            programme=programme, purpose=purpose, number=number, names=words[0], texts=words[1], since=now
        )
    return purpose


@db_transaction.atomic
def consent_say(
    *, member: Member, code: str, value: bool, wording: int | None, speaker: Speaker, now: datetime
) -> None:
    """Agree to one purpose, or not, whatever is said of others meanwhile.

    `wording` is the number that was read, None where the purpose is not set up: to agree it takes the one that
    holds. What members are asked no more can only be withdrawn. Raises NotFound for what was never asked or is
    no more, WordingChanged, ValidationFailed for more than is kept of a member; nothing is kept then.
    """
    stored = member_locked(member=member)
    holding = wordings_now(stored.programme, [code]).get(code)
    is_asked = holding is not None and holding.purpose.is_offered
    if not is_asked and (not isinstance(stored.consents.get(code), bool) or (value and holding is not None)):
        raise NotFound
    if value and wording != (holding.number if holding else None):
        raise WordingChanged
    before = stored.consents
    is_new = holding is not None and value and holding.pk != _wording_agreed(stored, code)
    if before.get(code, _UNSAID) is value and not is_new:
        return
    stored.consents = before | {code: value}
    if errors := list(flat_errors("/consents", stored.consents)):
        raise ValidationFailed(errors=errors)
    stored.save(update_fields=["consents"])
    _keep(stored, {code: holding}, speaker, now)
    tell("member.updated", stored, now)


def consents_merged(
    stored: Mapping[str, Any], seen: Mapping[str, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """What is stored with what somebody changed who had `seen` something and sends `said`."""
    changed = {code for code in {*seen, *said} if seen.get(code, _UNSAID) != said.get(code, _UNSAID)}
    kept = {code: value for code, value in stored.items() if code not in changed}
    return kept | {code: said[code] for code in said if code in changed}


def consents_keep(member: Member, before: Mapping[str, Any], speaker: Speaker, now: datetime) -> None:
    """A row for each consent that differs from what was known before, with the wording that holds now."""
    said = [*member.consents, *(name for name in before if name not in member.consents)]
    changed = [name for name in said if before.get(name, _UNSAID) != member.consents.get(name, _UNSAID)]
    if not changed:
        return
    holding = wordings_now(member.programme, changed)
    _keep(member, {name: holding.get(name) for name in changed}, speaker, now)


def _keep(member: Member, said: Mapping[str, ConsentWording | None], speaker: Speaker, now: datetime) -> None:
    """A row for each of these consents as it stands, with the wording it was said of."""
    ConsentChange.objects.bulk_create(
        ConsentChange(
            programme_id=member.programme_id,
            member=member,
            purpose=purpose,
            wording=wording,
            value=member.consents.get(purpose),
            source=speaker.source,
            by=speaker.name[:200],
            at=now,
        )
        for purpose, wording in said.items()
    )


def _wording_agreed(member: Member, code: str) -> int | None:
    """The wording of what was last said of a purpose."""
    last = ConsentChange.objects.filter(member=member, purpose=code).first()
    return last.wording_id if last else None


def _check_words(programme: Programme, names: Texts, texts: Texts) -> None:
    languages = {language.code for language in languages_of(programme)}
    errors = [
        *text_errors("/names", names, languages, LABEL_LENGTH),
        *text_errors("/texts", texts, languages, WORDING_MAX_LENGTH),
    ]
    if errors:
        raise ValidationFailed(errors=errors)
    if default_language(programme) not in names:
        raise ValidationFailed.at("/names", "missing", "It needs a name in the default language.")
