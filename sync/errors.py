"""The table of outcomes, and one class of errors for each that is a failure.

Every failure that a user can meet is an error of one of these classes. Its message is one line: what
failed, the reason, and what to do. Outcome names and exit codes are a contract with crontabs,
service units and alert rules; README.md shows the same table (``python -m sync.cli.doc_tables``).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, unique
from typing import NamedTuple, Self


class _Row(NamedTuple):
    code: int
    meaning: str
    action: str
    retry_helps: bool
    stored: str


@unique
class Outcome(IntEnum):
    """How a command can end. The value is the exit code, the name in lower case is the stable name.

    The members are in order of precedence: a run with several outcomes exits with the first one.
    """

    meaning: str
    """What happened."""
    action: str
    """What the operator does about it."""
    retry_helps: bool
    """Whether the same command may succeed later without any action."""
    stored: str
    """What of the run is stored. Rows of earlier runs stay in every case."""

    # The first six can occur together, in different modes of a run. Each of the others ends the command as a whole.
    DATABASE = _Row(
        code=6,
        meaning="the database failed, or the archive of responses could not be written, as on a full disk",
        action="check the server, the disk and the password; the next run catches up",
        retry_helps=True,
        stored="nothing of the step that failed; if that is unknown, the line says so",
    )
    REFUSED = _Row(
        code=3,
        meaning="the API refused the request: 401, 402, 403, 422",
        action="check the API key and the plan",
        retry_helps=False,
        stored="the other mode",
    )
    UNREACHABLE = _Row(
        code=4,
        meaning="the API was not reachable within the attempts and the time allowed: 408, 429, 5xx, timeouts; or only"
        " a cache, a firewall or a proxy in front of it answered",
        action="nothing if it is rare; otherwise check the network, what is in front of the API, and"
        " `CATALOG_SYNC_DEADLINE`",
        retry_helps=True,
        stored="the other mode",
    )
    REJECTED = _Row(
        code=5,
        meaning="a response, or single models in it, cannot be trusted",
        action="the line names the fault; report it to Genviral, or check the base URL after a 404",
        retry_helps=False,
        stored="the other mode, and all models but the rejected ones if the response itself is good",
    )
    HELD = _Row(
        code=7,
        meaning="held back for a person: too many models are missing, the response is that of another catalog, or too"
        " many costs vanish or jump",
        action="check whether it is right; if so, run `catalog-sync sync` once with the option and the number that the"
        " line names",
        retry_helps=False,
        stored="everything but the removals; of another catalog, and with costs held back, nothing of the mode",
    )
    SUPERSEDED = _Row(
        code=8,
        meaning="another run stored its observation first",
        action="nothing",
        retry_helps=False,
        stored="the other run",
    )
    USAGE = _Row(
        code=2,
        meaning="a setting, an argument, the schema, the base URL, the catalog or a clock is not the expected one",
        action="do what the line says; after an upgrade of catalog-sync that is `catalog-sync migrate`",
        retry_helps=False,
        stored="nothing",
    )
    UNEXPECTED = _Row(
        code=1,
        meaning="an unexpected error; or the output, or the checkpoint of a run, could not be written, as on a full"
        " disk",
        action="do what the line says; after an unexpected error run `catalog-sync --debug COMMAND` and report what it"
        " prints",
        retry_helps=False,
        stored="nothing; everything if only the output or the checkpoint failed",
    )
    CHECK_FAILED = _Row(
        code=9,
        meaning="a check failed: `status --max-age` found no recent successful sync, or `verify` found rows that break"
        " a rule or contradict a checkpoint, or `prove` or `checkpoint` found other rows than were sealed",
        action="run `catalog-sync status` to see what went wrong; `verify` names each row on stdout",
        retry_helps=False,
        stored="checks write nothing",
    )
    INTERRUPTED = _Row(
        code=130,
        meaning="interrupted by SIGINT",
        action="run it again",
        retry_helps=True,
        stored="nothing, unless the line says that the run had ended",
    )
    TERMINATED = _Row(
        code=143,
        meaning="stopped by SIGTERM",
        action="run it again",
        retry_helps=True,
        stored="nothing, unless the line says that the run had ended",
    )
    DONE = _Row(
        code=0,
        meaning="done, whether or not anything changed",
        action="nothing",
        retry_helps=False,
        stored="everything",
    )

    def __new__(cls, code: int, meaning: str, action: str, retry_helps: bool, stored: str) -> Self:  # noqa: FBT001  # a row
        # The enum unpacks the row, a tuple, into the arguments; only the code becomes the value of the member.
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning, member.action = meaning, action
        member.retry_helps, member.stored = retry_helps, stored
        return member

    @property
    def label(self) -> str:
        """The stable name, such as ``check_failed``."""
        return self.name.lower()


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The first of several outcomes in order of precedence; ``DONE`` when there are none."""
    present = set(outcomes)
    return next((outcome for outcome in Outcome if outcome in present), Outcome.DONE)


