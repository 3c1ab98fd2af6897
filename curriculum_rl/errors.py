"""The one exception that means: what the user wrote is wrong."""


class ConfigError(ValueError):
    """A setting, a file or an argument of the user's is wrong.

    The message is one line that names the key and the value. Commands print it to stderr and exit with status 2.
    """
