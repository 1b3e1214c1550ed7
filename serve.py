"""The app as `make app` and `make room` serve it: app.py, and its files compressed on the way."""

from starlette.middleware import Middleware
from streamlit.starlette import App

from fmnist import PROJECT
from fmnist.ui.wire import Compressed

app = App(PROJECT / "app.py", middleware=[Middleware(Compressed)])
