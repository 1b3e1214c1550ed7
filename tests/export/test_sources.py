import ast
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fmnist.export import sources


def test_of_many_who_want_code_at_once_one_is_at_the_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse, at_it = ast.parse, []

    def parsed(text: str) -> ast.Module:
        at_it.append(text)
        time.sleep(0.01)
        assert at_it == [text]
        return parse(at_it.pop())

    monkeypatch.setattr(sources.ast, "parse", parsed)
    texts = [f"first = {number}\nsecond = first" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sources.names_in, texts)) == [["first", "second"]] * 8
