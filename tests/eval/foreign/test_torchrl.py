"""Models of TorchRL: they keep the contract, imagine what they imagine there, and are scored.

Where tensordict is not installed a little stand-in with the part of its interface that is used takes its place.
"""

import contextlib
import enum
import importlib.util
import sys
import types

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from craik.core import tree
from craik.core.errors import SpecError
from craik.core.spec import Spec
from craik.eval.card.grade import grade
from craik.eval.contract import CONTRACT, check
from craik.eval.foreign.torchrl import of_dreamer, of_world_model
from craik.worlds import make

ASKED = [c.name for c in CONTRACT if c.name not in ("overfits_one_batch", "every_parameter_learns")]
"""Learning is that library's own affair."""


class LittleDict(dict):
    """What is used of `tensordict.TensorDict`: nested keys as tuples, and a batch size."""

    def __init__(self, source, batch_size):
        super().__init__(source)
        self.batch_size = batch_size

    def __getitem__(self, key):
        return super().__getitem__(key) if isinstance(key, str) else super().__getitem__(key[0])[key[1]]

    def __setitem__(self, key, value):
        if isinstance(key, str):
            super().__setitem__(key, value)
        else:
            super().__setitem__(key[0], {**self.get(key[0], {}), key[1]: value})


class Module(nn.Module):
    """`tensordict.nn.TensorDictModule`: writes what a network makes of its `in_keys` to its `out_keys`."""

    def __init__(self, module, in_keys, out_keys):
        super().__init__()
        self.module, self.in_keys, self.all_keys = module, in_keys, out_keys
        self.out_keys = [k for k in out_keys if k != "_"]

    def forward(self, tensordict):
        found = self.module(*[tensordict[k] for k in self.in_keys])
        for key, x in zip(self.all_keys, found if isinstance(found, tuple) else (found,), strict=True):
            if key != "_":
                tensordict[key] = x
        return tensordict


class Chain(nn.Sequential):
    """`tensordict.nn.TensorDictSequential`."""

    @property
    def out_keys(self):
        return [key for module in self for key in module.out_keys]


class Interaction(enum.Enum):
    DETERMINISTIC = 0
    RANDOM = 1


@pytest.fixture(params=["stand-in", "tensordict"])
def modules(request, monkeypatch):
    """`tensordict.nn`, or what stands in for it."""
    if request.param == "tensordict":
        return pytest.importorskip("tensordict.nn")
    there = types.ModuleType("tensordict")
    there.TensorDict = LittleDict
    nn_there = types.ModuleType("tensordict.nn")
    nn_there.TensorDictModule, nn_there.TensorDictSequential = Module, Chain
    nn_there.InteractionType, nn_there.set_interaction_type = Interaction, lambda way: contextlib.nullcontext()
    monkeypatch.setitem(sys.modules, "tensordict", there)
    monkeypatch.setitem(sys.modules, "tensordict.nn", nn_there)
    return nn_there


