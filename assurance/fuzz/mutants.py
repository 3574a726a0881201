"""From a seed and an index to one mutant; the same again for every replay."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from assurance.fuzz import (
    mutators_auth_data,
    mutators_cbor,
    mutators_ceremony,
    mutators_client_data,
    mutators_fields,
    mutators_http,
    mutators_json,
    mutators_keys,
    mutators_members,
    mutators_paths,
    mutators_tokens,
    mutators_vectors,
)
from assurance.fuzz.draft import Draft, Kind, Mutator
from assurance.fuzz.noise import pick
from assurance.fuzz.seeds import Maker, Seed
from assurance.fuzz.wire import Request
from assurance.fuzz.world import World

MUTATORS: Sequence[Mutator] = (
    *mutators_json.MUTATORS,
    *mutators_members.MUTATORS,
    *mutators_fields.MUTATORS,
    *mutators_ceremony.MUTATORS,
    *mutators_client_data.MUTATORS,
    *mutators_auth_data.MUTATORS,
    *mutators_cbor.MUTATORS,
    *mutators_keys.MUTATORS,
    *mutators_tokens.MUTATORS,
    *mutators_http.MUTATORS,
    *mutators_paths.MUTATORS,
    # Statements have many members, and only recorded ones have them.
    *mutators_vectors.MUTATORS * 4,
)


class Mutant(NamedTuple):
    """One broken request with all that is needed to judge its answer."""

    mutator: str
    draft: Draft
    request: Request
    maker: Maker


def choose(rng: Random, seeds: Sequence[Seed]) -> tuple[Seed, Mutator]:
    """A seed by its weight, then any mutator that can break it."""
    seed = rng.choices(seeds, [each.weight for each in seeds])[0]
    return seed, pick(rng, _for_kind(seed.kind))


def _for_kind(kind: Kind) -> list[Mutator]:
    return [mutator for mutator in MUTATORS if kind in mutator.kinds]


def is_recorded(mutant: Mutant) -> bool:
    """Whether it is made of a public vector, which the service may refuse as it stands."""
    return mutant.draft.genuine.kind in (Kind.VECTOR_LOGIN, Kind.VECTOR_REGISTER)


async def grow(
    world: World, seeds: Sequence[Seed], seed: int, index: int, attempt: int = 0
) -> Mutant:
    """Mutant number `index`; `attempt` only names it, so that its requests differ in their ids."""
    world.answer_as()
    rng = Random(f"{seed}:{index}")
    chosen, mutator = choose(rng, seeds)
    maker = Maker(world, rng, f"{index}.{attempt}")
    draft = await chosen.make(maker)
    mutator.change(rng, draft)
    return Mutant(mutator.name, draft, draft.build(), maker)
