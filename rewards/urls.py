"""Addresses of files, under /media/."""

from django.urls import re_path
from django.views.decorators.http import require_safe

from rewards import views

urlpatterns = [
    re_path(r"^gifts/(?P<name>[0-9a-f]{64}-[0-9]{1,5}\.webp)\Z", require_safe(views.picture), name="picture"),
]
