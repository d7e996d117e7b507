"""Pages on which a member signs in, and says who she is and what may be done with it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.http import require_safe

from config.kernel import pictures
from config.kernel.api.throttle import count_call
from config.kernel.errors import ValidationFailed
from config.kernel.pages import PROGRAMME_COOKIE, MemberPage
from config.kernel.rates import Rate
from config.kernel.texts import pick
from members.devices import device_of
from members.errors import WordingChanged
from members.forms import ConsentForm, ProfileForm, SignInForm
from members.identity import Kind, browser_cookie_attributes, cookie_attributes, cookie_name
from members.look import LOGOS, stylesheet
from members.look import digest as look_digest
from members.middleware import remember_language
from members.models import ConsentChange, MemberSession, Programme
from members.selectors import (
    consent_name,
    consents_of,
    consents_said,
    language_for,
    languages_of,
    languages_offered,
    sessions_of,
)
from members.services import (
    Speaker,
    consent_say,
    member_update,
    session_enter,
    session_revoke,
    sign_in_request,
)
from members.tasks import answer_sign_in

SIGN_INS = Rate(30, 3600)
"""Links that one network address may ask for."""
HOME = "my-home"


class SignInPage(View):
    """Ask for a link by e-mail. What is answered is the same for every address, known or not."""

    def get(self, request: HttpRequest, programme: str) -> HttpResponse:
        return self._page(request, _programme(programme), SignInForm(label_suffix=""))

    def post(self, request: HttpRequest, programme: str) -> HttpResponse:
        found, form = _programme(programme), SignInForm(request.POST, label_suffix="")
        if not form.is_valid():
            return self._page(request, found, form, 422)
        if count_call(f"sign-in:{request.META.get('REMOTE_ADDR')}", SIGN_INS).remaining < 0:
            form.add_error(None, gettext("Too many links were asked for. Try again in an hour."))
            return self._page(request, found, form, 429)
        asked = sign_in_request(
            programme=found,
            email=form.cleaned_data["email"],
            site=request.build_absolute_uri("/"),
            device=device_of(request.META.get("HTTP_USER_AGENT", "")),
            now=timezone.now(),
        )
        if asked:
            answer_sign_in.defer(request_id=str(asked.pk))
        return render(request, "members/sign_in_sent.html", {"programme": found})

    def _page(
        self, request: HttpRequest, programme: Programme, form: SignInForm, status: int = 200
    ) -> HttpResponse:
        return render(request, "members/sign_in.html", {"programme": programme, "form": form}, status=status)


class EnterPage(View):
    """The one-use address a partner sends its member to; a mere look at it (HEAD) does not use it up."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return _enter(request, Kind.LOGIN, token)


class EnterByEmailPage(View):
    """The one-use link of a mail. It takes a press of a button, because mail scanners open links too."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return render(request, "members/enter.html")

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        return _enter(request, Kind.EMAIL, token)


class SignOut(View):
    """End this session; who comes back to the page that said so reads it again."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.member_session:  # type: ignore[attr-defined]
            raise Http404
        return render(request, "members/signed_out.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        session = request.member_session  # type: ignore[attr-defined]
        if session:
            session_revoke(session=session, now=timezone.now())
        response = render(request, "members/signed_out.html", {"programme": session and session.programme})
        response.delete_cookie(cookie_name())
        return response


class ProfilePage(MemberPage):
    """What the programme knows of the member, and where she is signed in."""

    template_name = "members/profile.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("form", ProfileForm(self.member, languages_of(self.programme)))
        said = [
            (row, consent_name(row.purpose, row.wording, self.languages), self._text(row))
            for row in consents_said(self.member)
        ]
        return super().get_context_data(
            sessions=sessions_of(self.member, self.now),
            consents=consents_of(self.member, self.languages),
            said=said,
            **kwargs,
        )

    def _text(self, row: ConsentChange) -> str:
        """What she agreed to, in her language."""
        return pick(row.wording.texts, self.languages)[0] if row.wording else ""

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ProfileForm(self.member, languages_of(self.programme), request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        member_update(
            member=self.member,
            now=self.now,
            speaker=Speaker(ConsentChange.Source.MEMBER),
            language=form.cleaned_data["language"],
        )
        messages.success(request, gettext("Saved."))
        return redirect("member-profile")


class ConsentSaid(MemberPage):
    """Agree to one purpose, or withdraw it; what is said of others elsewhere stays."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ConsentForm(request.POST)
        if not form.is_valid():
            raise Http404
        try:
            consent_say(
                member=self.member,
                speaker=Speaker(ConsentChange.Source.MEMBER),
                now=self.now,
                **form.cleaned_data,
            )
        except WordingChanged:
            messages.warning(
                request, gettext("The text has changed meanwhile. Read it, and say it once more.")
            )
        except ValidationFailed:
            messages.error(request, gettext("That did not work. Please try again."))
        else:
            messages.success(request, gettext("Saved."))
        return redirect("member-profile")


class LanguageChoice(MemberPage):
    """Speak another language to the member from now on."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = request.POST.get("language", "")
        if chosen not in {language.code for language in languages_offered(self.session)}:
            raise Http404
        member_update(
            member=self.member, now=self.now, speaker=Speaker(ConsentChange.Source.MEMBER), language=chosen
        )
        return remember_language(redirect(_page_before(request)), language_for(chosen))


class EndSession(MemberPage):
    """End one of one's own sessions."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, session: UUID) -> HttpResponse:
        ended = get_object_or_404(MemberSession, pk=session, member=self.member)
        session_revoke(session=ended, now=self.now)
        messages.success(request, gettext("That session is over."))
        return redirect("member-profile")


@require_safe
def look(request: HttpRequest, programme: str, digest: str) -> HttpResponse:
    """A programme's colour as a stylesheet; what another digest asked for is told, but not kept."""
    colour = _programme(programme).colour
    if not colour:
        raise Http404
    is_asked = digest == look_digest(colour)
    response = HttpResponse(stylesheet(colour), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_asked else "no-cache"
    return response


@require_safe
def logo(request: HttpRequest, name: str) -> FileResponse:
    """The file of a logo."""
    return pictures.answer(LOGOS, name)


def _programme(code: str) -> Programme:
    return get_object_or_404(Programme, code=code, status=Programme.Status.ACTIVE)


def _enter(request: HttpRequest, kind: Kind, token: str) -> HttpResponse:
    """Let the holder of a one-use address in; whatever is wrong with it, the answer is the same."""
    entered = session_enter(kind=kind, token=token, now=timezone.now())
    if entered is None:
        return render(request, "members/link_over.html", status=410)
    session, cookie = entered
    rotate_token(request)
    response = redirect(session.return_url or HOME)
    response.set_cookie(cookie_name(), cookie, **cookie_attributes())
    response.set_cookie(PROGRAMME_COOKIE, session.programme.code, **browser_cookie_attributes())
    return response


def _page_before(request: HttpRequest) -> str:
    """The page of ours on which a button was pressed, else home."""
    before = request.META.get("HTTP_REFERER", "")
    is_ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if is_ours else HOME
