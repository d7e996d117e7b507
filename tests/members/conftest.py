"""Who takes part in these tests."""

from tests.fixtures import ada, bob, eve, nothing_remembered, programme, till
from tests.loyalty.conftest import monday
from tests.loyalty.desks import desk, stranger

__all__ = ["ada", "bob", "desk", "eve", "monday", "nothing_remembered", "programme", "stranger", "till"]
