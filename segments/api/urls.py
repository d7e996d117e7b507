"""Addresses of segments, under /api/v1/."""

from django.urls import path

from segments.api import views

urlpatterns = [
    path("members/<code:member>/segments", views.MemberSegmentsView.as_view(), name="member-segments"),
]
