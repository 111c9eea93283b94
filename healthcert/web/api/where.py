"""Where in what was sent a service finds something wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from healthcert.web.api.shapes import Shape

_Path = tuple[str, ...]


def path_of(field: str, sent: Any, which: int) -> str:  # noqa: ANN401 - a shape, or nothing
    """Return where in what was `sent` a field of a service is, such as ``told.lot``.

    A service knows the number of a document as ``identity_value``, a product as ``product``. Of
    several shapes in a list, it is the one `which` is refused. What is nowhere keeps its name.
    """
    for name, path in _paths(sent, which):
        if field in {name, "_".join(path[-2:]), name.removesuffix("_id")}:
            return ".".join(path)
    return field


def _paths(sent: Any, which: int, at: _Path = ()) -> Iterator[tuple[str, _Path]]:  # noqa: ANN401
    """Return the fields of what was sent: what its service calls it, and where it stands."""
    if isinstance(sent, Shape):
        for name, field in type(sent).model_fields.items():
            path = *at, field.alias or name
            yield name, path
            yield from _paths(getattr(sent, name), which, path)
    elif isinstance(sent, Mapping):
        yield from ((str(name), (*at, str(name))) for name in sent)
    elif isinstance(sent, list) and sent and isinstance(sent[0], Shape):
        yield from _paths(sent[which], which, (*at, str(which)))
