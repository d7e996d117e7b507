"""People at their desks in the back office, and how tests find their way in it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from members.models import Programme
from members.services import staff_create
from tests.factories import ApiClient

PASSWORD = "correct horse battery 9"
CONFIRMED = {"_form_submitted": "on"}
BACKEND = "django.contrib.auth.backends.ModelBackend"


def signed_in(user: AbstractUser) -> Client:
    client = Client()
    client.force_login(user, BACKEND)
    return client


@pytest.fixture
def desk(monday: Any, programme: Programme) -> Client:
    """Carol, staff of the programme."""
    return signed_in(staff_create(username="carol", password=PASSWORD, programmes=[programme]))


@pytest.fixture
def second(monday: Any, programme: Programme) -> Client:
    """Dave, staff of the programme too."""
    return signed_in(staff_create(username="dave", password=PASSWORD, programmes=[programme]))


@pytest.fixture
def stranger(monday: Any, eve: ApiClient) -> Client:
    """Staff of another programme."""
    programme = eve.partner.programme
    return signed_in(staff_create(username="mallory", password=PASSWORD, programmes=[programme]))


@pytest.fixture
def root(monday: Any, db: None) -> Client:
    return signed_in(get_user_model().objects.create_superuser("root", password=PASSWORD))


def page(model: Any, row: Any = None) -> str:
    """The address of a list, or of a row's page."""
    name = f"admin:loyalty_{model._meta.model_name}"
    return reverse(f"{name}_change", args=[row.pk]) if row else reverse(f"{name}_changelist")


def adding(model: Any, **query: object) -> str:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return reverse(f"admin:loyalty_{model._meta.model_name}_add") + f"?{words}"


def texts(answer: HttpResponse) -> list[str]:
    """What the next page tells."""
    return [str(message) for message in answer.context["messages"]]


def errors(answer: HttpResponse) -> dict[str, list[str]]:
    """The errors of a form that was shown again, by field."""
    assert answer.status_code == 200
    context = answer.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    return {name: list(found) for name, found in form.errors.items()}
