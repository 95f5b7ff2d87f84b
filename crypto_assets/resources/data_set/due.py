"""What is due: the registered partitions that changed and have no verdict on what they are now.

Being due is a state, not an event: a change stays due until a verdict on it is recorded, whatever
happened to the runs that were asked for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from crypto_assets.resources.data_set.outcomes import Layer, Outcomes
from crypto_assets.resources.data_set.registry import Registry


def still_due(
    registry: Registry, outcomes: Outcomes, without: Collection[str] = ()
) -> dict[str, str]:
    """The partitions that are due, each with a token that another change of it has not.

    Those of changes that were registered, and those on which a run began and gave no verdict. What
    has its verdict by now is settled. Those `without` are not looked at.
    """
    changed, left = registry.due(), outcomes.attempts(registry.data_set.name)
    for name in without:
        changed.pop(name, None)
        left.pop(name, None)
    if not (changed or left):
        return {}
    entries = registry.get_all({**changed, **left})
    layers = outcomes.layers(registry.data_set.name, entries)
    versions = {name: registry.versions(entry) for name, entry in entries.items()}
    due = {name for name in entries if not has_verdict(versions[name], layers[name])}
    damaged = registry.damaged(changed.keys() - entries.keys())
    settled = changed.keys() - due - damaged.keys()
    registry.settle({name: changed[name] for name in settled})
    first = next(iter(registry.data_set.layers))
    return {name: changed.get(name) or versions[name][first] for name in sorted(due)}


def has_verdict(versions: Mapping[str, str], layers: Mapping[str, Layer]) -> bool:
    """Whether a partition of these versions was made to its last layer, or refused for what it is.

    `layers` are what is known of its layers.
    """
    *_, last = versions
    if last in layers and layers[last].version == versions[last]:
        return True
    return any(
        known.superseded_by or (known.is_refusal and known.seen_version == versions.get(layer))
        for layer, known in layers.items()
    )
