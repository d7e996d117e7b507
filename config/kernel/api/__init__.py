"""What every endpoint stands on: strict JSON in, problem+json out, one trimmed view class between."""

from config.kernel.api.body import convert, read_body, read_json
from config.kernel.api.pagination import PageRequest, paginate, read_page
from config.kernel.api.problems import problem, problem_response
from config.kernel.api.requests import ApiRequest
from config.kernel.api.responses import json_response
from config.kernel.api.schema import (
    KEY_HEADER,
    LOCATION_HEADER,
    PAGE_PARAMETERS,
    REPLAYED_HEADER,
    Problem,
    operation,
)
from config.kernel.api.views import ApiView, MemberApiView, ProblemsPage, UnknownPath

__all__ = [
    "KEY_HEADER",
    "LOCATION_HEADER",
    "PAGE_PARAMETERS",
    "REPLAYED_HEADER",
    "ApiRequest",
    "ApiView",
    "MemberApiView",
    "PageRequest",
    "Problem",
    "ProblemsPage",
    "UnknownPath",
    "convert",
    "json_response",
    "operation",
    "paginate",
    "problem",
    "problem_response",
    "read_body",
    "read_json",
    "read_page",
]
