"""Imports the dashboard into Superset, for the database of a URL.

Run it with the Python of Superset::

    python bi/superset/load.py postgresql://catalog_reader@db.example.com/catalog --password-file FILE

The URL is one of catalog-sync, or one of SQLAlchemy 1.4 with its driver (``postgresql+psycopg2://``), which stays as
it is. A second call changes the address; charts that are there already stay as they are.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

BUNDLE = Path(__file__).with_name("bundle")
_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}


def superset_url(url: str, password: str | None = None) -> str:
    """The URL in the form of SQLAlchemy 1.4, with the password. Raises ``ValueError`` if it cannot be translated."""
    from sqlalchemy.engine import make_url

    scheme, separator, rest = url.partition("://")
    if "+" not in scheme:
        if not separator or scheme not in _DRIVERS:
            raise ValueError(f"the URL {scheme}: is not one of a database; give {', '.join(_DRIVERS)}")
        if _DRIVERS[scheme].startswith("mysql") and re.search(r"[?&]ssl", rest):
            raise ValueError("TLS options for MariaDB have other names here; give mysql+pymysql://...?ssl_ca=FILE")
        scheme = _DRIVERS[scheme]
    translated = make_url(f"{scheme}://{rest}")
    if password is not None:
        translated = translated.set(password=password)
    if translated.drivername.startswith("mysql") and "charset" not in translated.query:
        translated = translated.update_query_dict({"charset": "utf8mb4"})
    return str(translated.render_as_string(hide_password=False))


def bundle_contents(url: str) -> dict[str, str]:
    """The files of the bundle with the address in them."""
    files = {path.relative_to(BUNDLE).as_posix(): path.read_text("utf-8") for path in sorted(BUNDLE.rglob("*.yaml"))}
    database = "databases/catalog.yaml"
    line = f"sqlalchemy_uri: '{url.replace(chr(39), chr(39) * 2)}'"
    files[database] = re.sub(r"(?m)^sqlalchemy_uri: .*$", lambda _: line, files[database])
    return files


def load(url: str, username: str) -> None:
    """Imports the bundle as a user of Superset, and sets the address also of a database that was there before."""
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        _import(bundle_contents(url), username)
        _set_address(url)


def _import(contents: dict[str, str], username: str) -> None:
    from flask import g
    from superset import security_manager
    from superset.commands.dashboard.importers.dispatcher import ImportDashboardsCommand

    g.user = security_manager.find_user(username)
    if g.user is None:
        raise ValueError(f"Superset has no user {username}; give one by --username")
    ImportDashboardsCommand(contents, overwrite=True).run()


def _set_address(url: str) -> None:
    from superset import db
    from superset.models.core import Database

    database: Any = db.session.query(Database).filter_by(database_name="catalog-sync").one()
    database.set_sqlalchemy_uri(url)
    db.session.commit()


def _reason(error: Exception) -> str:
    """What went wrong, in one line. Superset's errors of an import say in their messages which files are wrong."""
    messages = getattr(error, "normalized_messages", None)
    text = str(messages() if callable(messages) else error)
    return " ".join(text.split()) or type(error).__name__


def main() -> None:
    """Reads the arguments, imports, and prints where the dashboard is."""
    parser = argparse.ArgumentParser(description="Imports the dashboard into Superset.")
    parser.add_argument("url", help="database of the catalog")
    parser.add_argument("--password-file", type=Path, help="file with the password of the URL")
    parser.add_argument("--username", default="admin", help="user of Superset that owns the dashboard")
    given = parser.parse_args()
    password = given.password_file.read_text("utf-8").rstrip("\r\n") if given.password_file else None
    try:
        load(superset_url(given.url, password), given.username)
    except Exception as error:  # noqa: BLE001  # Superset's own have many bases, and each ends the import
        sys.exit(f"load.py: import failed: {_reason(error)}")
    print("The dashboard is at /superset/dashboard/ai-model-costs/")


if __name__ == "__main__":
    main()
