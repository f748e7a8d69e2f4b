"""What the pipeline knows: culture packs, phrase book, taxonomies, thresholds, the demo dataset and its translator."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def resource(path: str) -> Traversable:
    """Opens a file or folder that ships with the project, by its path below data/.

    Raises:
        FileNotFoundError: nothing of that name ships with the project.
    """
    found = files(__name__).joinpath(path)
    if not (found.is_file() or found.is_dir()):
        raise FileNotFoundError(f"data/{path} is not part of this installation")
    return found
