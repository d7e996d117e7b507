"""Endpoints that exist for tests only."""

from typing import ClassVar

import psycopg
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.kernel.api import ApiView, json_response, read_json
from config.urls import urlpatterns as real_urlpatterns


class EchoView(ApiView):
    """Answers with the JSON it got."""

    required_scopes: ClassVar = {"POST": ("points:earn",), "GET": ()}
    media_types: ClassVar = ("application/json", "text/csv")

    def get(self, request: HttpRequest) -> HttpResponse:
        return json_response({"media_type": request.media_type})

    def post(self, request: HttpRequest) -> HttpResponse:
        return json_response({"echo": read_json(request)})


class FailingView(ApiView):
    """Fails as the address says."""

    required_scopes: ClassVar = {"GET": ()}

    def get(self, request: HttpRequest, how: str) -> HttpResponse:
        match how:
            case "bug":
                raise ZeroDivisionError("secret of the inside")
            case "lost":
                raise OperationalError("connection refused at 10.0.0.7")
            case "raw":
                raise psycopg.errors.LockNotAvailable("waiting for 42")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 20")
            cursor.execute(
                {
                    "slow": "SELECT pg_sleep(5)",
                    "readonly": "SET LOCAL transaction_read_only = on; DELETE FROM members_member",
                    "wrong": "SELECT 1/0",
                }[how]
            )
        return json_response({})


urlpatterns = [
    path("api/v1/echo", EchoView.as_view()),
    path("api/v1/failing/<str:how>", FailingView.as_view()),
    *real_urlpatterns,
]
