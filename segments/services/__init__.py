"""Writes of segments and of who is in them."""

from segments.services.batches import Operation, Outcome, memberships_apply
from segments.services.erasure import member_erase
from segments.services.memberships import membership_add, membership_remove
from segments.services.pins import member_pin, member_pin_out, member_unpin
from segments.services.refreshing import refresh_all, refresh_request, refresh_run, refreshes_forget
from segments.services.segments import criteria_read, criteria_save, segment_create, segment_update
from segments.services.uploads import (
    upload_confirm,
    upload_create,
    upload_drop,
    upload_run,
    uploads_forget,
)

__all__ = [
    "Operation",
    "Outcome",
    "criteria_read",
    "criteria_save",
    "member_erase",
    "member_pin",
    "member_pin_out",
    "member_unpin",
    "membership_add",
    "membership_remove",
    "memberships_apply",
    "refresh_all",
    "refresh_request",
    "refresh_run",
    "refreshes_forget",
    "segment_create",
    "segment_update",
    "upload_confirm",
    "upload_create",
    "upload_drop",
    "upload_run",
    "uploads_forget",
]
