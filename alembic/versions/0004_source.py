"""Where responses come from and how old they are, who ran and what was accepted, and the identity of the catalog."""

import uuid
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_ON_MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin", "mariadb_engine": "InnoDB"}
_APPLIED = ("success", "partial", "held")


def upgrade() -> None:
    if_not_exists = _if_supported()
    op.add_column("sync_runs", sa.Column("host", sa.String(255)), if_not_exists=if_not_exists)
    op.add_column("sync_runs", sa.Column("key_fingerprint", sa.String(12)), if_not_exists=if_not_exists)
    op.add_column("sync_runs", sa.Column("accepted", _LONG_TEXT), if_not_exists=if_not_exists)
    op.add_column("sync_run_modes", sa.Column("response_age", sa.Integer()), if_not_exists=if_not_exists)
    op.add_column("sync_state", sa.Column("base_url", _LONG_TEXT), if_not_exists=if_not_exists)
    _fill_base_url()
    catalog_id = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
    op.create_table(
        "catalog_identity",
        sa.Column("catalog_id", catalog_id, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by_version", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("catalog_id", name=op.f("pk_catalog_identity")),
        if_not_exists=True,
        **_ON_MARIADB,
    )
    _make_identity()


def downgrade() -> None:
    if_exists = _if_supported()
    op.drop_table("catalog_identity", if_exists=True)
    op.drop_column("sync_state", "base_url", if_exists=if_exists)
    op.drop_column("sync_run_modes", "response_age", if_exists=if_exists)
    for name in ("accepted", "key_fingerprint", "host"):
        op.drop_column("sync_runs", name, if_exists=if_exists)


def _if_supported() -> bool | None:
    """SQLite has no IF EXISTS for columns and does not need it, because it rolls a failed revision back."""
    return None if op.get_context().dialect.name == "sqlite" else True


def _fill_base_url() -> None:
    """The base URL of each mode's last applied sync. Imports have none."""
    state = sa.table("sync_state", sa.column("mode"), sa.column("base_url"))
    runs = sa.table("sync_runs", *map(sa.column, ("run_id", "status", "trigger_kind", "base_url")))
    modes = sa.table("sync_run_modes", *map(sa.column, ("run_id", "mode", "status")))
    last = (
        sa.select(sa.func.max(modes.c.run_id))
        .select_from(modes.join(runs, runs.c.run_id == modes.c.run_id))
        .where(
            modes.c.mode == state.c.mode,
            modes.c.status.in_(_APPLIED),
            runs.c.status.in_(_APPLIED),
            runs.c.trigger_kind != "import",
            runs.c.base_url.is_not(None),
        )
        .correlate(state)
        .scalar_subquery()
    )
    source = runs.alias("source")
    base_url = sa.select(source.c.base_url).where(source.c.run_id == last).correlate(state).scalar_subquery()
    op.execute(state.update().values(base_url=base_url))


def _make_identity() -> None:
    """Inserts the one row, unless a revision that failed later has inserted it before."""
    names = ("catalog_id", "created_at", "created_by_version")
    now, is_postgresql = datetime.now(UTC), op.get_context().dialect.name == "postgresql"
    identity = sa.table("catalog_identity", *map(sa.column, names))
    row = sa.select(
        sa.literal(str(uuid.uuid4()), sa.String()),
        # Without its zone for MariaDB, which refuses a zone in a literal of a script.
        sa.literal(now if is_postgresql else now.replace(tzinfo=None), _INSTANT),
        sa.literal(_program_version(), sa.String()),
    )
    present = identity.alias("present")
    absent = ~sa.exists(sa.select(present.c.catalog_id).select_from(present))
    op.execute(identity.insert().from_select(names, row.where(absent)))


def _program_version() -> str:
    try:
        return version("catalog-sync")
    except PackageNotFoundError:
        return "unknown"
