"""Free functions over any world model: encode, imagine, decode."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Shaped
from torch import Tensor

from craik.core import tree
from craik.core.data import Batch
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.state import State

S = TypeVar("S", bound=State)


def encode(
    model: WorldModel[S],
    obs: dict[str, Shaped[Tensor, "B T+1 ..."]],
    actions: Shaped[Tensor, "B T ..."],
    *,
    generator: torch.Generator | None = None,
) -> S:
    """The belief at the end of one uninterrupted stretch of experience.

    Args:
        model: any world model.
        obs: what was seen, by name.
        actions: `actions[:, t]` leaves `obs[:, t]`. T may be 0.
        generator: source of randomness; None for the mode.
    """
    b, t = actions.shape[:2]
    first = torch.zeros(b, t + 1, dtype=torch.bool, device=actions.device)
    first[:, 0] = True
    empty = torch.zeros(b, t, device=actions.device)
    return model.follow(Batch(obs, actions, empty, empty.bool(), first), generator=generator)[:, -1]


def imagine(
    model: WorldModel[S],
    state: S,
    policy: Callable[[S], Shaped[Tensor, "B ..."]] | Shaped[Tensor, "B H ..."],
    horizon: int | None = None,
    *,
    generator: torch.Generator | None = None,
) -> tuple[S, Shaped[Tensor, "B H ..."]]:
    """Beliefs and actions along an imagined future.

    Args:
        model: any world model.
        state: where to begin, B rows.
        policy: a function from beliefs to actions, or the actions themselves.
        horizon: how many steps, with a function; a tensor says it itself.
        generator: source of randomness; None for the mode.

    Returns:
        The H beliefs reached, a state with axes [B, H] (the starting one is not among them), and the actions
        taken: `actions[:, k]` led to `states[:, k]`.
    """
    if isinstance(policy, Tensor):
        return model.rollout(state, policy, generator=generator), policy
    if horizon is None:
        raise SpecError("imagine was given a policy and no horizon", "pass horizon=, the number of steps")
    states, actions = [], []
    for _ in range(horizon):
        action = policy(state)
        state = model.step(state, action, generator=generator)
        states.append(state)
        actions.append(action)
    return tree.stack(states, 1), torch.stack(actions, 1)


def decode(model: WorldModel[S], state: S) -> dict[str, Shaped[Tensor, "B ..."]]:
    """The observations a belief says it would see now, by name.

    Raises:
        SpecError: if the model has no decoder.
    """
    if "obs" not in model.spec.reads:
        offers = ", ".join(model.spec.reads) or "nothing"
        raise SpecError(
            f"{type(model).__name__} has no decoder; it offers {offers}",
            "plan with it as it is, or train a probe on its latent to draw it",
        )
    return model.read(state)["obs"]
