"""Classes and functions of this project as text that needs none of it, so that it can't drift."""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from itertools import chain, groupby, pairwise, zip_longest
from operator import itemgetter
from threading import Lock
from types import ModuleType

# What several processes need is what torch has for one.
PLAIN = {
    r"\bparallel\.rand\b": "torch.rand",
    r"\bBatchNorm(?=[12]d\b)": "nn.BatchNorm",
    r"  # type: ignore.*": "",
}
ASIDE = {"Classifier": ("opaque", "suffix", "packed")}
"""What classes have that is no part of the network."""

_parsing = Lock()


class Sources:
    """The text of chosen definitions, and the imports that they need."""

    def __init__(self) -> None:
        self._imports: set[tuple[str, str]] = set()
        self._met: set[ast.stmt] = set()

    def take(self, names: Iterable[str], module: ModuleType) -> str:
        """The definitions of names in a module, each after what it needs, but for those taken."""
        texts = [text for name in names for text in self._take(name, module)]
        lines = ["\n" if "\n" not in one + after else "\n\n\n" for one, after in pairwise(texts)]
        return "".join(chain(*zip_longest(texts, lines, fillvalue="")))

    def _take(self, name: str, module: ModuleType) -> Iterator[str]:
        node = _bindings(module)[name]
        if isinstance(node, ast.Import):
            self._imports.add(("", name))
        elif isinstance(node, ast.ImportFrom):
            origin = str(node.module)
            if origin.split(".")[0] == "fmnist":
                yield from self._take(name, import_module(origin))
            else:
                self._imports.add((origin, name))
        elif node not in self._met:
            self._met.add(node)
            text = _text(node, module)
            for needed in names_in(text):
                if needed in _bindings(module):
                    yield from self._take(needed, module)
            yield text

    @property
    def imports(self) -> list[str]:
        """Import statements for all that was taken, one for each module."""
        plain = sorted(f"import {name}" for origin, name in self._imports if not origin)
        by_origin = groupby(sorted(self._imports), key=itemgetter(0))
        return plain + [
            f"from {origin} import {', '.join(name for _, name in names)}"
            for origin, names in by_origin
            if origin
        ]


@lru_cache(maxsize=64)
def tree(text: str) -> ast.Module:
    """A text as Python's parser sees it."""
    # Python 3.11's counts its depth for all threads together, and fails where two are at it.
    with _parsing:
        return ast.parse(text)


@cache
def _bindings(module: ModuleType) -> dict[str, ast.stmt]:
    """What each name at the top of a module is bound by."""
    return dict(_bound(tree(inspect.getsource(module))))


def _bound(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, ast.Assign):
            for target in ast.walk(ast.Tuple(node.targets)):
                if isinstance(target, ast.Name):
                    yield target.id, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node


def _text(node: ast.stmt, module: ModuleType) -> str:
    """A definition as it is written, but for what only this project needs."""
    lines = inspect.getsource(module).splitlines()
    for member in _aside(node):
        lines[member.lineno - 1 : member.end_lineno] = [""] * (_end(member) - member.lineno + 1)
    text = "\n".join(lines[node.lineno - 1 : _end(node)]).rstrip()
    for theirs, plain in PLAIN.items():
        text = re.sub(theirs, plain, text)
    return re.sub(r"\n{3,}", "\n\n", text)


def _aside(node: ast.stmt) -> Iterator[ast.stmt]:
    """The members of a class that are no part of the network, and what documents them."""
    left_out = False
    for member in getattr(node, "body", ()):
        if not (left_out and isinstance(member, ast.Expr)):
            name = getattr(member, "name", getattr(getattr(member, "target", None), "id", None))
            left_out = name in ASIDE.get(getattr(node, "name", ""), ())
        if left_out:
            yield member


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def names_in(text: str) -> list[str]:
    """The names that a text uses, in order."""
    nodes = (node for node in ast.walk(tree(text)) if isinstance(node, ast.Name))
    return list(dict.fromkeys(node.id for node in nodes))
