"""Does a catalog, its policy and the profile fit together? A fault here is an error when it loads, never later."""

from collections.abc import Collection, Mapping

from decisioning.catalog import Catalog
from decisioning.check_actions import action_faults, touchpoint_faults
from decisioning.check_contact import contact_faults
from decisioning.check_policy import policy_faults
from decisioning.check_texts import text_faults
from decisioning.check_voice import voice_faults
from decisioning.customer import FeatureIndex
from decisioning.known_names import Fault, Known, Part
from decisioning.policy import Policy


def faults(
    catalog: Catalog,
    policy: Policy,
    index: FeatureIndex,
    *,
    unread: Collection[Part] = (),
    named: Mapping[str, Collection[str]] | None = None,
) -> list[Fault]:
    """Every contradiction, as (part, path of keys, cause and cure).

    Of the parts `unread` only some could be read: what these hold is checked. `named` are the names that stand in them all the
    same, by the field of `Known`; of a kind that is not among these, names are not judged.
    """
    known = Known.of(catalog, policy, index, unread, named or {})
    return [
        *voice_faults(policy, known),
        *touchpoint_faults(catalog),
        *action_faults(catalog, known),
        *text_faults(catalog, policy, known),
        *policy_faults(policy, known),
        *contact_faults(policy.contact, known),
    ]
