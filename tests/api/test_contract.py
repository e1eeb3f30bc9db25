"""The API against its own OpenAPI: whatever is asked, the answer is one that the document names."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from tests.api.conftest import SETTINGS, frozen

#: A stream without end is no answer to wait for; `tests.api.test_live` reads it.
ENDLESS = "/api/v1/live"
#: A ledger is made of readings here, no rollup stands: some 2 s each. `tests.api.test_ledger` asks
#: for what else there is to ask.
SLOW = "/api/v1/ledger"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DOCUMENT = create_app(SETTINGS, "", frozen).openapi()


def operations() -> Iterator[ParameterSet]:
    """Each operation with requests that the document allows, and with such that it does not."""
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations():
        operation = found.ok()  # type: ignore[union-attr] # it is the error's kind that lacks it
        said = DOCUMENT["paths"][operation.path][operation.method]
        for mode in GenerationMode:
            # What takes no parameter cannot be asked wrongly.
            asked = "parameters" in said or "requestBody" in said
            if operation.path != ENDLESS and (asked or mode is GenerationMode.POSITIVE):
                yield pytest.param(operation, mode, id=f"{operation.label} {mode.value}")


@pytest.mark.parametrize(("operation", "mode"), list(operations()))
def test_no_answer_is_undeclared(
    demo: httpx.Client, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode
) -> None:
    """No 5xx, no status, media type or body that the document does not have."""

    @settings(
        max_examples=1 if operation.path.startswith(SLOW) else 3,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=str(demo.base_url), timeout=60)
        case.validate_response(answer, checks=CHECKS)

    ask()
