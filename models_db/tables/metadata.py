"""The metadata that every table belongs to: names of constraints, and options of each database."""

from __future__ import annotations

from sqlalchemy import MetaData

# On MariaDB a table's collation decides that keys compare byte by byte: see ``column_types.key_text``.
_MARIADB_OPTIONS = {
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_nopad_bin",
    "mariadb_engine": "InnoDB",
}
# For the ``info`` of a table. Without it SQLite gives the id of a deleted row to a new one.
IDS_NOT_REUSED = {"sqlite_autoincrement": True}

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def apply_table_options() -> None:
    """Set the options that a table is created with on each database.

    The program calls this function only where tables are created or compared. SQLAlchemy imports a whole
    dialect when it meets one of the dialect's options, and a sync needs none of that.
    """
    for table in metadata.tables.values():
        for name, value in (_MARIADB_OPTIONS | table.info).items():
            table.dialect_kwargs[name] = value
