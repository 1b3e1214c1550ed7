"""The app as `make app` and `make room` serve it: app.py, with its files compressed on the way.

Its memory stays flat.
"""

from starlette.middleware import Middleware
from streamlit.starlette import App

from fmnist import PROJECT
from fmnist.machine import arenas
from fmnist.ui import icons
from fmnist.ui.wire import Compressed

arenas.limit()
icons.prepare()
app = App(PROJECT / "app.py", middleware=[Middleware(Compressed)])
