"""${message}.

Rules for whoever writes a revision:
- It imports nothing of ours: what it did must not change when the code does.
- MariaDB commits every DDL statement by itself. Keep to one step a revision, or let every step look
  first whether it was done (if_not_exists, if_exists): a revision that failed half-way is run again.
- A batch that makes a table anew on SQLite copies no generated column: it drops open_model_pk of
  model_versions or credit_history with its constraint, and adds both again. For models, sync_runs and
  catalog_changes it takes table_kwargs={"sqlite_autoincrement": True}: no number is given twice.
- History is never dropped or rewritten: model_versions, credit_history, catalog_changes, sync_runs.
- Views are not made here: models_db.views makes them anew after the last revision.
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
