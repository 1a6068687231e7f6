"""Whether the files of an archive are the responses that the runs recorded. Pure: the files were read before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from sync.catalog.verify.findings import Finding, format_value

TABLE = "archive"
_UNFINISHED = ("running", "abandoned", "failed")
# The clocks of two hosts that share an archive differ by less.
_TOLERANCE = timedelta(hours=1)


class ArchivedBody(Struct, frozen=True):
    """A body. ``at``, ``mode`` and ``sha256`` are those of its name; ``found_sha256`` is that of its bytes."""

    file: str
    at: datetime
    mode: str
    sha256: str
    size: int
    found_sha256: str | None
    """None when the file cannot be read."""


class ArchivedRecord(Struct, frozen=True):
    """A record. ``problem`` says why it cannot be used; the fields after it are then without meaning."""

    file: str
    at: datetime
    mode: str
    sha256: str
    is_rejected: bool
    problem: str | None = None
    catalog_id: str | None = None
    run_id: int = 0
    http_status: int | None = None
    asked_at: datetime | None = None
    size: int = 0


class ArchiveContents(Struct, frozen=True):
    """All files of an archive; ``unknown`` are those whose names are not of an archive."""

    bodies: tuple[ArchivedBody, ...] = ()
    records: tuple[ArchivedRecord, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def begin(self) -> datetime | None:
        """Runs before this time are not compared: the archive had not begun."""
        times = [*(body.at for body in self.bodies), *(record.at for record in self.records)]
        return min(times, default=None)


class RecordedResponse(Struct, frozen=True):
    """What a run recorded of a mode's response."""

    sha256: object
    size: object
    http_status: object
    asked_at: object


class RecordedRun(Struct, frozen=True):
    """A run, with the modes of which it recorded a row. ``source`` is its catalog and number before a move."""

    run_id: int
    source: tuple[str, int] | None
    status: object
    trigger_kind: object
    started_at: object
    finished_at: object
    observed_at: object
    modes: Mapping[str, RecordedResponse]


