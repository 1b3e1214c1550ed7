"""For a projector: who is in the room, how their runs learn, and what they drew."""

from fmnist.ui import membership
from fmnist.ui.page import page
from fmnist.ui.parts import wall as parts
from fmnist.words import _

page(_("Wall"), _("What happens in the room, for a projector."))
ticket, room = membership.need_room()
parts.wall(ticket, room)
