"""Every address, wired together: the API, its pages, the back office."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

# Importing the converters registers `<code:...>`.
from config.kernel import codes  # noqa: F401
from config.kernel.api import UnknownPath
from config.kernel.api.routing import under
from config.people import DataDownload
from config.people_office import data_download_by_staff, person_erase_by_staff
from config.views import IndexPage, ProblemsPage, healthz
from members.api.urls import oauth_urlpatterns

api_v1: list[URLPattern | URLResolver] = [
    path("", include("loyalty.api.urls")),
    path("", include("members.api.urls")),
    path("", include("segments.api.urls")),
    path("", include("rewards.api.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("docs/problems", ProblemsPage.as_view(), name="problems"),
    path("redoc", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
]

handler404 = "config.views.not_found"
handler500 = "config.views.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", IndexPage.as_view(), name="index"),
    path("healthz", healthz, name="healthz"),
    under("api/v1/", api_v1),
    path("oauth/", include(oauth_urlpatterns)),
    re_path(r"^(api|oauth)/", UnknownPath.as_view()),
    path("my/", include("rewards.pages.urls")),
    path("my/", include("members.urls")),
    path("my/profile/data", DataDownload.as_view(), name="member-data"),
    path("media/", include("rewards.urls")),
    path("admin/members/member/<int:member_id>/data", data_download_by_staff, name="member-data-by-staff"),
    path("admin/members/member/<int:member_id>/erase", person_erase_by_staff, name="member-erase-by-staff"),
    path("admin/", admin.site.urls),
]
