"""What a call of the API carries besides what Django knows."""

from typing import Any

from django.http import HttpRequest


class ApiRequest(HttpRequest):
    """A request as the handlers of an ApiView get it; for type checkers only, nobody makes one.

    `auth` is the caller (`members.selectors.Caller`), `media_type` what the answer is to be,
    `request_id` what the answer and the log line carry.
    """

    auth: Any
    media_type: str
    request_id: str
