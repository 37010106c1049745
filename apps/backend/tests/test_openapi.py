"""The API as its OpenAPI document describes it, tried out with what follows that and with what does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.engine import URL

from tests.conftest import CROWDED, PASSWORD, Person, served, sign_up, write_secrets
from tests.operations import belongings, document

# One that is described wrongly is an Err, which fails here.
FOUND = schemathesis.openapi.from_dict(document()).get_all_operations()
OPERATIONS = [found.ok() for found in FOUND]  # type: ignore[union-attr]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass
class Backend:
    """A running backend, and how those who use it are made."""

    url: str
    client: httpx.AsyncClient
    portal: BlockingPortal

    def somebody(self) -> tuple[Person, dict[str, Any]]:
        """Somebody new, with values for the fields that only some values do for."""
        found: tuple[Person, dict[str, Any]] = self.portal.call(self._somebody)
        return found

    async def _somebody(self) -> tuple[Person, dict[str, Any]]:
        person = await sign_up(self.client)
        credentials = {"email": person.email, "password": PASSWORD, "refresh": True}
        session = (await self.client.post("/api/v1/auth/login", json=credentials)).json()
        known = {"refresh_token": session["refresh_token"], "time_zone": "Europe/Berlin", "due": "tomorrow at 5"}
        return person, {**credentials, **known, **await belongings(person)}


@pytest.fixture(scope="module")
def backend(migrated_database: Callable[[], URL], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The backend as it is served, on TCP."""
    folder = tmp_path_factory.mktemp("secrets")
    write_secrets(folder, migrated_database())
    with (
        served(folder, **CROWDED, wrong_passwords=10**6) as url,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(httpx.AsyncClient(base_url=url)) as client,
    ):
        yield Backend(url, client, portal)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_each_operation_succeeds_and_every_answer_is_as_the_document_says(
    backend: Backend, operation: schemathesis.APIOperation[Any, Any, Any, Any]
) -> None:
    statuses: set[int] = set()
    person, known = backend.somebody()
    is_of_account = operation.path.startswith("/api/v1/auth/")

    @settings(max_examples=40, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        case=st.one_of(operation.as_strategy(), operation.as_strategy(GenerationMode.NEGATIVE)), knowing=st.booleans()
    )
    def try_out(case: Case[Any], *, knowing: bool) -> None:
        nonlocal person, known
        if knowing:
            for given in (case.path_parameters, case.body):
                if isinstance(given, dict):
                    given.update({name: known[name] for name in given.keys() & known.keys()})
        response = case.call(base_url=backend.url, headers={"Authorization": f"Bearer {person.token}"})
        case.validate_response(response, checks=CHECKS)
        statuses.add(response.status_code)
        if knowing and response.status_code < 300 and case.method != "GET" and (case.path_parameters or is_of_account):
            # What was known may be worth nothing now.
            person, known = backend.somebody()

    try_out()
    assert {status for status in statuses if status < 300}
