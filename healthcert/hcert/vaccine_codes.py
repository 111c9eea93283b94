"""Which codes of a vaccine go together: the product, the holder of its authorisation, its kind.

Source: "Value sets for EU Digital COVID Certificates" release 2.12, encoding instructions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from healthcert.errors import BadInput


@dataclass(frozen=True, slots=True)
class Vaccine:
    """The codes that go with the code of a vaccine."""

    holder: str  # ``ma``: who holds its authorisation
    kinds: tuple[str, ...]  # ``vp``: what it is, the closest kind first; a wider one is right too
    withdrawn: bool = False  # whether no new certificate should name it


def refuse_unless_together(
    product: str, authorisation: str, prophylaxis: str, vaccines: Mapping[str, Vaccine]
) -> None:
    """Refuse codes that do not go together, or a product that no new certificate should name.

    Args:
        product: ``mp``.
        authorisation: ``ma``.
        prophylaxis: ``vp``.
        vaccines: What goes with each product, as `healthcert.data.vaccines` gives it.

    Raises:
        BadInput: By the member at fault.
    """
    known = vaccines.get(product)
    if known is None or known.withdrawn:
        raise BadInput({"mp": "unknown_vaccine"})
    if authorisation != known.holder:
        raise BadInput({"ma": "not_of_this_vaccine"})
    if prophylaxis not in known.kinds:
        raise BadInput({"vp": "not_of_this_vaccine"})
