"""Three challenges, with the room's list of the best."""

from fmnist.ui.page import page
from fmnist.ui.parts import challenges as parts
from fmnist.ui.widgets import choice
from fmnist.words import _

source, device = page(
    _("Challenges"),
    _("Fool a model, please them all, or build the smallest. The room keeps the list."),
)

challenge = choice(_("Challenge"), [parts.PIXELS, parts.AGREE, parts.SMALL], key="challenge")
if challenge == parts.PIXELS:
    parts.fewest_pixels(source, device)
elif challenge == parts.AGREE:
    parts.all_agree(device)
else:
    parts.smallest(source)
