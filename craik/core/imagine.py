"""Free functions over any world model: encode, imagine, decode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from craik.core import tree
from craik.core.data import Batch
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.state import State

S = TypeVar("S", bound=State)


def encode(
    model: WorldModel[S], obs: dict[str, Tensor], actions: Tensor, *, generator: torch.Generator | None = None
) -> S:
    """The belief at the end of one uninterrupted stretch of experience.

    Args:
        model: any world model.
        obs: name -> [B, T+1, ...].
        actions: [B, T, ...]; `actions[:, t]` leaves `obs[:, t]`. T may be 0.
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
    policy: Callable[[S], Tensor] | Tensor,
    horizon: int | None = None,
    *,
    generator: torch.Generator | None = None,
) -> tuple[S, Tensor]:
    """Beliefs and actions along an imagined future.

    Args:
        model: any world model.
        state: where to begin, B rows.
        policy: a function from beliefs to actions [B, ...], or the actions themselves, [B, H, ...].
        horizon: how many steps, with a function; a tensor says it itself.
        generator: source of randomness; None for the mode.

    Returns:
        The H beliefs reached, a state with axes [B, H] (the starting one is not among them), and the actions
        taken, [B, H, ...]: `actions[:, k]` led to `states[:, k]`.
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


def decode(model: WorldModel[S], state: S) -> dict[str, Any]:
    """The observations a belief says it would see now: name -> [B, ...].

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
