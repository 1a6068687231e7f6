"""Settings of a Superset that shows the dashboard: name this file in ``SUPERSET_CONFIG_PATH``.

``SUPERSET_SECRET_KEY`` must be set; Superset encrypts the passwords of databases with it.
"""

import os

import pymysql

# Superset reaches MariaDB by pymysql, under the name of the driver that it knows.
pymysql.install_as_MySQLdb()

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
# Superset refuses files of SQLite otherwise: whoever may add a database could open any file of the server.
PREVENT_UNSAFE_DB_CONNECTIONS = os.environ.get("SUPERSET_ALLOW_SQLITE") != "1"
# Seconds that the page waits for a chart.
SUPERSET_WEBSERVER_TIMEOUT = 60
SQLLAB_TIMEOUT = 60
ROW_LIMIT = 10_000
