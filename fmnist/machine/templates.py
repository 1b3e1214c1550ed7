"""Markup stands in files of its own, as Jinja2 templates."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def template(path: Path) -> Template:
    """Compile a template: what it isn't given is an error, and what HTML is given is escaped."""
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        autoescape=".html" in path.suffixes,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(path.name)
