"""Django's PostgreSQL backend; it starts the private server when no ``HOST`` is named."""
