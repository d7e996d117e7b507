"""Addresses of segments, under /api/v1/."""

from django.urls import path

from segments.api import views

urlpatterns = [
    path("segments", views.SegmentsView.as_view(), name="segments"),
    path("segments/<code:segment>/members", views.SegmentMembersView.as_view(), name="segment-members"),
    path(
        "segments/<code:segment>/members/<code:member>",
        views.SegmentMemberView.as_view(),
        name="segment-member",
    ),
    path("members/<code:member>/segments", views.MemberSegmentsView.as_view(), name="member-segments"),
]
