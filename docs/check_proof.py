"""Checks what ``catalog-sync prove`` wrote, without the database and without the program.

    python3 check_proof.py PROOF [CHECKPOINTS]

PROOF is the proof, CHECKPOINTS a file of checkpoints that you kept: then the proof's checkpoint must be one of them.
Prints one line: what is proved and what is not. Exit code: 0 proved, 1 not proved, 2 a file that cannot be read.
It needs Python 3.8 or newer and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

CHECKPOINT = re.compile(r"catalog-sync/([0-9a-f-]{36})\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)\n")


class NotProved(Exception):  # its text is the reason
    pass


class Number(str):  # the text of a JSON number, so that no digit of a cost is lost
    __slots__ = ()


def require(condition, reason):
    if not condition:
        raise NotProved(reason)


def one_of_each(pairs):
    require(len(dict(pairs)) == len(pairs), "an object has a key twice, so two readers may read it differently")
    return dict(pairs)


def parse(text):
    return json.loads(text, object_pairs_hook=one_of_each, parse_float=Number, parse_int=Number, parse_constant=Number)


def whole(number):
    require(isinstance(number, Number) and re.fullmatch("0|[1-9][0-9]{0,17}", number), "an index or size is no number")
    return int(number)


def root_of(text, index, size, path, what):
    """The root of the tree of RFC 6962 with ``size`` leaves in which ``text`` is leaf ``index``, from its path."""
    require(index < size, what + " has an index beyond the end of its tree")
    require(all(re.fullmatch("[0-9a-f]{64}", step) for step in path), what + " has a path that is no list of hashes")
    node, last = hashlib.sha256(b"\0" + text.encode("utf-8")).digest(), size - 1
    for step in path:
        require(last > 0, what + " has a path that is too long")
        other = bytes.fromhex(step)
        if index % 2 or index == last:
            node = hashlib.sha256(b"\1" + other + node).digest()
            while not index % 2 and index:
                index, last = index // 2, last // 2
        else:
            node = hashlib.sha256(b"\1" + node + other).digest()
        index, last = index // 2, last // 2
    require(last == 0, what + " has a path that is too short")
    return node


def cost_of(model):
    """``credits.default_cost`` as a plain decimal: 5.000, 5 and 5e0 are all 5. None when there is none."""
    cost = (model.get("credits") or {}).get("default_cost")
    if cost is None:
        return None
    require(isinstance(cost, Number), "the cost in the text is not a number")
    value = Decimal(cost)
    require(value.is_finite() and (not value or -60 < value.adjusted() < 60), "the cost in the text is out of range")
    plain = format(value, "f") if value else "0"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def check(proof, kept):
    """The line about a proof that holds. ``kept`` are the checkpoints kept elsewhere as text, or None."""
    parts = json.dumps([proof[name] for name in ("claim", "raw", "listed", "entry", "checkpoint")], sort_keys=True)
    written = hashlib.sha256(parts.encode("utf-8")).hexdigest()  # the moment and the size of the tree are in no leaf
    require(proof.get("sha256", written) == written, "the file is not as it was written")
    claim, raw, listed, sealed = proof["claim"], proof["raw"], proof["listed"], proof["entry"]
    mode, model_id, at, cost = claim["mode"], claim["model_id"], claim["at"], claim["credit_cost_exact"]
    model, digest = parse(raw), hashlib.sha256(raw.encode("utf-8")).hexdigest()
    require(model["id"] == model_id and model.get("mode") in (None, mode), "the text is that of another model")
    require(cost_of(model) == cost, "the cost claimed is not that of the text")
    require(parse(listed["line"]) == ["listed", mode, model_id, digest], "the listed line is not that of this text")
    entry = parse(sealed["text"])
    require(entry["v"] == "1" and isinstance(entry["v"], Number), "the entry has a version unknown to this script")
    [row] = [each for each in entry["modes"] if each["mode"] == mode]
    took = row["status"] in ("success", "partial", "held") and row["hold_reason"] in (None, "removals")
    require(took, "the run of the entry took no response in this mode")
    times = [datetime.fromisoformat(each[:-1]).isoformat("T", "microseconds") + "Z" for each in (row["stamp"], at)]
    require(times == [row["stamp"], at] and len(at) == 27, "a time is not written as in an entry")
    require(claim["observed_at"] == row["stamp"], "the time of the observation is not that of the entry")
    require(row["stamp"] <= at, "the run observed the catalog after the moment of the claim")
    size = whole(row["listed"] or listed["size"])  # a run of the first versions, imported, did not count the models
    root = root_of(listed["line"], whole(listed["index"]), size, listed["path"], "the listed line")
    require(root.hex() == row["listed_root"], "the model is not in the list that the entry seals")
    found = CHECKPOINT.fullmatch(proof["checkpoint"][:-1] if proof["checkpoint"].endswith("\n\n") else "")
    require(found, "the checkpoint is not one of catalog-sync")
    require(entry["catalog"] == found[1], "the checkpoint is that of another catalog")
    size = int(found[2])
    root = root_of(sealed["text"], whole(sealed["index"]), size, sealed["path"], "the entry")
    require(base64.b64encode(root).decode() == found[3], "the entry is not in the tree of the checkpoint")

    if kept is not None:
        roots = {each[3] for each in CHECKPOINT.finditer(kept) if each[1] == found[1] and int(each[2]) == size}
        require(roots, f"the checkpoints kept have none of this catalog and size {size}; ask for a proof under one")
        require(roots == {found[3]}, f"the checkpoint kept of size {size} has another root: the record was rewritten")
    points = {
        "that the API said so": True,
        "that the checkpoint left the house: compare it with one that you keep": kept is None,
        "what was so between the observation and " + at: row["stamp"] != at,
        "that this model was not among those held back or rejected": row["status"] == "held" or row["rejected"] != "0",
        "values of ignored fields": entry["ignored"],
    }
    return (
        f"proved: in catalog {found[1]}, {mode} model {json.dumps(model_id)} was listed with credit cost"
        f" {'none' if cost is None else cost} and this text (SHA-256 {digest}) in the response that run"
        f" {entry['run']} got at {row['stamp']}, sealed under the checkpoint of size {size} with root {found[3]}"
        f"{'' if kept is None else ', which is one of those kept'}; not proved: {'; '.join(filter(points.get, points))}"
    )


def main(arguments):
    if len(arguments) not in (1, 2):
        return 2, "usage: check_proof.py PROOF [CHECKPOINTS]"
    try:
        files = [Path(name).read_bytes() for name in arguments]
        texts = [each.decode("utf-16" if each[:1] in b"\xff\xfe" else "utf-8-sig") for each in files]
    except (OSError, ValueError) as error:
        return 2, "not read: " + str(error)
    try:
        return 0, check(parse(texts[0]), re.sub(r"[ \t\r]*\n", "\n", texts[1] + "\n") if len(texts) > 1 else None)
    except NotProved as reason:
        return 1, "not proved: " + str(reason)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        return 1, "not proved: the file is not a whole proof (" + ascii(error)[:200] + ")"


if __name__ == "__main__":
    code, line = main(sys.argv[1:])
    print(line.encode("ascii", "backslashreplace").decode())
    sys.exit(code)
