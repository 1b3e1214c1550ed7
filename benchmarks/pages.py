"""How long each page takes to open for the first and for the second time: medians.

    python -m benchmarks.pages [ROUNDS]

Every first opening is on a server of its own that has only shown one other page, in a browser that
knows nothing, so it includes all that the page computes; the second follows after a look at the
other page. Which pages there are is read from the sidebar. Needs requirements-dev.txt and
Chromium.
"""

import statistics
import sys

from playwright.sync_api import Browser, sync_playwright

from benchmarks import studio
from fmnist.data import splits


def openings(browser: Browser, number: int) -> tuple[str, float, float]:
    """The name of the page at that place in the sidebar, its first and its second time."""
    with studio.serve() as address:
        page = studio.enter(browser, address)
        links = studio.links(page)
        this, other = links.nth(number), links.nth(0)
        if number == 0:  # home stands already
            other = links.nth(1)
            studio.open_seconds(page, other)
        first = studio.open_seconds(page, this)
        studio.open_seconds(page, other)
        second = studio.open_seconds(page, this)
        name = this.inner_text().splitlines()[-1]
        page.context.close()
    return name, first, second


def main(rounds: int) -> None:
    times: dict[str, list[tuple[float, float]]] = {}
    with sync_playwright() as playwright:
        browser = studio.launch(playwright)
        with studio.serve() as address:
            pages = studio.links(studio.enter(browser, address)).count()
        for _ in range(rounds):
            for number in range(pages):
                name, first, second = openings(browser, number)
                times.setdefault(name, []).append((first, second))
        browser.close()
    print(f"median of {rounds}, {splits.default_source()} data, in milliseconds")
    print(f"{'page':<12}{'first':>8}{'second':>8}")
    for name, measured in times.items():
        first, second = (1000 * statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{name:<12}{first:>8.0f}{second:>8.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