class ArchiveCheck:
    """Compares an archive with the runs. ``is_there_now`` says whether a body came while the runs were read."""

    def __init__(
        self, contents: ArchiveContents, catalog_id: str | None, is_there_now: Callable[[str, str], bool]
    ) -> None:
        self._contents, self._catalog_id, self._is_there_now = contents, catalog_id, is_there_now
        self._bodies = {(body.mode, body.sha256): body for body in contents.bodies}
        self._usable = [record for record in contents.records if record.problem is None]
        self._recorded = {(record.mode, record.sha256) for record in self._usable}
        self._moments = {(record.mode, record.sha256, record.at) for record in contents.records}
        self._by_moment = {(record.mode, record.sha256, record.at): record for record in self._usable}
        self._by_run: dict[tuple[object, int], list[ArchivedRecord]] = defaultdict(list)
        for record in self._usable:
            self._by_run[record.catalog_id, record.run_id].append(record)
        self._confirmed: set[str] = set()
        self._problems: dict[str, str] = {}
        self._received: set[tuple[str, str]] = set()
        self._unfinished: list[tuple[datetime, datetime | None]] = []
        self._last_run = 0
        self.pruned = 0
        """After ``findings``: the number of records whose run is not on record any more."""

    def findings(self, runs: Iterable[RecordedRun]) -> Iterator[Finding]:
        """Every difference; ``runs`` in their order."""
        yield from self._file_findings()
        if (begin := self._contents.begin) is None:
            return
        for run in runs:
            yield from self._run_findings(run, begin)
        yield from self._unconfirmed_records()
        yield from self._unconfirmed_bodies()

    def _file_findings(self) -> Iterator[Finding]:
        for file in self._contents.unknown:
            yield Finding(TABLE, None, None, None, f"{file} is an extra file: no run writes such a name")
        for body in self._contents.bodies:
            if body.found_sha256 is None:
                yield _finding(body, "cannot be read")
            elif body.found_sha256 != body.sha256:
                yield _finding(body, f"was changed: the SHA-256 of its bytes is {body.found_sha256}")
        for record in self._contents.records:
            if record.problem is not None:
                yield _finding(record, f"was changed: {record.problem}")
            elif (record.mode, record.sha256) not in self._bodies and not self._is_there_now(
                record.mode, record.sha256
            ):
                yield _finding(record, "is a record without its body: that file is missing")

    def _run_findings(self, run: RecordedRun, begin: datetime) -> Iterator[Finding]:
        self._last_run = max(self._last_run, run.run_id)
        if run.status in _UNFINISHED and not run.modes and isinstance(run.started_at, datetime):
            end = run.finished_at if isinstance(run.finished_at, datetime) else None
            self._unfinished.append((run.started_at, end))
        for mode, response in run.modes.items():
            if response.sha256 is not None:
                yield from self._response_findings(run, mode, response, begin)
        for key in ((self._catalog_id, run.run_id), run.source):
            for record in self._by_run.get(key, ()) if key else ():
                self._note_record(record, run)

    def _response_findings(
        self, run: RecordedRun, mode: str, response: RecordedResponse, begin: datetime
    ) -> Iterator[Finding]:
        content = (mode, str(response.sha256))
        observed_at = run.observed_at if isinstance(run.observed_at, datetime) else None
        record = self._by_moment.get((*content, observed_at)) if observed_at else None
        if record is not None:
            self._confirmed.add(record.file)
            yield from _record_findings(record, run, response, self._catalog_id)
        body = self._bodies.get(content)
        if body is None:
            yield from self._missing(run, content, observed_at, begin)
            return
        self._received.add(content)
        # A run writes both, and does not end before both are there; an import takes a body alone.
        if body.at == observed_at and run.trigger_kind != "import" and (*content, body.at) not in self._moments:
            yield _finding(body, f"lacks its record: that file is missing, and run {run.run_id} wrote it")
        if response.size != body.size and body.found_sha256 == body.sha256:
            yield _finding(body, f"has {body.size} bytes, but run {run.run_id} says {format_value(response.size)}")

    def _missing(
        self, run: RecordedRun, content: tuple[str, str], observed_at: datetime | None, begin: datetime
    ) -> Iterator[Finding]:
        """A response without a body, named once; one with a record is named by it."""
        is_within = observed_at is not None and observed_at >= begin and run.trigger_kind != "import"
        if is_within and not {content} & (self._received | self._recorded) and not self._is_there_now(*content):
            self._received.add(content)
            problem = f"the response of run {run.run_id} is missing: no body has the SHA-256 {content[1]}"
            yield Finding(TABLE, content[0], None, observed_at, problem)

    def _note_record(self, record: ArchivedRecord, run: RecordedRun) -> None:
        """What the run that a record names says of it, where that run did not receive it then."""
        response = run.modes.get(record.mode)
        if response is None and run.status in _UNFINISHED:
            self._confirmed.add(record.file)  # the run died, or failed, after it had kept the response
        elif response is None:
            self._problems[record.file] = f"run {run.run_id} has no row for this mode"
        elif response.sha256 is None and record.is_rejected:
            self._confirmed.add(record.file)  # of a failed request: its hash is not recorded
        elif response.sha256 != record.sha256:
            self._problems[record.file] = f"run {run.run_id} had another response: {format_value(response.sha256)}"
        else:
            self._problems[record.file] = f"run {run.run_id} had it at another time: {format_value(run.observed_at)}"

    def _unconfirmed_records(self) -> Iterator[Finding]:
        for record in self._usable:
            if record.file in self._confirmed:
                continue
            if record.file in self._problems:
                yield _finding(record, f"is an extra file: {self._problems[record.file]}")
            elif record.catalog_id != self._catalog_id:
                yield _finding(record, f"is an extra file: it is of the catalog {format_value(record.catalog_id)}")
            elif record.run_id > self._last_run:
                yield _finding(
                    record,
                    f"is an extra file: run {record.run_id} is not on record, and the last one is {self._last_run}; the"
                    " database is an older backup, or runs were deleted",
                )
            else:
                self.pruned += 1

    def _unconfirmed_bodies(self) -> Iterator[Finding]:
        recorded = {(record.mode, record.sha256) for record in self._contents.records}
        for content, body in self._bodies.items():
            if content not in recorded and content not in self._received and not self._was_interrupted(body.at):
                yield _finding(body, "is an extra file: no record names it, and no run received it")
        yield from self._copied_bodies()

    def _copied_bodies(self) -> Iterator[Finding]:
        """Bodies beside another one of the same bytes. Hosts that wrote at once wrote a record for each."""
        files: dict[tuple[str, str], set[str]] = defaultdict(set)
        for body in self._contents.bodies:
            files[body.mode, body.sha256].add(body.file)
        for body in self._contents.bodies:
            others = files[body.mode, body.sha256] - {body.file}
            has_record = (body.mode, body.sha256, body.at) in self._moments
            if others and not has_record and not self._was_interrupted(body.at):
                yield _finding(body, f"is an extra file: {min(others)} has the same bytes, and no record is beside it")

    def _was_interrupted(self, at: datetime) -> bool:
        """Whether a run that did not end was at work then: it may have been killed between two files."""
        return any(
            start - at <= _TOLERANCE and (end is None or at - end <= _TOLERANCE) for start, end in self._unfinished
        )


def _record_findings(
    record: ArchivedRecord, run: RecordedRun, response: RecordedResponse, catalog_id: str | None
) -> Iterator[Finding]:
    pairs: dict[str, tuple[object, object]] = {"bytes": (record.size, response.size)}
    # A run that imported the bodies asked for nothing itself; one that replays an export has what the source asked.
    if run.trigger_kind != "import" or run.source is not None:
        pairs["status"] = record.http_status, response.http_status
        pairs["asked_at"] = record.asked_at, response.asked_at
    if run.trigger_kind != "import" and run.source is None:  # else another run received it first
        pairs["run_id"], pairs["catalog_id"] = (record.run_id, run.run_id), (record.catalog_id, catalog_id)
    differences = [
        f"{name} is {format_value(own)}, but run {run.run_id} says {format_value(stored)}"
        for name, (own, stored) in pairs.items()
        if own != stored
    ]
    if differences:
        yield _finding(record, f"was changed: {'; '.join(differences)}")


def _finding(file: ArchivedBody | ArchivedRecord, problem: str) -> Finding:
    return Finding(TABLE, file.mode, None, file.at, f"{file.file} {problem}")
