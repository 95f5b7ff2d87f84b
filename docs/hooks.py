"""What `make docs` does besides MkDocs: README.md is the first page, links out of docs/ work, and
the page of commands ends with what `--help` prints.

Pages link to files of the repository as GitHub wants it (`../deploy/iam/job.json`). Each such file
gets a copy in the site below `repository/`, and the links lead there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath, relpath

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from crypto_assets.cli import main

ROOT = Path(__file__).parent.parent
COPIES = "repository/"
START = "README.md"
ALSO = ["sample_data/README.md"]
HELP = "<!-- every option -->"
_LINK = re.compile(r"(?<=\]\()(?P<path>[^)#:\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds README.md, and all that the pages link to outside docs/."""
    waiting = [START, *ALSO, *(f"docs/{page.src_uri}" for page in files.documentation_pages())]
    known = set(waiting)
    while waiting:
        path = waiting.pop()
        if not path.startswith("docs/"):
            files.append(File.generated(config, _uri(path), abs_src_path=str(ROOT / path)))
        if path.endswith(".md"):
            text = (ROOT / path).read_text()
            new = {linked for _, linked in _links(path, text) if not _is_in_docs(linked)} - known
            waiting += sorted(new)
            known |= new
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Makes links between files of the repository links between pages; fills in what is printed."""
    path = _path(page.file.src_uri)
    here = page.file.src_uri.rpartition("/")[0] or "."
    for link, linked in reversed([*_links(path, markdown)]):
        uri = relpath(_uri(linked), here)
        markdown = markdown[: link.start()] + uri + markdown[link.end() :]
    return markdown.replace(HELP, _printed_help()) if HELP in markdown else markdown


def _printed_help() -> str:
    """What `--help` prints of each command, below a heading of its own."""
    settings = main.context_settings
    group = click.Context(main, info_name="crypto-assets", terminal_width=80, **settings)
    parts = [f"```text\n{main.get_help(group)}\n```"]
    for name in main.list_commands(group):
        if command := main.get_command(group, name):
            context = click.Context(command, parent=group, info_name=name)
            parts.append(f"### {name}\n\n```text\n{command.get_help(context)}\n```")
    return "\n\n".join(parts)


def _links(path: str, text: str) -> Iterator[tuple[re.Match[str], str]]:
    """The links in a Markdown file to files that exist, and which file each leads to."""
    for link in _LINK.finditer(text):
        linked = normpath(f"{Path(path).parent.as_posix()}/{link['path']}")
        if not linked.startswith("..") and (ROOT / linked).exists():
            yield link, _page_of(linked)


def _page_of(path: str) -> str:
    """A folder's page is its README.md."""
    return f"{path}/README.md" if (ROOT / path).is_dir() else path


def _is_in_docs(path: str) -> bool:
    return path.startswith("docs/")


def _uri(path: str) -> str:
    """Where a file of the repository is in the site's sources."""
    if path == START:
        return "index.md"
    return path.removeprefix("docs/") if _is_in_docs(path) else COPIES + path


def _path(uri: str) -> str:
    """The file of the repository that a page is made of: the inverse of `_uri`."""
    if uri == "index.md":
        return START
    return uri.removeprefix(COPIES) if uri.startswith(COPIES) else f"docs/{uri}"
