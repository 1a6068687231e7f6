"""Twenty runs at once on one database: check and set decides, and nothing is stored twice."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from pathlib import Path

from tests.support.api_catalogs import envelope, numbered_models
from tests.support.commands import environment, error_line, finished, started
from tests.support.database_contents import query_rows
from tests.support.rude_server import RudeServer, Script, response, says
from tests.support.secrets_search import KEY

RUNS = 20
MODELS = 40


def after_requests(number: int) -> Script:
    """Sends no response before this number of requests has arrived, so that the runs overlap."""
    arrived, all_there, lock = [0], threading.Event(), threading.Lock()

    def run(peer: socket.socket, stop: threading.Event) -> None:
        with lock:
            arrived[0] += 1
            if arrived[0] >= number:
                all_there.set()
        all_there.wait(60)
        says(response("200 OK", envelope(numbered_models(MODELS))))(peer, stop)

    return run


def test_twenty_runs_at_once_store_each_model_once(migrated_url: str, tmp_path: Path) -> None:
    video = says(response("200 OK", envelope(numbered_models(5, "video"), "video")))
    with RudeServer(image=after_requests(8), video=video) as api, ExitStack() as stack:
        environ = environment(tmp_path, DATABASE_URL=migrated_url, BASE_URL=api.url, API_KEY=KEY)
        processes = [stack.enter_context(started("sync", environ=environ)) for _ in range(RUNS)]
        ended = [finished(process) for process in processes]
    for each in ended:
        assert each.code in {0, 8}, each
        if each.code == 8:
            assert "another run stored a response" in error_line(each, 8)
        else:
            assert each.err == ""
    codes = [each.code for each in ended]
    assert 1 <= codes.count(0) <= RUNS - 7  # of the eight that overlapped only one was applied
    runs = query_rows(migrated_url, "SELECT status, COUNT(*) FROM sync_runs GROUP BY status ORDER BY status")
    assert runs == [("success", codes.count(0)), ("superseded", codes.count(8))]
    for mode, number in (("image", MODELS), ("video", 5)):
        applied = query_rows(
            migrated_url, f"SELECT COUNT(*) FROM sync_run_modes WHERE mode = '{mode}' AND status = 'success'"
        )
        assert query_rows(migrated_url, f"SELECT version FROM sync_state WHERE mode = '{mode}'") == applied
        listed = f"SELECT COUNT(*), COUNT(DISTINCT model_id) FROM v_current_catalog WHERE mode = '{mode}'"
        assert query_rows(migrated_url, listed) == [(number, number)]
    for table in ("models", "credits", "credit_history", "model_versions", "catalog_changes"):
        assert query_rows(migrated_url, f"SELECT COUNT(*) FROM {table}") == [(MODELS + 5,)]
