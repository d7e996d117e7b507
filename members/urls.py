"""Addresses of the member's pages, under /my/."""

from django.urls import path, re_path

from members import views

ANYTHING = r"(?P<token>[\s\S]+)"
"""Whatever a damaged address has become, it is answered as one that is over."""

urlpatterns = [
    path("<code:programme>/look-<slug:digest>.css", views.look, name="member-look"),
    re_path(r"^logo/(?P<name>[0-9a-f]{64}-[0-9]{1,5}\.webp)\Z", views.logo, name="member-logo"),
    path("<code:programme>/sign-in", views.SignInPage.as_view(), name="member-sign-in"),
    re_path(rf"^enter/{ANYTHING}$", views.EnterPage.as_view(), name="member-enter"),
    re_path(rf"^enter-by-email/{ANYTHING}$", views.EnterByEmailPage.as_view(), name="member-enter-by-email"),
    path("language", views.LanguageChoice.as_view(), name="member-language"),
    path("sign-out", views.SignOut.as_view(), name="member-sign-out"),
    path("profile", views.ProfilePage.as_view(), name="member-profile"),
    path("profile/consents", views.ConsentSaid.as_view(), name="member-consent"),
    path("profile/sessions/<uuid:session>/end", views.EndSession.as_view(), name="member-session-end"),
]
