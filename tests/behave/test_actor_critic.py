"""The imagination actor-critic beside a plain retelling, and on a model in which the best action is known."""

import dataclasses

import torch
from gymnasium import spaces
from torch import Tensor, nn

from craik.behave.actor_critic import ActorCritic
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.nets.mlp import MLP
from craik.parts.actions.vector import ActionVector
from craik.parts.heads.actors import BoundedNormal, MixedChoices
from craik.parts.heads.numbers import TwoHot

BOX = spaces.Box(-1, 1, (1,))


@dataclasses.dataclass(frozen=True)
class Place(State):
    x: Tensor  # [B, 1]


def bumps(x: Tensor) -> Tensor:
    """A place [..., 1] as 15 numbers, each high near a place of its own."""
    return torch.exp(-2 * (x - torch.linspace(-3, 4, 15)).square())


class Line(WorldModel[Place]):
    """A place on a line: actions move it, the reward is high at 1, and it ends beyond 3."""

    def __init__(self, action: spaces.Space):
        super().__init__(Spec.of(spaces.Box(-9, 9, (1,)), action, ("reward", "proceed", "latent")))
        self.anchor = nn.Parameter(torch.zeros(()))

    def start(self, batch):
        return Place(torch.zeros(batch, 1))

    def observe(self, state, action, obs, *, generator=None):
        return Place(obs["state"])

    def step(self, state, action, *, generator=None):
        move = action if action.is_floating_point() else (action[:, None].float() - 1)
        return Place(state.x + 0.5 * move)

    def read(self, state, query=None):
        x = state.x[:, 0]
        return {
            "reward": 3 - (x - 1).abs(),
            "proceed": (x < 3).float(),
            "latent": bumps(state.x),
        }

    def loss(self, batch, *, generator=None):
        return {"none": self.anchor.square()}


def batch_of(rows=4, arrivals=3, seed=0, space=BOX) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    first = torch.zeros(rows, arrivals + 1, dtype=torch.bool)
    first[:, 0] = True
    return Batch(
        {"state": torch.rand(rows, arrivals + 1, 1, generator=generator) * 4 - 2},
        torch.stack([Spec.of(spaces.Dict(), space).null_action(rows)] * arrivals, 1),
        torch.rand(rows, arrivals, generator=generator),
        torch.zeros(rows, arrivals, dtype=torch.bool),
        first,
    )


def make(space: spaces.Space, **changes) -> tuple[Line, ActorCritic]:
    torch.manual_seed(0)
    vector = ActionVector(space)
    net = MLP(15, [32], vector.size * (2 if vector.continuous else 1), nn.LayerNorm)
    actor = BoundedNormal(net) if vector.continuous else MixedChoices(net, vector.sizes)
    critic = TwoHot(15, units=32, depth=1, bins=63, norm=nn.LayerNorm)
    return Line(space), ActorCritic(vector, actor, critic, **{"horizon": 5, "discount": 0.9, **changes})


def test_twin_of_the_losses():
    model, agent = make(BOX)
    for p in agent.critic.parameters():  # the critic begins at zero; give it and its average something to say
        nn.init.normal_(p, std=0.1)
    batch = batch_of()
    got = agent.loss(model, batch, generator=torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    states, vectors = [batch.obs["state"].flatten(0, 1)], []
    for _ in range(5):
        vectors.append(agent.actor.act(model.read(Place(states[-1]))["latent"], generator).detach())
        states.append(states[-1] + 0.5 * vectors[-1].clamp(-1, 1))
    x = torch.stack(states, 1)  # [N, H+1, 1]
    latent = bumps(x)
    values = agent.critic.mean(latent).detach()
    go_on = 0.9 * (x[..., 0] < 3).float()
    returns = torch.zeros(len(x), 5)
    ahead = values[:, 5]
    for t in reversed(range(5)):
        reward = 3 - (x[:, t + 1, 0] - 1).abs()
        ahead = reward + go_on[:, t + 1] * (0.05 * values[:, t + 1] + 0.95 * ahead)
        returns[:, t] = ahead
    weight = torch.ones(len(x), 5)
    weight[:, 0] = (x[:, 0, 0] < 3).float()
    for t in range(1, 5):
        weight[:, t] = weight[:, t - 1] * go_on[:, t]
    sorted_returns = returns.flatten().sort().values
    spread = 0.01 * (torch.quantile(sorted_returns, 0.95) - torch.quantile(sorted_returns, 0.05))
    mean, raw = agent.actor.net(latent[:, :5]).chunk(2, -1)
    normal = torch.distributions.Normal(mean.tanh(), 0.1 + 0.9 * torch.sigmoid(raw + 2))
    likelihood = normal.log_prob(torch.stack(vectors, 1))[..., 0]
    advantage = (returns - values[:, :5]) / max(1.0, float(spread))
    plain = -(weight * (likelihood * advantage + 3e-4 * normal.entropy()[..., 0])).mean()
    assert torch.allclose(got["actor"], plain, atol=1e-5)
    both = agent.critic.loss(latent[:, :5], returns) + agent.critic.loss(latent[:, :5], agent.slow.mean(latent[:, :5]))
    assert torch.allclose(got["critic"], (weight * both).mean(), atol=1e-4)


def test_replayed_returns_stop_where_an_episode_ends():
    """A reward of the next episode, or beyond a final arrival, changes no return before it."""
    model, agent = make(BOX, lam=1.0)
    batch = batch_of(rows=1, arrivals=6)
    first = batch.first.clone()
    first[0, 4] = True
    batch = dataclasses.replace(batch, first=first)
    targets = []
    agent.value_loss = lambda latent, target: targets.append(target) or target  # type: ignore[method-assign]
    for reward in (batch.reward, batch.reward + torch.tensor([0.0, 0, 0, 0, 9, 9])):
        agent.loss(model, dataclasses.replace(batch, reward=reward), generator=torch.Generator().manual_seed(0))
    replayed = targets[1::2]
    assert torch.equal(replayed[0][:, :3], replayed[1][:, :3])
    assert not torch.equal(replayed[0][:, 4:], replayed[1][:, 4:])


def test_it_learns_to_go_where_the_reward_is():
    for space in (BOX, spaces.Discrete(3)):
        model, agent = make(space)
        optimiser = torch.optim.Adam([p for p in agent.parameters() if p.requires_grad], 1e-2)
        generator = torch.Generator().manual_seed(0)
        for i in range(120):
            losses = agent.loss(model, batch_of(16, 3, i, space), generator=generator)
            optimiser.zero_grad()
            sum(losses.values()).backward()
            optimiser.step()
            agent.after_step()
        state = Place(torch.tensor([[-1.5], [-1.0], [0.5], [2.0]]))
        for _ in range(8):
            state = model.step(state, agent.act(model, state, agent.start(4))[0])
        assert ((state.x - 1).abs() < 0.5).all()


def test_the_loss_changes_nothing_and_after_step_moves_the_averages():
    model, agent = make(spaces.Discrete(3))
    before = {k: v.clone() for k, v in agent.state_dict().items()}
    agent.loss(model, batch_of(space=model.spec.action), generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(v, before[k]) for k, v in agent.state_dict().items())
    with torch.no_grad():
        agent.critic.net.out.bias += 1
    agent.after_step()
    assert torch.allclose(agent.slow.net.out.bias, torch.full((63,), 0.02))
    assert agent.spread[1] > agent.spread[0]
