"""Eight lessons that lead through the studio, each with steps, predictions and answers."""

from fmnist.ui.page import page
from fmnist.ui.parts import lessons as parts
from fmnist.words import _

source, device = page(
    _("Lessons"),
    _("A path through it all, for a class or for yourself: predict, look, and see who was right."),
)

lesson = parts.chosen()
if lesson:
    parts.show(lesson, source)
else:
    parts.overview()
