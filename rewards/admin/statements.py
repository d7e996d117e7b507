"""A member's statement as the member would print it, for staff of the programme."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.kernel.admin import found_or_404
from members.models import Member
from rewards.admin.programmes import own_programmes
from rewards.pages.statement import Period, statement_of


def statement_view(request: HttpRequest, member_id: int) -> HttpResponse:
    """All movements of a member as a PDF; Http404 for members of other programmes."""
    own = Member.objects.filter(pk=member_id, programme__in=own_programmes(request))
    member = found_or_404(own.select_related("programme").first())
    body = statement_of(member.programme, member, Period(), timezone.now())
    response = HttpResponse(body, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="history-{member.number}.pdf"'
    return response
