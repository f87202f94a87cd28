"""Planted bugs, one or more for every clause: each says which was made for it, and which others it may break too."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from tests.contract.honest import Actor, Honest, Memory


def planted(clause: str, *crosstalk: str):
    """Marks a bug: the clause made for it, and the others that may fail as well."""

    def mark(bug):
        bug.clause, bug.crosstalk = clause, set(crosstalk)
        BUGS.append(bug)
        return bug

    return mark


BUGS: list[type] = []


@planted("builds_as_it_says", "reads_what_it_claims")
class OffersNothing(Honest):
    """Claims no readings at all."""

    def __init__(self, spec):
        super().__init__(spec)
        self.spec = spec.offering()


@planted("losses_have_their_shape")
class OneAxisTooMany(Honest):
    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        return {**losses, "reward": losses["reward"][..., None]}


@planted(
    "losses_are_finite",
    "every_parameter_learns",
    "updates_stay_finite",
    "bfloat16_stays_finite",
    "overfits_one_batch",
    "loss_does_not_look_ahead",
    "episodes_are_forgotten",
    "rows_do_not_mix",
    "same_seed_same_numbers",
    "modes_without_a_generator",
    "saves_bit_by_bit",
)
class DividesByNothing(Honest):
    """Divides by what did not happen."""

    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        return {**losses, "reward": losses["reward"] / batch.valid}


@planted("losses_are_named")
class Misnamed(Honest):
    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        return {"decoder" if k == "draw" else k: v for k, v in losses.items()}


@planted("every_parameter_learns")
class DeadParameter(Honest):
    def __init__(self, spec):
        super().__init__(spec)
        self.forgotten = nn.Linear(self.width, self.width)


@planted("every_parameter_learns")
class CutGradient(Honest):
    """The value head is cut from its loss."""

    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        return {**losses, "value": losses["value"].detach()}


@planted("updates_stay_finite", "every_parameter_learns", "overfits_one_batch", "saves_bit_by_bit")
class ScaleOfNothing(Honest):
    """A running scale that divides by zero when it moves."""

    def after_step(self):
        with torch.no_grad():
            self.prior.weight /= self.start(1).hidden.sum()


@planted("bfloat16_stays_finite")
class RoundsToOne(Honest):
    """log(1 - p), with a p that bfloat16 rounds to 1."""

    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        hidden = self.follow(batch, generator=generator).hidden[:, 1:]
        sure = (8 + 0.1 * self.heads["proceed"](hidden)[..., 0]).sigmoid()
        return {**losses, "proceed": losses["proceed"] - 0.001 * (1 - sure).log().float()}


@planted("overfits_one_batch")
class ChasesNoise(Honest):
    """Its target is drawn anew each time."""

    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        drawn = 100 * self.noise(torch.zeros_like(batch.reward), generator)
        value = (self.head("value", self.follow(batch).hidden[:, 1:]) - drawn).square()
        return {**losses, "value": value * batch.valid}


@dataclasses.dataclass(frozen=True)
class Growing(Memory):
    seen: Tensor  # [B, ever more]


EVERYTHING_WITH_TIME = (
    "losses_have_their_shape",
    "losses_are_finite",
    "losses_are_named",
    "every_parameter_learns",
    "updates_stay_finite",
    "bfloat16_stays_finite",
    "overfits_one_batch",
    "state_is_a_tree",
    "arguments_are_left_alone",
    "null_action_is_accepted",
    "reads_what_it_claims",
    "readings_fit_the_spec",
    "future_does_not_leak",
    "loss_does_not_look_ahead",
    "episodes_are_forgotten",
    "rows_do_not_mix",
    "action_matters",
    "rollout_equals_steps",
    "follow_equals_observing",
    "same_seed_same_numbers",
    "modes_without_a_generator",
    "global_generators_are_untouched",
    "saves_bit_by_bit",
    "acts_inside_the_space",
    "actors_do_not_mix",
)


@planted("state_never_grows", *EVERYTHING_WITH_TIME)
class GrowingState(Honest):
    """A context without an end: nothing that stacks states over time can take it."""

    def start(self, batch):
        return Growing(**vars(super().start(batch)), seen=torch.zeros(batch, 1))

    def advance(self, state, action, input):
        memory = super().advance(state, action, input)
        return Growing(**vars(memory), seen=torch.cat([state.seen, memory.hidden[:, :1]], 1))


@planted("state_never_grows")
class GrowingDtype(Honest):
    """Doubles its size by becoming float64 when stepped."""

    def step(self, state, action, *, generator=None):
        state = super().step(state, action, generator=generator)
        return dataclasses.replace(state, last=state.last.double())

    def advance(self, state, action, input):
        return super().advance(dataclasses.replace(state, last=state.last.float()), action, input)


@planted("state_is_a_tree")
class KnowsItsRow(Honest):
    """What a row believes depends on where in the batch it lies."""

    def advance(self, state, action, input):
        memory = super().advance(state, action, input)
        return dataclasses.replace(memory, hidden=memory.hidden + 0.01 * torch.arange(len(action))[:, None])


@planted("arguments_are_left_alone")
class ReusesItsInput(Honest):
    """Overwrites the plan once it is rolled out."""

    def rollout(self, state, actions, *, generator=None):
        states = super().rollout(state, actions, generator=generator)
        actions.zero_()
        return states


@planted("null_action_is_accepted")
class DividesByTheAction(Honest):
    """Reads a reward per unit of action, and there is none when an episode opens."""

    kind = "vector-discrete"

    def read(self, state, query=None):
        readings = super().read(state, query)
        return {**readings, "reward": readings["reward"] / state.last.abs().sum(-1)}


@planted("reads_what_it_claims")
class ReadsMore(Honest):
    def read(self, state, query=None):
        return {**super().read(state, query), "colour": state.hidden}


@planted("reads_what_it_claims")
class ReadsLess(Honest):
    def read(self, state, query=None):
        readings = super().read(state, query)
        return {k: readings[k] for k in readings if k != "value"}


@planted("readings_fit_the_spec")
class DoubleReward(Honest):
    def read(self, state, query=None):
        return {**super().read(state, query), "reward": self.head("reward", state.hidden).double()}


@planted("readings_fit_the_spec")
class LogitsForProbabilities(Honest):
    def read(self, state, query=None):
        return {**super().read(state, query), "proceed": 3 + self.head("proceed", state.hidden)}


@planted("readings_fit_the_spec")
class WrongNumberSeen(Honest):
    def read(self, state, query=None):
        readings = super().read(state, query)
        return {**readings, "obs": {"state": readings["obs"]["state"][:, 1:]}}


@planted("future_does_not_leak", "loss_does_not_look_ahead", "episodes_are_forgotten", "follow_equals_observing")
class SeesTheWholeClip(Honest):
    """Centres what it sees on the mean over all time, as an attention without a mask would."""

    def follow(self, batch, *, generator=None):
        obs = {k: v - 0.1 * v.mean(1, keepdim=True) for k, v in batch.obs.items()}
        return super().follow(dataclasses.replace(batch, obs=obs), generator=generator)


@planted("loss_does_not_look_ahead")
class PredictsWhatItSaw(Honest):
    """Its loss gives the prediction of an arrival a peek at the reward after it."""

    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        peek = torch.cat([batch.reward[:, 1:], batch.reward[:, -1:]], 1)
        return {**losses, "reward": losses["reward"] + 0.1 * peek.square() * batch.valid}


@planted("episodes_are_forgotten", "follow_equals_observing")
class NeverForgets(Honest):
    """Carries its belief over into the next episode."""

    def follow(self, batch, *, generator=None):
        first = batch.first.clone()
        first[:, 1:] = False
        return WorldModel.follow(self, dataclasses.replace(batch, first=first), generator=generator)


@planted("rows_do_not_mix", "state_is_a_tree", "episodes_are_forgotten")
class MixesRows(Honest):
    """Centres its belief on the mean over the batch."""

    def advance(self, state, action, input):
        memory = super().advance(state, action, input)
        return dataclasses.replace(memory, hidden=memory.hidden - 0.5 * memory.hidden.mean(0, keepdim=True))


@planted("action_matters")
class IgnoresActions(Honest):
    def step(self, state, action, *, generator=None):
        return super().step(state, self.spec.null_action(len(action)), generator=generator)


@planted("action_matters")
class IgnoresOneNumber(Honest):
    def step(self, state, action, *, generator=None):
        return super().step(state, torch.cat([action[:, :-1], action[:, -1:] * 0], 1), generator=generator)


@planted("rollout_equals_steps")
class LateByOne(Honest):
    """Rolls out with every action one step late."""

    def rollout(self, state, actions, *, generator=None):
        return super().rollout(state, torch.cat([actions[:, :1], actions[:, :-1]], 1), generator=generator)


@planted("follow_equals_observing")
class OneActionBehind(Honest):
    """Watches with the action before the one that led here."""

    def follow(self, batch: Batch, *, generator=None):
        action = torch.cat([batch.action[:, :1], batch.action[:, :-1]], 1)
        action = torch.where(batch.valid[..., None] & batch.valid.roll(1, 1)[..., None], action, batch.action)
        return super().follow(dataclasses.replace(batch, action=action), generator=generator)


@planted(
    "same_seed_same_numbers",
    "loss_does_not_look_ahead",
    "episodes_are_forgotten",
    "rows_do_not_mix",
    "saves_bit_by_bit",
)
class CountsItsCalls(Honest):
    """Noise that shrinks with every draw, by a count kept outside the parameters."""

    calls = 0

    def noise(self, x, generator):
        self.calls += 1
        return x if generator is None else x + torch.randn(x.shape, generator=generator) / self.calls


@planted("modes_without_a_generator", "same_seed_same_numbers", "rows_do_not_mix", "saves_bit_by_bit")
class NoisyReading(Honest):
    """Draws from a source of its own."""

    def __init__(self, spec):
        super().__init__(spec)
        self.seed = 0

    def read(self, state, query=None):
        self.seed += 1
        noise = torch.randn(len(state.hidden), generator=torch.Generator().manual_seed(self.seed))
        return {**super().read(state, query), "value": self.head("value", state.hidden) + noise}


@planted("global_generators_are_untouched")
class DrawsGlobally(Honest):
    """Draws from the global generator, even if nothing comes of it."""

    def observe(self, state, action, obs, *, generator=None):
        torch.rand(1)
        return super().observe(state, action, obs, generator=generator)


@planted(
    "global_generators_are_untouched",
    "same_seed_same_numbers",
    "modes_without_a_generator",
    "loss_does_not_look_ahead",
    "episodes_are_forgotten",
    "rows_do_not_mix",
    "saves_bit_by_bit",
)
class GlobalDropout(Honest):
    """Dropout from the global generator, in the loss."""

    def loss(self, batch, *, generator=None):
        losses = super().loss(batch, generator=generator)
        return {**losses, "draw": nn.functional.dropout(losses["draw"], 0.5)}


@planted("saves_bit_by_bit")
class UnsavedConstant(Honest):
    """A random projection that is neither a parameter nor a buffer."""

    def __init__(self, spec):
        super().__init__(spec)
        self.projection = torch.randn(self.width, self.width) / 4

    def read(self, state, query=None):
        return {**super().read(state, query), "latent": state.hidden @ self.projection}


@planted("acts_inside_the_space")
class Unbounded(Actor):
    def act(self, model, state, memory, *, generator=None, explore=False):
        action, memory = super().act(model, state, memory, generator=generator, explore=explore)
        return action + 10, memory


@planted("acts_inside_the_space")
class PlansGrow(Actor):
    """Its memory grows with every action."""

    def act(self, model, state, memory, *, generator=None, explore=False):
        action, memory = super().act(model, state, memory, generator=generator, explore=explore)
        return action, tree.map(lambda x: torch.cat([x, x], 1), memory)


@planted("actors_do_not_mix")
class ActsAsOne(Actor):
    """Normalises what it acts on over the batch."""

    def act(self, model, state, memory, *, generator=None, explore=False):
        state = dataclasses.replace(state, hidden=state.hidden - state.hidden.mean(0))
        return super().act(model, state, memory, generator=generator, explore=explore)
