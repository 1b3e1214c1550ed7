"""What the page tests share: a page opened by AppTest, and the words on it."""

from streamlit.testing.v1 import AppTest

from fmnist import PROJECT


def open_page(name: str, **query: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.run()
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{name}.py")
    return app.run()


def texts(app: AppTest) -> str:
    elements = [*app.markdown, *app.caption, *app.info, *app.error, *app.warning, *app.success]
    return "\n".join(str(element.value) for element in elements)
