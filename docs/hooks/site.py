"""What differs between the pages in the repository and the site that mkdocs makes of them."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"!?\[([^\]]*)\]\(\.\./([^)#]+)(?:#[^)]*)?\)")  # links to files that are no pages
_ROLE = re.compile(r":(?:class|func|mod|meth|data|attr|exc):<code>~?(?:[\w.]+\.)?(\w+)</code>")  # of Sphinx


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A file of the repository that is no page is named, not linked."""
    return _OUTSIDE.sub(lambda link: f"{link[1].strip('`')} (`{link[2]}` in the repository)", markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings name other objects as Sphinx does; here the name is enough."""
    return _ROLE.sub(r"<code>\1</code>", html)
