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
    columns = fields(ConsentChange, "programme", "member")
    yield Section("consent_changes", pages(consents.values(*columns), "id", shape=_consents))
    activity = Activity.objects.filter(member=member)
    yield Section("activity", pages(activity.values(*fields(Activity, "programme", "member")), "day"))
    sessions = MemberSession.objects.filter(member=member)
    columns = fields(MemberSession, "programme", "member")
    yield Section("sessions", pages(sessions.values(*columns), "id", shape=by_partner))


def _consents(page: Page) -> Page:
    """Without the names of staff: they are data of somebody else."""
    for row in page:
        del row["id"]
        if row["source"] == ConsentChange.Source.STAFF:
            row["by"] = ""
    return page
