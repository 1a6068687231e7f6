"""What a package index shows: the project's URLs, and the README with links that work there.

The address of the project is a setting, [tool.hatch.metadata.hooks.custom] in pyproject.toml. Without one the package
has no URLs, a link to a file is its text alone, and there are no pictures.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link to a file of this project, with or without a heading in it; not one to a site or within the page.
_FILE_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)\s]+)\)")
_PICTURE = re.compile(r'<img src="(?!https?:)([^"]+)"')
_PICTURE_TAG = re.compile(rf"{_PICTURE.pattern}[^>]*>[ \n]*")
_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)


class PackageIndexPage(MetadataHookInterface):
    """Adds ``readme`` and ``urls`` to the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        root = Path(self.root)
        found = _VERSION.search((root / "sync" / "__init__.py").read_text(encoding="utf-8"))
        version = found[1] if found else ""
        repository = str(self.config.get("repository", "")).rstrip("/")
        files = str(self.config.get("files", "")).format(repository=repository, version=version)
        text = (root / "README.md").read_text(encoding="utf-8")
        pictures = str(self.config.get("pictures", "")).format(repository=repository, version=version)
        text = with_pictures(text, pictures if repository else "")
        metadata["readme"] = {"content-type": "text/markdown", "text": with_links(text, files if repository else "")}
        metadata["urls"] = project_urls(repository, files) if repository else {}


def with_links(text: str, files: str) -> str:
    """The page with every link to a file below ``files``; without ``files``, with the text of the link alone."""
    return _FILE_LINK.sub(rf"[\1]({files}\2)" if files else r"\1", text)


def with_pictures(text: str, pictures: str) -> str:
    """The page with every picture below ``pictures``, where files are served as they are; without it, with none."""
    return _PICTURE.sub(rf'<img src="{pictures}\1"', text) if pictures else _PICTURE_TAG.sub("", text)


def project_urls(repository: str, files: str) -> dict[str, str]:
    """The names are those that package indexes show with an icon."""
    return {
        "Homepage": repository,
        "Source": repository,
        "Documentation": f"{files}README.md#documentation",
        "Changelog": f"{files}CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
