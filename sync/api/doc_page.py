"""The page of the library, made from its docstrings.

``python -m sync.api.doc_page`` in the project folder writes ``docs/api.md`` again.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sync import api

PAGE = "docs/api.md"
_HEAD = """<!-- written by python -m sync.api.doc_page -->

# The library"""
_EXAMPLES = (
    "[one_sync.py](examples/one_sync.py) runs one sync and acts on its outcome; [catalog.ipynb](examples/catalog.ipynb)"
    " reads a catalog in a notebook. The outcomes are those of the [exit codes](../README.md#exit-codes)."
)
_FUNCTIONS = ("sync_once", "open_catalog")


def api_page() -> str:
    """The text of the page."""
    errors = [name for name in api.__all__ if _is_error(name)]
    values = [name for name in api.__all__ if name not in (*_FUNCTIONS, *errors)]
    parts = [_HEAD, _markdown(api.__doc__), _EXAMPLES]
    parts += [part for name in _FUNCTIONS for part in (f"## {name}", *_function(_parsed(name)))]
    parts += ["## Values", *(part for name in values for part in _class(name))]
    parts += ["## Errors", "\n".join(map(_error, errors))]
    return "\n\n".join(parts) + "\n"


def _is_error(name: str) -> bool:
    value = getattr(api, name)
    return isinstance(value, type) and issubclass(value, Exception)


def _parsed(name: str) -> Any:
    """The source of what the library exports, as a tree: annotations are as they are written."""
    source = inspect.getsource(getattr(api, name))
    return ast.parse(textwrap.dedent(source)).body[0]


def _function(node: ast.FunctionDef) -> Iterator[str]:
    yield f"```python\n{_signature(node)}\n```"
    yield _markdown(ast.get_docstring(node))


def _class(name: str) -> Iterator[str]:
    node: ast.ClassDef = _parsed(name)
    yield f"### {name}"
    yield _markdown(ast.get_docstring(node))
    if lines := [*_field_lines(node.body), *_property_lines(node.body)]:
        yield "\n".join(lines)
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_") and not _is_property(each):
            yield from _function(each)


def _field_lines(body: Sequence[ast.stmt]) -> Iterator[str]:
    """A line for each field. The string after a field is its docstring."""
    for each, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            is_doc = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            doc = str(following.value.value) if is_doc else ""  # type: ignore[union-attr]
            yield _line(each.target.id, each.annotation, doc)


def _property_lines(body: Sequence[ast.stmt]) -> Iterator[str]:
    for each in body:
        if isinstance(each, ast.FunctionDef) and _is_property(each) and each.returns:
            yield _line(each.name, each.returns, ast.get_docstring(each) or "")


def _line(name: str, annotation: ast.expr, doc: str) -> str:
    return f"- `{name}` (`{ast.unparse(annotation)}`){f': {_one_paragraph(doc)}' if doc else ''}"


def _is_property(node: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)


def _signature(node: ast.FunctionDef) -> str:
    """The call with an argument on each line, as it is written, without ``self``."""
    given = node.args
    positional = [each for each in given.args if each.arg not in {"self", "cls"}]
    lines = [_argument(each, default) for each, default in _with_defaults(positional, given.defaults)]
    keyword = [_argument(each, default) for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    lines += ["*", *keyword] if keyword else []
    inside = "\n" + "".join(f"    {line},\n" for line in lines) if lines else ""
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({inside}){result}"


def _with_defaults(
    arguments: Sequence[ast.arg], defaults: Sequence[ast.expr]
) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    missing = len(arguments) - len(defaults)
    return zip(arguments, [*[None] * missing, *defaults], strict=True)


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    typed = f"{argument.arg}: {ast.unparse(argument.annotation)}" if argument.annotation else argument.arg
    return typed if default is None else f"{typed} = {ast.unparse(default)}"


def _error(name: str) -> str:
    described = getattr(api, name)
    bases = " and ".join(f"`{each.__name__}`" for each in described.__bases__)
    return f"- `{name}` (a {bases}): {_one_paragraph(described.__doc__)}"


def _one_paragraph(doc: str) -> str:
    return " ".join(_markdown(doc).split())


def _markdown(doc: str | None) -> str:
    """A docstring as Markdown: a paragraph and an item of a list are a line each."""
    text = inspect.cleandoc(doc or "").replace("``", "`")
    # A line break before anything but an empty line and an item is one of the source alone.
    return re.sub(r"(?<!\n)\n(?!\n|- ) *", " ", text)


if __name__ == "__main__":
    Path(PAGE).write_text(api_page(), encoding="utf-8")
