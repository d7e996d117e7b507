"""Segments and who is in them, in the back office."""

from segments.admin.memberships import MembershipAdmin, PinAdmin
from segments.admin.segments import SegmentAdmin
from segments.admin.uploads import UploadAdmin

__all__ = ["MembershipAdmin", "PinAdmin", "SegmentAdmin", "UploadAdmin"]
