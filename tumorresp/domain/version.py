"""The version that results carry."""

from importlib.metadata import version

SOFTWARE_VERSION = version("tumorresp")
