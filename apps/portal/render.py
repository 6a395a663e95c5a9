"""Templates, compiled once, and the addresses of static files with their digests."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from apps.portal.words import name_class

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
# Macros, a family a file: every template knows them as `ui.…` (docs/design.md).
_COMPONENTS = "components/"
# «№ 3» wraps nowhere. What stands in a field is what was typed, and goes back as it is.
_NUMBER_SIGN = re.compile(r"(<textarea.*?</textarea>|<[^>]*>)|№ ", re.DOTALL)


class Renderer:
    """Renders pages. Nothing is looked up on disk after the start."""

    def __init__(self) -> None:
        self._environment = Environment(
            # The shell's by their names, a wing's as «family/week.html», beside its pages.
            loader=FileSystemLoader([_HERE / "templates", _HERE]),
            autoescape=True,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        # A changed file has another address, so that browsers may keep it for a year.
        digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in STATIC.iterdir()}
        self._environment.filters["attributes"] = write_attributes
        self._environment.globals["name_class"] = name_class
        self._environment.globals["static"] = {name: f"/static/{name}?v={digest}" for name, digest in digests.items()}
        found = self._environment.list_templates(extensions=["html"])
        names = [name for name in found if not name.startswith("templates/")]
        families = [self._environment.get_template(name).module for name in names if name.startswith(_COMPONENTS)]
        self._environment.globals["ui"] = SimpleNamespace(
            **{name: macro for family in families for name, macro in vars(family).items() if not name.startswith("_")}
        )
        self._templates = {name: self._environment.get_template(name) for name in names}

    def page(self, name: str, status: int = 200, /, **shown: Any) -> HTMLResponse:
        """The page of a template. `nav` None is a page of nobody signed in."""
        html = self._templates[name].render({"nav": None, **shown})
        if "№ " in html:
            html = _NUMBER_SIGN.sub(lambda found: found[1] or "№\u00a0", html)
        return HTMLResponse(html, status)


def write_attributes(named: Mapping[str, object]) -> Markup:
    """Attributes of an element: `aria_label` is aria-label, True stands alone, False and None are left out."""
    written = Markup()
    for name, value in named.items():
        if value is True:
            written += Markup(" ") + name.replace("_", "-")
        elif value is not None and value is not False:
            written += Markup(' {}="{}"').format(name.replace("_", "-"), escape(value))
    return written
