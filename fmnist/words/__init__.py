"""What people read, in their language: the code holds the English, a catalogue each other language.

A message is marked where it stands: `_("{images:,} images", images=n)` says it at once, and
`Words(...)` keeps it to be said where a page shows it. Adding a language is one file beside this
one, LANGUAGE.po; `python -m benchmarks.words LANGUAGE` begins it and keeps it in step.
"""

import gettext
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from numbers import Number
from pathlib import Path
from typing import Any, Self

ENGLISH = "en"
FOLDER = Path(__file__).parent
LANGUAGES = (ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.po")))

_asked: Callable[[], str] | None = None
_reader: ContextVar[str | None] = ContextVar("reader", default=None)


class Words(str):
    """A message with its values, to be `said` in any language; as a text it is English.

    Its placeholders are those of str.format, by name; a value may be words itself. With `many`, the
    message is for a value `n` of one, and `many` for others.
    """

    message: str
    many: str
    values: dict[str, Any]

    def __new__(cls, message: str, many: str = "", /, **values: Any) -> Self:
        if isinstance(message, cls) and not values:
            return message
        values = {name: _lasting(value) for name, value in values.items()}
        template = many if many and values["n"] != 1 else message
        words = super().__new__(cls, template.format(**values) if values else template)
        words.message, words.many, words.values = message, many, values
        return words

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, Any]]:  # as it is pickled
        return (self.message, self.many), self.values


def listed(parts: Iterable[str], between: str = ", ") -> Words:
    """Words, or other texts, in a row."""
    values = {f"part{place}": part for place, part in enumerate(parts)}
    return Words(between.join(f"{{{name}}}" for name in values), **values)


def kept(words: str) -> str:
    """Words as a file keeps them: a line of English, and one of all that `recalled` needs."""
    plain = " ".join(words.splitlines())
    if not isinstance(words, Words):
        return plain
    return f"{plain}\n{json.dumps(_parts(words), default=_plain)}"


def recalled(text: str) -> Words:
    """What `kept` wrote, or several of that in as many lines, or English that somebody wrote."""
    found: list[Words] = []
    for line in filter(None, text.splitlines()):
        try:
            found[-1:] = [_whole(json.loads(line))]
        except (ValueError, LookupError, TypeError):
            found.append(Words(line))
    return found[0] if len(found) == 1 else listed(found, " ")


def _parts(words: Words) -> dict[str, Any]:
    values = {
        name: _parts(value) if isinstance(value, Words) else value
        for name, value in words.values.items()
    }
    return {"message": words.message, "many": words.many, "values": values}


def _whole(parts: dict[str, Any]) -> Words:
    values = {
        name: _whole(value) if isinstance(value, dict) else value
        for name, value in parts["values"].items()
    }
    return Words(parts["message"], parts["many"], **values)


def _plain(value: Any) -> Any:
    """What JSON doesn't know: a number of numpy's, a path."""
    return value.item() if hasattr(value, "item") else str(value)


def _lasting(value: Any) -> Any:
    """An error's words in its place: it holds on to much else, and may not be pickled."""
    return getattr(value, "words", str(value)) if isinstance(value, BaseException) else value


def language() -> str:
    """The language of whoever reads what is being said; English where no page asks."""
    return _reader.get() or (_asked() if _asked else ENGLISH)


def follow(asked: Callable[[], str]) -> None:
    """Have the pages tell whose language it is."""
    global _asked
    _asked = asked


def settle(chosen: str) -> None:
    """From here on, in this thread, all is said in that language."""
    _reader.set(chosen)


@contextmanager
def reading(chosen: str) -> Iterator[None]:
    """Within it, all is said in that language."""
    before = _reader.set(chosen)
    try:
        yield
    finally:
        _reader.reset(before)


def _(message: str, many: str = "", /, **values: Any) -> str:
    """A message in the reader's language; see `Words`."""
    return _in(language(), message, many, values)


def said(thing: object) -> str:
    """Words, or the words of an error, in the reader's language; of anything else its text."""
    words = getattr(thing, "words", thing)
    if isinstance(words, Words):
        return _in(language(), words.message, words.many, words.values)
    return str(words)


def number(value: Any, form: str = ",") -> str:
    """A number as the reader's language writes it, by the form that Python has for it."""
    return _written(format(value, form), language())


def written(value: Any, form: str) -> str:
    """A value in a form of one placeholder, such as "{:.1f} MB", by the reader's language."""
    return form.format(_Value(value, language()))


def decimal_and_group() -> str:
    """The two separators of numbers in the reader's language, as Plotly is told them."""
    return _written(".,", language())


def _in(chosen: str, message: str, many: str, values: dict[str, Any]) -> str:
    if chosen == ENGLISH or not message:
        template = many if many and values["n"] != 1 else message
        return template.format(**values) if values else template
    known = _catalogue(chosen)
    template = known.ngettext(message, many, values["n"]) if many else known.gettext(message)
    if not values:
        return template
    return template.format(**{name: _Value(value, chosen) for name, value in values.items()})


class _Value:
    """A value that is put into a message as its language writes it."""

    def __init__(self, value: Any, chosen: str) -> None:
        self._value, self._chosen = value, chosen

    def __format__(self, form: str) -> str:
        value = getattr(self._value, "words", self._value)
        if isinstance(value, Words):
            return format(_in(self._chosen, value.message, value.many, value.values), form)
        text = format(value, form)
        return _written(text, self._chosen) if isinstance(value, Number) else text

    def __repr__(self) -> str:
        return repr(self._value)


def _written(text: str, chosen: str) -> str:
    return text if chosen == ENGLISH else text.translate(_separators(chosen))


# Babel is imported where it is needed: the command line and the trainings speak English.


@cache
def _catalogue(chosen: str) -> gettext.NullTranslations:
    from babel.messages import mofile, pofile

    with (FOLDER / f"{chosen}.po").open("rb") as file:
        catalogue = pofile.read_po(file, locale=chosen)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _separators(chosen: str) -> dict[int, str]:
    from babel import Locale, numbers

    percent = Locale.parse(chosen).percent_formats[None].suffix[0]
    return {
        ord("."): numbers.get_decimal_symbol(chosen),
        ord(","): numbers.get_group_symbol(chosen),
        ord("%"): percent,
    }


@cache
def own_name(chosen: str) -> str:
    """A language in its own words."""
    from babel import Locale

    return Locale.parse(chosen).get_display_name() or chosen