class CatalogSyncError(Exception):
    """Base of all errors that end a command; by itself an unexpected one."""

    outcome = Outcome.UNEXPECTED


class OutputNotWritten(CatalogSyncError):
    """The operating system did not accept what a command printed on stdout."""


class UsageError(CatalogSyncError):
    """A setting, an argument or the schema is not as the program needs it."""

    outcome = Outcome.USAGE


class UnknownModel(UsageError, LookupError):
    """No model with this id was listed, or not yet at that time. ``similar`` has the nearest ids, the best first."""

    def __init__(self, message: str, model_id: str = "", similar: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.model_id = model_id
        self.similar = tuple(similar)


class ApiRefused(CatalogSyncError):
    """The API refused the request; another attempt does not help."""

    outcome = Outcome.REFUSED


class ApiUnreachable(CatalogSyncError):
    """The API gave no complete response within the attempts and the time allowed."""

    outcome = Outcome.UNREACHABLE


class ResponseRejected(CatalogSyncError):
    """The response is not a catalog that can be trusted."""

    outcome = Outcome.REJECTED
    reported: int | None = None
    """The response's own number of models, where the response is rejected for that number."""
    received: int | None = None
    """The number of models that the response contains, likewise."""


class DatabaseError(CatalogSyncError):
    """The database could not be reached, or a statement failed."""

    outcome = Outcome.DATABASE


class ArchiveNotWritten(CatalogSyncError):
    """A response could not be kept in the archive, so nothing of the run is stored."""

    outcome = Outcome.DATABASE


class CommitUnanswered(DatabaseError):
    """A COMMIT was not answered: whether it was carried out is unknown."""


class ResponseHeld(CatalogSyncError):
    """A guard holds back what a response would change, until a person accepts it."""

    outcome = Outcome.HELD


class RemovalsHeld(ResponseHeld):
    """More models are missing than the guard on removals lets pass."""


class CostsHeld(ResponseHeld):
    """More costs vanish or jump at once than the guard on costs lets pass."""


class OtherCatalogHeld(ResponseHeld):
    """The response has the models of another catalog in place of those that are listed."""


class Superseded(CatalogSyncError):
    """Another run stored its observation of the mode while this run fetched its own."""

    outcome = Outcome.SUPERSEDED


class CheckFailed(CatalogSyncError):
    """``status --max-age`` or ``verify`` found what it checks for."""

    outcome = Outcome.CHECK_FAILED


class ScheduleNotice(CatalogSyncError):
    """What a schedule reports beside its runs: a clock that was set, or a run that was skipped."""


class TickTaken(Exception):
    """Another run has claimed the tick of a scheduled run, so there is nothing to do."""


class Interrupted(CatalogSyncError):
    """SIGINT or SIGTERM stopped the command."""

    def __init__(self, message: str, outcome: Outcome = Outcome.INTERRUPTED) -> None:
        super().__init__(message)
        self.outcome = outcome


def outcome_of_type(name: str | None) -> Outcome:
    """The outcome of a run by its recorded ``error_type``, which is None for a run without an error.

    A run that a signal stopped is ``INTERRUPTED``, whichever signal it was: its row does not say.
    """
    if name is None:
        return Outcome.DONE
    if name in {"KeyboardInterrupt", "Terminated"}:
        return Outcome.INTERRUPTED
    classes = [CatalogSyncError]
    for each in classes:  # grows while it is read
        classes += each.__subclasses__()
    found = next((each for each in classes if each.__name__ == name), CatalogSyncError)
    return Outcome.INTERRUPTED if found is Interrupted else found.outcome
