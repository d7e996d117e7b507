"""The OpenAPI document, its pages, and that it says everything."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from config.kernel.api.problems import PROBLEM_TYPES
from tests.factories import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def document() -> dict:
    return Client().get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()


def operations(document: dict) -> list[tuple[str, str, dict]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_valid_and_without_warnings() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")


def test_it_is_openapi_3_1(document: dict) -> None:
    assert document["openapi"].startswith("3.1")
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "/oauth/token"
    assert "points:earn" in flow["scopes"]


def test_every_operation_says_its_scopes_failures_and_examples(document: dict) -> None:
    scopes = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    checked = [found for found in operations(document) if found[0].startswith("/api/")]
    assert len(checked) >= 4
    for path, method, operation in checked:
        name = f"{method} {path}"
        (security,) = operation["security"]
        is_member = set(security) == {"member"}
        assert is_member or set(security["oauth2"]) <= set(scopes), name
        assert operation["summary"], name
        assert operation["description"], name
        responses = operation["responses"]
        assert {"401", "406", "429", "500", "503"} <= set(responses), name
        assert ("403" in responses) is not is_member, name
        if "{" in path:
            assert "404" in responses or method == "put", name
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(responses), name
            assert operation["requestBody"]["content"]["application/json"]["examples"], name
        for status, response in responses.items():
            is_failure = int(status) >= 400
            media_type = "application/problem+json" if is_failure else "application/json"
            assert set(response.get("content", {})) <= {media_type}, (name, status)


def test_codes_in_paths_have_their_pattern(document: dict) -> None:
    (member,) = [
        parameter
        for parameter in document["paths"]["/api/v1/members/{member}"]["get"]["parameters"]
        if parameter["in"] == "path"
    ]
    assert re.match(member["schema"]["pattern"], "POS-77")
    assert not re.match(member["schema"]["pattern"], "../etc")


def test_the_examples_run(till: ApiClient, document: dict) -> None:
    paths = document["paths"]
    enrol = paths["/api/v1/members"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    (example,) = enrol.values()
    answer = till.post_json("/api/v1/members", example["value"] | {"language": "fr"})
    assert answer.status_code == 201
    shown = paths["/api/v1/members"]["post"]["responses"]["201"]["content"]["application/json"]["examples"]
    (promised,) = shown.values()
    assert set(answer.json()) == set(promised["value"])


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_pages_have_local_assets(page: str) -> None:
    answer = Client().get(f"/api/v1/{page}")
    assert answer.status_code == 200
    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.content.decode())
    assert assets
    assert all(finders.find(asset.removeprefix("/static/")) for asset in assets)
    assert not re.search(rb'(?:src|href)="(?:https?:)?//', answer.content)
    assert not re.search(rb"<script(?![^>]*src=)", answer.content)


def test_the_type_of_a_problem_leads_somewhere(till: ApiClient) -> None:
    problem = till.get("/api/v1/members/nobody").json()
    page, anchor = problem["type"].split("#")
    answer = Client().get(page)
    assert answer.status_code == 200
    assert f'id="{anchor}"' in answer.content.decode()
    assert page + "#" == PROBLEM_TYPES
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
