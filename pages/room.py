"""For the projector: the address of this room as a code to scan, and what phones will ask."""

from fmnist.ui.page import page
from fmnist.ui.parts import room as parts
from fmnist.words import _

page(_("Room"), _("Scan the code, or type the address, on the same network as this machine."))

parts.invitation()
