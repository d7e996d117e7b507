"""The database backend: ``ENGINE = "config.kernel.db"``."""

from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql import base, client
from psycopg import Connection, OperationalError

from config.kernel import postgres

PREPARE_THRESHOLD = 5


def is_private(settings_dict: dict[str, Any]) -> bool:
    """Whether these settings of a database name no server, so that the private one is meant."""
    options = settings_dict["OPTIONS"]
    return not (settings_dict["HOST"] or options.get("host") or options.get("service"))


class DatabaseClient(client.DatabaseClient):
    """``manage.py dbshell`` with the private server's own ``psql``."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        if not is_private(settings_dict):
            return super().settings_to_cmd_args_env(settings_dict, parameters)
        address = postgres.ensure(database=settings_dict["NAME"])
        private = settings_dict | {key.upper(): value for key, value in address.items()}
        (_psql, *arguments), environment = super().settings_to_cmd_args_env(private, parameters)
        return [str(postgres.binary("psql")), *arguments], environment


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects as Django does; without a host it means the private server, started on demand."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Parameters for psycopg. Raises OperationalError when the private server cannot run."""
        params: dict[str, Any] = super().get_connection_params()
        # Django switches preparing off. Its own cursors bind on the client and never prepare; `kernel.sql` does,
        # and planning its statements once instead of at every call is more than half of what they cost.
        if params.get("prepare_threshold") is None:
            params["prepare_threshold"] = PREPARE_THRESHOLD
        params["options"] = f"{params.get('options', '')} -c plan_cache_mode=force_generic_plan"
        if is_private(self.settings_dict):
            params |= postgres.ensure(database=params["dbname"])
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Connect; a private server that has died since it was last seen is started again, once."""
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            if self.pool or not is_private(self.settings_dict):
                raise
            postgres.forget()
            return super().get_new_connection(self.get_connection_params())
