"""The record behind a report, in its summary."""

from __future__ import annotations

from html import unescape

from sync.catalog.history.evidence import SealedTree
from sync.catalog.history.report_data import PeriodRecord
from tests.support.report_values import model, page


def text(html: str) -> str:
    """The record in a page, without its tags."""
    record = html.partition('<dl class="record">')[2].partition("</dl>")[0]
    for tag in ("dt", "dd", "bdi"):
        record = record.replace(f"<{tag}>", " ").replace(f"</{tag}>", " ")
    assert "<" not in record
    return " ".join(unescape(record).split())


def test_the_summary_carries_the_record_and_the_checkpoint() -> None:
    tree = SealedTree(93, "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    record = PeriodRecord(
        "74d98c62", tree, {"success": 90, "failed": 2}, 1, 92, 3, ["https://<x>.org"], ["3f1d9a60c2b4"]
    )
    shown = text(page([model("a", (0, "1"))], record=record))

    assert "92 on record (90 success, 2 failed), runs 1 to 92, 3 of them imported without a URL and a key" in shown
    assert "Base URL https://<x>.org Key fingerprint 3f1d9a60c2b4 Catalog 74d98c62" in shown
    assert "Checkpoint 93 seals, root CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=" in shown
    empty = text(page([model("a", (0, "1"))], record=PeriodRecord(None, SealedTree(0, None))))
    assert "Runs of the period none Base URL none Key fingerprint not recorded Catalog without an id" in empty
