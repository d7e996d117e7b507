"""The page that says who is in a dynamic segment: edit, count, look at who would move, save."""

import json
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone

from config.kernel.errors import ValidationFailed
from segments import builder
from segments.criteria import CriteriaInvalid, Node, parse, summary
from segments.models import Segment
from segments.selectors import Preview, criteria_preview
from segments.services import criteria_save

EDIT, REVIEW = "admin/segments/criteria.html", "admin/segments/criteria_review.html"


class CriteriaPage:
    """One request of the page. Buttons are named `do`: `count`, `review`, `save`, or e.g. `add n-0`."""

    def __init__(self, request: HttpRequest, segment: Segment) -> None:
        self.request, self.segment, self.now = request, segment, timezone.now()
        self.action, _, path = request.POST.get("do", "").partition(" ")
        self.focus, self.faults, self.is_slow = "", list[str](), False
        self.draft = self._draft()
        if self.action in {"add", "group", "remove"}:
            self.focus = builder.draft_change(self.draft, self.action, path)
        self.tree = self.draft.tree()
        self.criteria = self._checked()
        self.preview = self._counted()

    @property
    def template(self) -> str:
        """The review when all is well and it was asked for, else the form."""
        return REVIEW if self.action == "review" and self.preview else EDIT

    def save(self) -> bool:
        """Save the reviewed criteria if that is what was asked; whether it was done."""
        if self.action != "save" or self.criteria is None:
            return False
        try:
            criteria_save(
                segment=self.segment, criteria=self.tree, now=self.now, by=self.request.user.get_username()
            )
        except ValidationFailed as error:
            self.faults = [field.detail for field in error.errors]
            return False
        return True

    def context(self) -> dict[str, Any]:
        """What the templates show."""
        currency = self.segment.programme.currency
        return {
            "draft": self.draft,
            "joins": builder.JOINS,
            "periods": builder.PERIODS,
            "focus": self.focus,
            "faults": self.faults,
            "is_slow": self.is_slow,
            "preview": self.preview,
            "summary": summary(self.criteria, currency=currency) if self.criteria else "",
            "json": json.dumps(self.tree, indent=2, ensure_ascii=False),
            "languages": self.segment.programme.languages.all(),
        }

    def _draft(self) -> builder.Group:
        """As sent: by rows, or as the JSON of the review; else as stored."""
        if self.request.method != "POST":
            return builder.draft_of(self.segment.criteria)
        sent = self.request.POST.get("criteria")
        if sent is None:
            return builder.draft_read(self.request.POST)
        try:
            tree = json.loads(sent)
            parse(tree)
        except (ValueError, RecursionError):
            self.action = "edit"  # not what the review sent: nothing is saved
            return builder.draft_of(self.segment.criteria)
        return builder.draft_of(tree)

    def _checked(self) -> Node | None:
        is_new = self.request.method != "POST" and self.segment.criteria is None
        try:
            return parse(self.tree)
        except CriteriaInvalid as error:
            if not is_new and self.action not in {"add", "group", "remove", "update"}:
                builder.draft_blame(self.draft, [(fault.pointer, fault.detail) for fault in error.faults])
                self.faults = [fault.detail for fault in error.faults]
            return None

    def _counted(self) -> Preview | None:
        if self.criteria is None or self.action == "save":
            return None
        try:
            return criteria_preview(self.segment, self.criteria, self.now)
        except OperationalError:
            self.is_slow = True
            return None
