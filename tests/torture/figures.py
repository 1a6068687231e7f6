"""The figures as text: for the end of a campaign, and for docs/reliability.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.database_servers import KINDS, NAMES
from tests.torture.campaign import ROOT, Outcome, Outcomes

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- torture: written by make torture -->", "<!-- torture: end -->"

TITLES = {
    "kills": ("Killed with SIGKILL", "kills, after each of which `verify` and the checker found nothing"),
    "calls": ("The Nth call fails", "failures, one in each run"),
    "machine": ("Any order of steps, against a model in Python", "steps, each compared with the model and proved"),
    "mutants": ("Mutated answers, from fetch to plan", "mutated answers"),
    "crowd": ("Twenty runs at once", "rounds"),
}
_ABOUT = {
    "kills": "A run with changes dies at a statement boundary or at a random time; then the next one runs. "
    "0 of the databases were inconsistent, and each next run succeeded.",
    "calls": "A statement, a COMMIT or a read of a socket fails, before or after its effect, for N = 1, 2, 3 ... "
    "until a run makes fewer calls. Each end was a documented one, in one line, nothing broke, and the next run "
    "brought the catalog in.",
    "machine": "Syncs, failed ones, crashes, clocks set back, removals, returns, imports, prunes and migrations in "
    "an order that Hypothesis chooses.",
    "mutants": "Wrong bytes and wrong structure. 0 crashes, 0 removals or costs other than what the standard "
    "library reads in the same bytes.",
    "crowd": "Every second round all runs have asked before the first may store. 0 models, versions or events were "
    "stored twice, 0 runs that said they were applied were lost.",
}


def tables(outcomes: Outcomes) -> dict[str, str]:
    """Each part's own lines and table."""
    parts = dict.fromkeys(part for part, _ in outcomes)
    return {part: _table(part, {kind: out for (own, kind), out in outcomes.items() if own == part}) for part in parts}


def write(found: Mapping[str, str], how: str) -> None:
    """Put these parts into the page, in place of what it says of them; the rest of it stays as it is."""
    text = PAGE.read_text() if PAGE.exists() else f"# Reliability\n\n{BEGIN}\n{END}\n"
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    parts = _parts(inside) | {part: f"{table}\n{how}\n" for part, table in found.items()}
    ordered = [f"### {TITLES[part][0]}\n\n{parts[part].strip()}\n" for part in TITLES if part in parts]
    heading = "\n## Torture\n\nFigures of `make torture`, which CONTRIBUTING.md explains.\n\n"
    PAGE.write_text(before + BEGIN + heading + "\n".join(ordered) + "\n" + END + after)


def _parts(inside: str) -> dict[str, str]:
    """What the page says of each part now."""
    names = {title: part for part, (title, _) in TITLES.items()}
    pieces = re.split(r"^### (.+)\n", inside, flags=re.MULTILINE)[1:]
    return {names[title]: text for title, text in zip(pieces[::2], pieces[1::2], strict=True) if title in names}


def _table(part: str, outcomes: Mapping[str, Outcome]) -> str:
    kinds = [kind for kind in KINDS if kind in outcomes]
    names = dict.fromkeys(name for kind in kinds for name in outcomes[kind].figures)
    rows = [(TITLES[part][1], [f"{outcomes[kind].done:,}" for kind in kinds])]
    rows += [(name, [f"{outcomes[kind].figures.get(name, 0):,.0f}" for kind in kinds]) for name in names]
    rows.append(("minutes", [f"{outcomes[kind].seconds / 60:.1f}" for kind in kinds]))
    lines = [_line("", [NAMES[kind] for kind in kinds]), _line("---", ["---:"] * len(kinds))]
    return "\n".join([_ABOUT[part], "", *lines, *(_line(name, values) for name, values in rows), ""])


def _line(name: str, values: Sequence[str]) -> str:
    return f"| {' | '.join([name, *values])} |"


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
