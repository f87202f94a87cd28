"""The recurrent state-space model: a memory that is sure, and choices that are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from craik.core.state import State
from craik.nets.gru import BlockGRU
from craik.nets.init import fan_in_linears
from craik.nets.mlp import MLP, layers
from craik.ops.choice import mixed, one_hot_draw, uniforms


@dataclasses.dataclass(frozen=True)
class Belief(State):
    """What is remembered, and what is guessed of the present.

    Attributes:
        deter: the memory.
        stoch: [..., S * C], one-hots of S choices among C classes; zeros before anything was seen.
    """

    deter: Float[Tensor, "*B D"]
    stoch: Float[Tensor, "*B choices"]

    @property
    def latent(self) -> Float[Tensor, "*B latent"]:
        """[..., D + S * C]: both, side by side."""
        return torch.cat([self.deter, self.stoch], -1)


class RSSM(nn.Module):
    """Recurrent state-space model with categorical choices (PlaNet; DreamerV2; DreamerV3, arXiv 2301.04104, eq. 3).

    A gated cell carries the memory on from the last memory, choices and action. The prior guesses the choices from the
    memory alone, the posterior from the memory and what is seen.

    Args:
        actions: numbers of an action vector.
        seen: features of what is seen.
        deter: D, numbers of the memory.
        hidden: width of every layer between.
        stoch: S, how many choices.
        classes: C, options of each.
        blocks: blocks of the cell.
        share: how much of each choice's chances is uniform ("unimix").
        guesses: hidden layers of the prior.
        norm: makes the norm of a width.
    """

    def __init__(
        self,
        actions: int,
        seen: int,
        *,
        deter: int,
        hidden: int,
        stoch: int,
        classes: int,
        blocks: int,
        share: float = 0.01,
        guesses: int = 2,
        norm: Callable[[int], nn.Module] = nn.RMSNorm,
    ):
        super().__init__()
        self.deter, self.stoch, self.classes, self.share = deter, stoch, classes, share
        self.from_memory = layers(deter, [hidden], norm)
        self.from_choices = layers(stoch * classes, [hidden], norm)
        self.from_action = layers(actions, [hidden], norm)
        self.cell = BlockGRU(deter, 3 * hidden, blocks, norm)
        self.prior = MLP(deter, [hidden] * guesses, stoch * classes, norm)
        # The posterior's first layer sees [memory, seen]; its two halves are kept apart so that all that is seen in a
        # stretch goes through at once, outside the loop over time.
        self.from_seen = nn.Linear(seen, hidden)
        self.to_seen = nn.Linear(deter, hidden, bias=False)
        self.norm = norm(hidden)
        self.posterior = nn.Linear(hidden, stoch * classes)
        fan_in_linears(self)
        # Under a norm without a bias only the direction of an action would count, and not its size.
        nn.init.normal_(self.from_action[0].bias)  # type: ignore[arg-type]

    def start(self, batch: int, device: torch.device) -> Belief:
        """Nothing remembered, nothing guessed."""
        blank = torch.zeros(batch, self.deter + self.stoch * self.classes, device=device)
        return Belief(*blank.split([self.deter, self.stoch * self.classes], 1))

    def advance(self, belief: Belief, done: Float[Tensor, "B hidden"]) -> Float[Tensor, "B D"]:
        """The next memory: `done` is what `from_action` makes of the action vector."""
        inputs = torch.cat([self.from_memory(belief.deter), self.from_choices(belief.stoch), done], -1)
        return self.cell(belief.deter, inputs)

    def guess(self, deter: Float[Tensor, "*B D"]) -> Float[Tensor, "*B S C"]:
        """The prior: logits of the choices, from the memory."""
        return self.prior(deter).float().unflatten(-1, (self.stoch, self.classes))

    def recognise(self, deter: Float[Tensor, "B D"], seen: Float[Tensor, "B hidden"]) -> Float[Tensor, "B S C"]:
        """The posterior: logits of the choices, from the memory and `seen` as `from_seen` makes it."""
        logits = self.posterior(F.silu(self.norm(self.to_seen(deter) + seen)))
        return logits.float().unflatten(-1, (self.stoch, self.classes))

    def choose(
        self, logits: Float[Tensor, "*B S C"], uniform: Float[Tensor, "*B S"] | None
    ) -> Float[Tensor, "*B choices"]:
        """One-hots [..., S * C], with gradients straight through; modes without `uniform`."""
        return one_hot_draw(mixed(logits, self.share), uniform).flatten(-2)

    def step(self, belief: Belief, vector: Float[Tensor, "B A"], generator: torch.Generator | None) -> Belief:
        """With eyes closed."""
        deter = self.advance(belief, self.from_action(vector))
        draws = uniforms((len(deter), self.stoch), generator, deter.device)
        return Belief(deter, self.choose(self.guess(deter), draws))

    def follow(
        self,
        belief: Belief,
        vectors: Float[Tensor, "B L A"],
        seen: Float[Tensor, "B L D"],
        first: Bool[Tensor, "B L"],
        generator: torch.Generator | None,
    ) -> tuple[Belief, Float[Tensor, "B L S C"]]:
        """With eyes open, over L moments.

        Args:
            belief: before the first of them, B rows.
            vectors: the action vector that led to each moment.
            seen: features of what is seen.
            first: where the belief starts over.
            generator: source of the choices; None for modes.

        Returns:
            The beliefs, axes [B, L], and the posterior's logits.
        """
        done = self.from_action(vectors).unbind(1)
        sights = self.from_seen(seen).unbind(1)
        draws = uniforms((*first.shape, self.stoch), generator, seen.device)
        keep = (~first).float()[..., None].unbind(1)
        opens = first.any(0).tolist()
        deters, stochs, logits = [], [], []
        for t in range(first.shape[1]):
            if opens[t]:
                belief = Belief(belief.deter * keep[t], belief.stoch * keep[t])
            deter = self.advance(belief, done[t])
            logit = self.recognise(deter, sights[t])
            belief = Belief(deter, self.choose(logit, None if draws is None else draws[:, t]))
            deters.append(deter)
            stochs.append(belief.stoch)
            logits.append(logit)
        return Belief(torch.stack(deters, 1), torch.stack(stochs, 1)), torch.stack(logits, 1)