class Joined(nn.Module):
    """A network of several inputs beside one another."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, *inputs):
        return self.net(torch.cat(inputs, -1))


def world_model(modules, numbers: int, actions: int, width: int = 6):
    """`torchrl.modules.WorldModel` (torchrl/modules/tensordict_module/world_models.py), made of its published parts."""
    m = modules.TensorDictModule
    encoder = m(nn.Linear(numbers, width), ["observation"], ["latent"])
    dynamics = m(
        Joined(nn.Sequential(nn.Linear(width + actions, width), nn.Tanh())), ["latent", "action"], [("next", "latent")]
    )
    reward = m(nn.Linear(width, 1), [("next", "latent")], [("next", "reward")])
    done = m(nn.Sequential(nn.Linear(width, 1), nn.Sigmoid()), [("next", "latent")], [("next", "done")])
    decoder = m(nn.Linear(width, numbers), ["latent"], ["reconstructed"])
    step = modules.TensorDictSequential(dynamics, reward, done, decoder)
    return types.SimpleNamespace(encoder=encoder, decoder=decoder, step_module=step)


class Prior(nn.Module):
    """`RSSMPrior` (torchrl/modules/models/model_based.py): mean, spread, a draw, and the belief."""

    def __init__(self, actions: int, state: int, belief: int):
        super().__init__()
        self.rnn, self.mean = nn.GRUCell(state + actions, belief), nn.Linear(belief, state)

    def forward(self, state, belief, action):
        belief = self.rnn(torch.cat([state, action], -1), belief)
        mean = self.mean(belief)
        return mean, torch.ones_like(mean), mean + torch.randn_like(mean), belief


class Posterior(nn.Module):
    """`RSSMPosterior`: mean, spread and a draw."""

    def __init__(self, embedded: int, state: int, belief: int):
        super().__init__()
        self.mean = nn.Linear(belief + embedded, state)

    def forward(self, belief, embedding):
        mean = self.mean(torch.cat([belief, embedding], -1))
        return mean, torch.ones_like(mean), mean + torch.randn_like(mean)


def dreamer(modules, numbers: int, actions: int, drawn: bool = False):
    """The parts of sota-implementations/dreamer; its state is the mean, or with `drawn` a draw."""
    m, state, belief = modules.TensorDictModule, 3, 5
    prior, posterior = Prior(actions, state, belief), Posterior(4, state, belief)
    kept, given = (["_", "_", "state"], ["state", "_", "_"])[:: 1 if drawn else -1][0], ["state", "belief", "action"]
    dream = modules.TensorDictSequential(
        m(prior, given, [*kept, "belief"]), m(Joined(nn.Linear(state + belief, 1)), ["state", "belief"], ["reward"])
    )
    env = types.SimpleNamespace(world_model=dream, prior_shape=(state,), belief_shape=(belief,), obs_decoder=None)
    seen = [("next", k) if k != "_" else k for k in kept]
    return (
        env,
        m(nn.Linear(numbers, 4), [("next", "observation")], [("next", "encoded_latents")]),
        m(prior, given, ["_", "_", "_", ("next", "belief")]),
        m(posterior, [("next", "belief"), ("next", "encoded_latents")], seen),
    )


SPEC = Spec.of(spaces.Box(-np.inf, np.inf, (5,), np.float32), spaces.Box(-2, 2, (2,), np.float32))
SEEN = {"observation": "state"}


def adapted(modules, kind: str, spec: Spec = SPEC, drawn: bool = False):
    torch.manual_seed(0)
    numbers, actions = spec.obs["state"].shape[0], spec.action.shape[0]
    if kind == "world model":
        parts = world_model(modules, numbers, actions)
        return of_world_model(parts, spec, 6, SEEN, drawn={"state": "reconstructed"})
    return of_dreamer(*dreamer(modules, numbers, actions, drawn), spec, seen=SEEN)


@pytest.mark.parametrize("kind", ["world model", "dreamer"])
def test_the_contract_is_kept(modules, kind):
    report = check(adapted(modules, kind), build=lambda: (adapted(modules, kind), None), clauses=ASKED)
    assert not report.broken, str(report)


def test_what_a_module_draws_is_drawn_by_the_seed(modules):
    model = adapted(modules, "dreamer", drawn=True)
    report = check(model, clauses=["same_seed_same_numbers", "modes_without_a_generator", "rows_do_not_mix"])
    assert not set(report.broken) - {"rows_do_not_mix"}, str(report)
    state = model.start(4)
    before = torch.get_rng_state()
    one, two = (
        model.step(state, torch.zeros(4, 2), generator=torch.Generator().manual_seed(s)).held["state"] for s in (1, 2)
    )
    assert (one != two).all()
    assert torch.equal(before, torch.get_rng_state())


@torch.no_grad()
def test_a_world_model_imagines_what_it_imagines_there(modules):
    model = adapted(modules, "world model")
    obs, plan = torch.randn(3, 5), torch.rand(3, 4, 2) * 4 - 2
    state = model.observe(model.start(3), SPEC.null_action(3), {"state": obs})
    read = model.read(tree.merge(model.rollout(state, plan)))
    z = model.see.module(obs)
    for t, action in enumerate((plan / 2).unbind(1)):
        z = torch.tanh(model.ahead[0].module.net[0](torch.cat([z, action], -1)))
        torch.testing.assert_close(read["latent"].unflatten(0, (3, -1))[:, t], z)
        torch.testing.assert_close(read["reward"].unflatten(0, (3, -1))[:, t], model.ahead[1].module(z)[:, 0])
        torch.testing.assert_close(read["proceed"].unflatten(0, (3, -1))[:, t], 1 - model.ahead[2].module(z)[:, 0])
        torch.testing.assert_close(read["obs"]["state"].unflatten(0, (3, -1))[:, t], model.decode.module(z))


@torch.no_grad()
def test_a_dreamer_begins_with_no_belief_and_goes_on_with_one(modules):
    model = adapted(modules, "dreamer")
    first, second, action = torch.randn(3, 5), torch.randn(3, 5), torch.rand(3, 2) * 4 - 2
    seen = model.observe(model.start(3), SPEC.null_action(3), {"state": first})
    encoder, prior, posterior = (part.module for part in model.see)
    state = posterior(torch.zeros(3, 5), encoder(first))[0]
    torch.testing.assert_close(seen.held, {"state": state, "belief": torch.zeros(3, 5)})
    belief = prior(state, torch.zeros(3, 5), action / 2)[3]
    after = model.observe(seen, action, {"state": second})
    torch.testing.assert_close(after.held, {"state": posterior(belief, encoder(second))[0], "belief": belief})
    dreamt = model.step(seen, action)
    torch.testing.assert_close(dreamt.held, {"state": prior.mean(belief), "belief": belief})


def test_what_is_not_written_is_said(modules):
    parts = world_model(modules, 5, 2)
    parts.encoder.out_keys = ["z"]
    with pytest.raises(SpecError, match="latent"):
        of_world_model(parts, SPEC, 6, SEEN)


def test_it_is_scored(modules):
    world = make("craik/Rooms-v0")
    spec = Spec.of(world.single_observation_space, world.single_action_space)
    told = grade(adapted(modules, "world model", spec), "craik/Rooms-v0", axes="SA")
    assert told.instrument == "told"
    probed = grade(adapted(modules, "dreamer", spec), "craik/Rooms-v0", axes="SA")
    assert probed.instrument == "probed"
    for card in (told, probed):
        assert np.isfinite(card["state.err@8:ar"].mean)
        assert 0 <= card["act.retrieval@4,8:ar"].mean <= 1


@pytest.mark.skipif(importlib.util.find_spec("torchrl") is None, reason="torchrl is not installed")
@torch.no_grad()
def test_the_real_classes_imagine_the_same():
    from tensordict import TensorDict
    from tensordict import nn as there
    from torchrl.data import Unbounded
    from torchrl.envs import DreamerEnv
    from torchrl.modules import RSSMPosterior, RSSMPrior, WorldModel, WorldModelWrapper

    torch.manual_seed(0)
    parts = world_model(there, 5, 2)
    dynamics, reward, done, _ = parts.step_module
    real = WorldModel(parts.encoder, dynamics, reward, done_head=done, decoder=parts.decoder)
    model = of_world_model(real, SPEC, 6, SEEN, drawn={"state": "reconstructed"})
    obs, action = torch.randn(3, 5), torch.rand(3, 2) * 4 - 2
    theirs = real.step(real.encode(TensorDict({"observation": obs, "action": action / 2}, [3])))["next"]
    seen = model.observe(model.start(3), SPEC.null_action(3), {"state": obs})
    read = model.read(model.step(seen, action))
    torch.testing.assert_close(read["latent"], theirs["latent"])
    torch.testing.assert_close(read["reward"], theirs["reward"][:, 0])

    m = there.TensorDictModule
    prior = RSSMPrior(Unbounded((2,)), 7, 7, 3, action_dim=2)
    posterior = RSSMPosterior(7, 3, rnn_hidden_dim=7, obs_embed_dim=4)
    step = m(prior, ["state", "belief", "action"], ["state", "_", "_", "belief"])
    pays = m(Joined(nn.Linear(10, 1)), ["state", "belief"], ["reward"])
    env = DreamerEnv(WorldModelWrapper(step, pays), (3,), (7,))
    dream = of_dreamer(
        env,
        m(nn.Linear(5, 4), [("next", "observation")], [("next", "encoded_latents")]),
        m(prior, ["state", "belief", "action"], ["_", "_", "_", ("next", "belief")]),
        m(posterior, [("next", "belief"), ("next", "encoded_latents")], [("next", "state"), "_", "_"]),
        SPEC,
        seen=SEEN,
    )
    seen = dream.observe(dream.start(3), SPEC.null_action(3), {"state": obs})
    theirs = env.world_model(TensorDict({**seen.held, "action": action / 2}, [3]))
    ours = dream.step(seen, action)
    torch.testing.assert_close(ours.held, {k: theirs[k] for k in ("state", "belief")})
    torch.testing.assert_close(ours.reward, theirs["reward"][:, 0])
    report = check(dream, clauses=ASKED)
    assert not report.broken, str(report)
