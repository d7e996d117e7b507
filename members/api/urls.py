"""Addresses of languages and access, under /api/v1/ and /oauth/."""

from django.urls import path

from members.api import identifications, oauth, views

urlpatterns = [
    path("identifications", identifications.IdentificationsView.as_view(), name="identifications"),
    path("languages", views.LanguagesView.as_view(), name="languages"),
]

oauth_urlpatterns = [
    path("token", oauth.TokenView.as_view(), name="oauth-token"),
    path("revoke", oauth.RevocationView.as_view(), name="oauth-revoke"),
    path("introspect", oauth.IntrospectionView.as_view(), name="oauth-introspect"),
]
