"""What members holds of one member."""

from collections.abc import Iterator, Mapping

from config.kernel.dossier import Page, Section, fields, pages
from members.models import Activity, ConsentChange, Member, MemberSession


def sections(member: Member, partners: Mapping[int, str]) -> Iterator[Section]:
    """The profile, what was said of consents, sums by day, and every session; `partners` are names by id."""

    def by_partner(page: Page) -> Page:
        return [row | {"partner": partners.get(row.pop("partner_id"))} for row in page]

    profile = Member.objects.filter(pk=member.pk)
    yield Section("profile", profile.values(*fields(Member, "programme", "id", "identity_version")).first())
    consents = ConsentChange.objects.filter(member=member)
    columns = [*fields(ConsentChange, "programme", "member", "wording"), *_WORDING]
    yield Section("consent_changes", pages(consents.values(*columns), "id", shape=_consents))
    activity = Activity.objects.filter(member=member)
    yield Section("activity", pages(activity.values(*fields(Activity, "programme", "member")), "day"))
    sessions = MemberSession.objects.filter(member=member)
    columns = fields(MemberSession, "programme", "member")
    yield Section("sessions", pages(sessions.values(*columns), "id", shape=by_partner))


_WORDING = ("wording__number", "wording__names", "wording__texts")


def _consents(page: Page) -> Page:
    """With the words that were agreed to; without the names of staff: they are data of somebody else."""
    for row in page:
        del row["id"]
        number, names, texts = (row.pop(name) for name in _WORDING)
        row["wording"] = {"number": number, "names": names, "texts": texts} if number else None
        if row["source"] == ConsentChange.Source.STAFF:
            row["by"] = ""
    return page
