"""People at the running shop."""

from collections.abc import AsyncIterator

import pytest

from tests.processes import CohortProcess
from tests.shopper import Shopper


@pytest.fixture(scope="session")
async def seller(cohort: CohortProcess) -> AsyncIterator[Shopper]:
    """A seller whose products the tests may change."""
    entered = await Shopper.register(cohort.url, "Ravi Lamps", "SELLER")
    yield entered
    await entered.leave()


@pytest.fixture
async def asha(cohort: CohortProcess) -> AsyncIterator[Shopper]:
    """A buyer nobody has seen before."""
    entered = await Shopper.register(cohort.url)
    yield entered
    await entered.leave()
