"""The entry point of Alembic. The code is in models_db, where types are checked and tests can import it."""

from logging.config import fileConfig

from alembic import context

from models_db import alembic_env

config = context.config
if config.config_file_name is not None and config.file_config.has_section("loggers"):
    fileConfig(config.config_file_name, disable_existing_loggers=False)

alembic_env.run()
