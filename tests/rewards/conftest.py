from tests.fixtures import ada, bob, eve, nothing_remembered, programme  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
