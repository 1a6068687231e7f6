"""${message}.

Rules for a revision:
- It imports nothing from models_db or sync: a later change of the code must not change what it does.
- MariaDB commits every DDL statement. Write one step per revision, or give every step if_not_exists or
  if_exists: after a failure the whole revision runs again.
- A batch that rebuilds a table on SQLite does not copy generated columns: drop open_model_pk of
  model_versions or credit_history with its constraint, then add both again. For models, sync_runs and
  catalog_changes pass table_kwargs={"sqlite_autoincrement": True}, so that ids are not reused.
- Rows of model_versions, credit_history, catalog_changes and sync_runs are never dropped or rewritten.
- It has neither views nor comments: both are brought up to date after the last revision.
- Change models_db.tables and models_db.migrate.HEAD with it; `alembic check` must find no difference.
"""

import sqlalchemy as sa
${imports if imports else ""}
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
