"""What every test of the command needs."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _fresh_log() -> Iterator[None]:
    """The command sends its log to the standard error of its test, which is closed when the next one begins."""
    yield
    structlog.reset_defaults()
