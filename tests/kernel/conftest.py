"""Who takes part in these tests."""

from tests.fixtures import ada, bob, eve, nothing_remembered, programme, till

__all__ = ["ada", "bob", "eve", "nothing_remembered", "programme", "till"]
