"""The plan of the code, read from its imports: rooms, floors, circles, lines.

    python -m benchmarks.house [FOLDER]

FOLDER is a checkout of this project, the present one if none is named. A room is a folder of
fmnist/, and the files beside them are rooms of their own. A floor is what stands on nothing but the
floors below; files that import each other, in a circle, share one.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import networkx

from fmnist import PROJECT

LANGUAGES = (".py", ".js", ".css", ".html", ".j2")


def modules(project: Path) -> dict[str, Path]:
    """The modules of app, pages and fmnist by their dotted names."""
    paths = [project / "app.py", *project.glob("pages/*.py"), *project.glob("fmnist/**/*.py")]
    return {
        ".".join(path.relative_to(project).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(paths)
    }


def room(module: str) -> str:
    """The room that a module of the project is in."""
    first, *others = module.split(".")
    return others[0] if first == "fmnist" and others else first


def imported(path: Path, known: Iterable[str]) -> Iterator[str]:
    """Those of the known modules that a file imports, at its head or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in below]
        else:
            continue
        yield from (name for name in names if name in known)


def imports(project: Path) -> Mapping[str, set[str]]:
    """What each module imports of the project."""
    paths = modules(project)
    return {module: set(imported(path, paths)) - {module} for module, path in paths.items()}


def circles(needs: Mapping[str, set[str]]) -> list[set[str]]:
    """Groups of modules, or of rooms, that import each other."""
    graph = networkx.DiGraph({name: list(others) for name, others in needs.items()})
    return [group for group in networkx.strongly_connected_components(graph) if len(group) > 1]


def floors(needs: Mapping[str, set[str]]) -> int:
    """How many stand on one another at the most."""
    graph = networkx.DiGraph({name: list(others) for name, others in needs.items()})
    return int(networkx.dag_longest_path_length(networkx.condensation(graph))) + 1


def between_rooms(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What each room imports of others."""
    found: dict[str, set[str]] = {}
    for module, others in needs.items():
        here = room(module)
        found.setdefault(here, set()).update(room(other) for other in others if room(other) != here)
    return found


def main(project: Path) -> None:
    needs = imports(project)
    rooms = between_rooms(needs)
    lines = dict.fromkeys(LANGUAGES, 0)
    for top in ("app.py", "pages", "fmnist"):
        for path in [project / top, *(project / top).rglob("*")]:
            if path.suffix in lines and path.is_file():
                lines[path.suffix] += len(path.read_text().splitlines())
    print(f"modules {len(needs)}, rooms {len(rooms)}")
    print(f"floors of modules {floors(needs)}, of rooms {floors(rooms)}")
    for name, plan in (("modules", needs), ("rooms", rooms)):
        found = [" <-> ".join(sorted(group)) for group in circles(plan)]
        print(f"circles of {name} {len(found)}", *found, sep="\n  ")
    print("lines " + ", ".join(f"{suffix} {count:,}" for suffix, count in lines.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT)
