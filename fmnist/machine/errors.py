"""The one kind of error that people are meant to read."""

from typing import Any

from fmnist.words import Words


class UserFacingError(Exception):
    """What happened, to which file, and what to do next, in a sentence or two for people.

    The command line and the pages show its words, `Words` and their values; of any other error they
    show that there was one, and the log has the traceback.
    """

    def __init__(self, message: str = "", /, **values: Any) -> None:
        super().__init__(Words(message, **values))

    @property
    def words(self) -> Words:
        """The message with its values."""
        words: Words = self.args[0]
        return words
