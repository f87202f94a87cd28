"""A small standard policy that learns inside a model, and is the same for every model: what it sees is what is read."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import skip_init

from craik.core import tree
from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, Probed
from craik.eval.card.judge import worth
from craik.eval.card.subject import Subject
from craik.parts.actions.vector import ActionVector

FAR = 5.0
"""A number that is read counts at most so many standard deviations from the middle."""

RIDGE = 0.1
"""Penalty of the baseline's weights."""


@dataclasses.dataclass(frozen=True)
class Practice:
    """How much is imagined, the same for every model: `dreams * steps * rounds` steps in all.

    Attributes:
        dreams: at once, each from another lesson (fewer, if there are fewer).
        steps: of a dream.
        rounds: of dreaming and learning.
        epochs: updates a round.
        hidden: units of the policy.
        rate: of Adam.
        clip: of the likelihood ratio (Schulman et al. 2017, eq. 7).
        lam: of advantages (Schulman et al. 2016, eq. 16; nothing is discounted).
        spread: standard deviation of actions in numbers at the beginning, in halves of their range.
        shown: rounds after which the policy is kept, beside the last.
    """

    dreams: int = 64
    steps: int = 24
    rounds: int = 20
    epochs: int = 8
    hidden: int = 32
    rate: float = 1e-2
    clip: float = 0.2
    lam: float = 0.95
    spread: float = 0.6
    shown: tuple[int, ...] = (5, 10, 15)

    @property
    def imagined(self) -> int:
        """Steps in all."""
        return self.dreams * self.steps * self.rounds


class Senses:
    """What a policy is told of a belief: the state as an instrument reads it, and how far the goal is from that.

    All in standard deviations of what is the case in the lessons; what cannot be read is 0.

    Args:
        subject: whose beliefs.
        reader: reads a full state off them.
        lessons: say what is usual.
    """

    def __init__(self, subject: Subject, reader: Instrument, lessons: Exam):
        self.subject, self.reader = subject, reader
        usual = reader.truth(lessons)
        self.middle = np.nan_to_num(np.nanmean(usual, (0, 1)))
        std = np.nan_to_num(np.nanstd(usual, (0, 1)))
        self.std = np.where(std > 1e-6, std, np.inf)

    def goal(self, exam: Exam) -> np.ndarray | None:
        """[E, S] the goals of an exam as they would be read; None in worlds without."""
        if not exam.world.HAS_GOAL:
            return None
        return self.reader.truth(dataclasses.replace(exam, states=exam.world.goal[:, None, None]))[:, 0]

    def __call__(self, belief: State, goal: np.ndarray | None) -> Tensor:
        """[N, D] of N beliefs."""
        read = self.reader.read(self.subject, tree.map(lambda x: x[:, None], belief))[:, 0]
        parts = [read - self.middle] + ([goal - read] if goal is not None else [])
        told = [np.clip(np.nan_to_num(x / self.std), -FAR, FAR) for x in parts]
        return torch.as_tensor(np.concatenate(told, 1)).float()


class Pupil(nn.Module):
    """A policy with one hidden layer: normal about a tanh for actions in numbers, else categorical.

    Args:
        vector: of the action space.
        inputs: D.
        practice: says how large it is.
        generator: of its first weights.
    """

    def __init__(self, vector: ActionVector, inputs: int, practice: Practice, generator: torch.Generator):
        super().__init__()
        self.vector = vector
        self.first, self.last = (
            skip_init(nn.Linear, *size) for size in ((inputs, practice.hidden), (practice.hidden, vector.size))
        )
        for layer, gain in ((self.first, 1.0), (self.last, 0.1)):
            nn.init.normal_(layer.weight, std=gain / layer.in_features**0.5, generator=generator)
            nn.init.zeros_(layer.bias)
        self.spread = nn.Parameter(torch.full((vector.size,), practice.spread).log())

    def forward(self, told: Tensor) -> Tensor:
        """[..., D] -> action vectors [..., A]: the mode of numbers, the logits of choices."""
        out = self.last(torch.tanh(self.first(told)))
        return torch.tanh(out) if self.vector.continuous else out

    def draw(self, told: Tensor, generator: torch.Generator) -> Tensor:
        """Action vectors [N, A], at random."""
        mode = self(told)
        if self.vector.continuous:
            return (
                mode + self.spread.exp() * torch.randn(mode.shape, generator=generator, device=generator.device).cpu()
            )
        uniform = torch.rand(mode.shape, generator=generator, device=generator.device).cpu().clamp(1e-7, 1 - 1e-6)
        parts = (mode - (-uniform.log()).log()).split(self.vector.sizes, -1)
        return torch.cat([F.one_hot(x.argmax(-1), x.shape[-1]).float() for x in parts], -1)

    def likelihood(self, told: Tensor, drawn: Tensor) -> Tensor:
        """[...] the logarithm of how likely these action vectors [..., A] are."""
        mode = self(told)
        if self.vector.continuous:
            return torch.distributions.Normal(mode, self.spread.exp()).log_prob(drawn).sum(-1)
        parts = zip(mode.split(self.vector.sizes, -1), drawn.split(self.vector.sizes, -1))
        return torch.stack([(x.log_softmax(-1) * hot).sum(-1) for x, hot in parts]).sum(0)


