"""Django's PostgreSQL backend, which starts the private server when no other one is named (``HOST`` is empty)."""
