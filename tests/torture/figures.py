"""The tables of figures, for the end of a campaign and for docs/reliability.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tests.support.database_servers import KINDS, NAMES
from tests.torture.campaign import ROOT, PartResult, Results

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- torture: written by make torture -->", "<!-- torture: end -->"

TITLES = {
    "kills": ("Killed with SIGKILL", "kills, after each of which `verify` and the checker found nothing"),
    "calls": ("The Nth call fails", "failures, one in each run"),
    "machine": (
        "Random sequences of steps, against a model in Python",
        "steps, each compared with the model and verified",
    ),
    "mutants": ("Mutated responses, from fetch to plan", "mutated responses"),
    "crowd": ("Twenty runs at once", "rounds"),
    "tamper": ("Tampering with a sealed catalog", "tamperings"),
    "years": ("Three years of checkpoints", "days"),
}
"""The heading of each part, and the name of what it counts."""

_DESCRIPTIONS = {
    "kills": "A run that changes the catalog is killed at a statement boundary or at a random time; then the next run "
    "starts. 0 of the databases were inconsistent, and each next run succeeded.",
    "calls": "A statement, a COMMIT or a read from a socket fails, before or after its effect, for N = 1, 2, 3 ... "
    "until a run makes fewer calls. Each run ended with a documented exit code and at most one line, the database "
    "stayed consistent, and the next run stored the catalog.",
    "machine": "Syncs, failed syncs, crashes, clocks that are set back, removals, returns, imports, prunes and "
    "migrations in an order that Hypothesis chooses.",
    "mutants": "Wrong bytes and wrong structure. 0 crashes, and 0 removals or costs that differ from what the standard "
    "library reads in the same bytes.",
    "crowd": "In every second round no run may store before all runs have fetched. 0 models, versions or events were "
    "stored twice, and 0 applied runs were lost.",
    "tamper": "Rows are edited, deleted, inserted and reordered, seals are made anew to fit them, the last runs are "
    "cut off, an older backup takes the place of the database. `verify --checkpoint`, with a checkpoint from before, "
    "found every one. The seals are made by code that shares none with the program.",
    "years": "A catalog of the first release is upgraded and lives on for three years. A checkpoint leaves it after "
    "every run. 0 of the verifications with all checkpoints so far found anything.",
}


def tables(results: Results) -> dict[str, str]:
    """The description and the table of each part in the results."""
    parts = dict.fromkeys(part for part, _ in results)
    return {
        part: _table(part, {kind: result for (name, kind), result in results.items() if name == part}) for part in parts
    }


def write(new: Mapping[str, str], conditions: str) -> None:
    """Replaces the sections of these parts on the page; the other sections stay as they are."""
    text = PAGE.read_text() if PAGE.exists() else f"# Reliability\n\n{BEGIN}\n{END}\n"
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    parts = _sections(inside) | {part: f"{table}\n{conditions}\n" for part, table in new.items()}
    ordered = [f"### {TITLES[part][0]}\n\n{parts[part].strip()}\n" for part in TITLES if part in parts]
    heading = "\n## Torture\n\nFigures of `make torture`, which CONTRIBUTING.md explains.\n\n"
    PAGE.write_text(before + BEGIN + heading + "\n".join(ordered) + "\n" + END + after)


def _sections(inside: str) -> dict[str, str]:
    """The section of each part that the page has now, without its heading."""
    parts = {title: part for part, (title, _) in TITLES.items()}
    pieces = re.split(r"^### (.+)\n", inside, flags=re.MULTILINE)[1:]
    return {parts[title]: text for title, text in zip(pieces[::2], pieces[1::2], strict=True) if title in parts}


def _table(part: str, results: Mapping[str, PartResult]) -> str:
    kinds = [kind for kind in KINDS if kind in results]
    names = dict.fromkeys(name for kind in kinds for name in results[kind].figures)
    rows = [(TITLES[part][1], [f"{results[kind].done:,}" for kind in kinds])]
    rows += [(name, [f"{results[kind].figures.get(name, 0):,.0f}" for kind in kinds]) for name in names]
    rows.append(("minutes", [f"{results[kind].seconds / 60:.1f}" for kind in kinds]))
    lines = [_line("", [NAMES[kind] for kind in kinds]), _line("---", ["---:"] * len(kinds))]
    return "\n".join([_DESCRIPTIONS[part], "", *lines, *(_line(name, values) for name, values in rows), ""])


def _line(name: str, values: Sequence[str]) -> str:
    return f"| {' | '.join([name, *values])} |"