@dataclasses.dataclass(frozen=True)
class Learned:
    """A policy that has learned so far.

    Attributes:
        senses: what it is told.
        pupil: what it does about it.
    """

    senses: Senses
    pupil: Pupil

    @torch.no_grad()
    def act(self, belief: State, goal: np.ndarray | None) -> Tensor:
        """What it does: actions [N, ...], the likeliest."""
        vector = self.pupil(self.senses(belief, goal))
        return self.pupil.vector.invert(vector).to(self.senses.subject.model.device)


def reader_for(subject: Subject, instrument: Instrument | None, lessons: Exam) -> Instrument | None:
    """What reads full states off a model: its instrument, or a probe of its latent where that is none; None else."""
    if instrument is not None and instrument.whole:
        return instrument
    return Probed(subject, lessons, lessons.scale) if "latent" in subject.model.spec.reads else None


@torch.no_grad()
def dream(
    learned: Learned, exam: Exam, steps: int, generator: torch.Generator, explore: bool
) -> tuple[np.ndarray, Tensor, Tensor]:
    """What a policy dreams from the moments of an exam.

    Args:
        learned: the policy, and in what it dreams.
        exam: lends the moments.
        steps: H.
        generator: of what the model draws, and the policy if it explores.
        explore: whether the policy draws, or does what is likeliest.

    Returns:
        Rewards [E, H] that the model says, or the world of what is read; what the policy was told [E, H, D]; and what
        it did, action vectors [E, H, A].
    """
    senses, pupil = learned.senses, learned.pupil
    subject, belief, goal = senses.subject, senses.subject.believe(exam), senses.goal(exam)
    states: list[State] = []
    actions: list[Tensor] = []
    told: list[Tensor] = []
    drawn: list[Tensor] = []
    for _ in range(steps):
        seen = senses(belief, goal)
        vector = pupil.draw(seen, generator) if explore else pupil(seen)
        action = pupil.vector.invert(vector).to(subject.model.device)
        belief = subject.model.step(belief, action, generator=generator)
        states.append(belief)
        for kept, now in ((actions, action), (told, seen), (drawn, vector)):
            kept.append(now)
    paid = worth(subject, exam, senses.reader, tree.stack(states, 1), torch.stack(actions, 1))
    return paid, torch.stack(told, 1), torch.stack(drawn, 1)


def learn(subject: Subject, reader: Instrument, lessons: Exam, practice: Practice, seed: int = 0) -> dict[int, Learned]:
    """A policy that learns in a model from the moments of `lessons`, by the rounds after which it is kept.

    Proximal policy optimisation (Schulman et al. 2017, eq. 7) of what is earned in a dream. The baseline is a ridge
    regression on what the policy is told and on time (Duan et al. 2016, section 4), fitted anew each round.
    """
    generator, rng = torch.Generator(subject.model.device).manual_seed(seed), np.random.default_rng(seed)
    senses, vector = Senses(subject, reader, lessons), ActionVector(subject.model.spec.action)
    inputs = len(senses.middle) * (2 if lessons.world.HAS_GOAL else 1)
    pupil = Pupil(vector, inputs, practice, torch.Generator().manual_seed(seed))
    learned, optimiser = Learned(senses, pupil), torch.optim.Adam(pupil.parameters(), lr=practice.rate)
    kept = {}
    for done in range(1, practice.rounds + 1):
        rows = rng.permutation(len(lessons.states))[: practice.dreams]
        paid, told, drawn = dream(learned, lessons.part(rows), practice.steps, generator, explore=True)
        better = advantages(paid, told.numpy(), practice.lam)
        if better is not None:
            improve(pupil, optimiser, told, drawn, torch.as_tensor(better).float(), practice)
        if done in (*practice.shown, practice.rounds):
            kept[done] = Learned(senses, copy.deepcopy(pupil).eval())
    return kept


def improve(
    pupil: Pupil, optimiser: torch.optim.Optimizer, told: Tensor, drawn: Tensor, better: Tensor, practice: Practice
) -> None:
    """One round of learning from actions [N, H, A], what was told before them [N, H, D] and their advantages [N, H]."""
    with torch.no_grad():
        before = pupil.likelihood(told, drawn)
    for _ in range(practice.epochs):
        ratio = (pupil.likelihood(told, drawn) - before).exp()
        held = ratio.clamp(1 - practice.clip, 1 + practice.clip)
        optimiser.zero_grad()
        (-torch.minimum(ratio * better, held * better).mean()).backward()
        optimiser.step()


def advantages(paid: np.ndarray, told: np.ndarray, lam: float) -> np.ndarray | None:
    """[N, H] how much better than usual it went on after each action, in standard deviations; None if all is alike."""
    steps = paid.shape[1]
    time = np.broadcast_to(np.arange(steps) / steps, paid.shape)[..., None]
    x = np.concatenate([told, told**2, time, time**2, np.ones_like(time)], -1)
    later = paid[:, ::-1].cumsum(1)[:, ::-1]
    flat = x.reshape(-1, x.shape[-1])
    weight = np.linalg.solve(flat.T @ flat + RIDGE * np.eye(flat.shape[1]), flat.T @ later.reshape(-1))
    value = np.concatenate([x @ weight, np.zeros((len(paid), 1))], 1)
    surprise = paid + value[:, 1:] - value[:, :-1]
    found, ahead = np.zeros_like(paid), np.zeros(len(paid))
    for t in reversed(range(steps)):
        ahead = surprise[:, t] + lam * ahead
        found[:, t] = ahead
    spread = found.std()
    return (found - found.mean()) / spread if later.std() > 1e-9 and spread > 1e-9 else None
