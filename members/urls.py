"""Addresses of the member's pages, under /my/."""

from django.urls import path

from members import views

urlpatterns = [
    path("<code:programme>/sign-in", views.SignInPage.as_view(), name="member-sign-in"),
    path("enter/<str:token>", views.EnterPage.as_view(), name="member-enter"),
    path("enter-by-email/<str:token>", views.EnterByEmailPage.as_view(), name="member-enter-by-email"),
    path("sign-out", views.SignOut.as_view(), name="member-sign-out"),
    path("profile", views.ProfilePage.as_view(), name="member-profile"),
    path("profile/sessions/<uuid:session>/end", views.EndSession.as_view(), name="member-session-end"),
]
