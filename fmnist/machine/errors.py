"""The one kind of error that people are meant to read."""


class UserFacingError(Exception):
    """What happened, to which file, and what to do next, in a sentence or two for people.

    The command line and the pages show its message as it is; of any other error they show that
    there was one, and the log has the traceback.
    """
