"""Axis L: the truth in words is perfect, each way of speaking wrongly shows where it should, and words cost nothing."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.state import State
from craik.eval.card.action import action_scores
from craik.eval.card.captions import caption_scores, edits, paired
from craik.eval.card.decisions import Budget, decision_scores
from craik.eval.card.exam import sit
from craik.eval.card.grade import grade
from craik.eval.card.instrument import UNSAID, Spoken, Told, instrument_for
from craik.eval.card.language import Asked, Speech, agree, binding, language_scores, pairs, text_scores, usual
from craik.eval.card.state import state_scores
from craik.eval.card.subject import Subject
from craik.eval.card.surprise import surprise
from craik.eval.pretend import Frozen, IgnoredActions
from craik.eval.pretenders.clothes import InLatent
from craik.eval.pretenders.known import pretenders
from craik.eval.pretenders.memory import Straight
from craik.eval.pretenders.words import Babbler, Forgetful, InText, Literal, Stubborn, Swapped
from craik.worlds.oracle import Oracle
from tests.eval.card.faults import named

STORY, PADDLE = "craik/Story-v0", "craik/Paddle-v0"
WORDED = (STORY, PADDLE, "craik/Tiles-v0", "craik/Levers-v0")
FAULTS = (Forgetful, Stubborn, Babbler, Swapped)


def exam_in(world, num=16, **settings):
    return sit(world, num, seed=2_000_001, horizon=8, views=("state", "text"), **settings)


@pytest.fixture(scope="module")
def exam():
    return exam_in(STORY)


def spoken(make, exam):
    return named(text_scores(Subject(make(Oracle.of(exam.id))), exam))


@pytest.fixture(scope="module")
def found(exam):
    return {make: spoken(make, exam) for make in (InText, *FAULTS)}


@pytest.mark.parametrize("world", WORDED)
def test_the_truth_in_words_is_perfect(world):
    exam = exam_in(world, 8)
    rows = spoken(InText, exam)
    for step in (1, 8):
        for name in ("exact", "f1", "f1.action", "binding"):
            assert rows[f"lang.{name}@{step}"].mean == 1, name
            assert rows[f"lang.{name}@{step}"].floor.mean() == 1, name
        for name in ("false_change", "silence"):
            assert rows[f"lang.{name}@{step}"].mean == 0, name
        for name in ("exact", "f1", "f1.action"):
            assert rows[f"lang.{name}@{step}"].null < 1, name
    assert ("lang.paraphrase@1" in rows) == (world == STORY)


def test_facts_change_for_the_reasons_that_the_world_gives(exam):
    world = exam.world
    now, true = (world.understand(world.look("text", s, world.factors)) for s in (world.state, exam.states[:, 1, 0]))
    waited, _ = world.move(world.state, world.effort(np.full(16, world.IDLE)), world.factors)
    idle = world.understand(world.look("text", waited, world.factors))
    asked = Asked(Speech(now[:, None], true[:, None]), idle[:, None], pairs(world))
    why = world.changes(world.state, exam.states[:, 1, 0])
    np.testing.assert_array_equal(asked.by_action[:, 0], why == 1)
    np.testing.assert_array_equal((asked.changed & ~asked.by_action)[:, 0], why == 2)
    assert {0, 1, 2} <= set(why.reshape(-1).tolist())


@pytest.mark.parametrize("step", [1, 8])
def test_each_way_of_speaking_wrongly_shows_where_it_should_and_nowhere_else(found, step):
    right = {
        "silence": (0, 0),
        "false_change": (0, 0),
        "f1.action": (1, 1),
        "f1.environment": (1, 1),
        "binding": (0.9, 1),
    }
    wrong = {
        InText: {},
        Forgetful: {"silence": (0.15, 0.25)},
        Stubborn: {"f1.action": (0, 0), "f1.environment": (0, 0)},
        Babbler: {"false_change": (0.15, 0.3)},
        # Two that are mixed up and of which one changes: the other seems to, from then on.
        Swapped: {"binding": (0.5, 0.75), "false_change": (0, 0.1)},
    }
    for make, rows in found.items():
        for name, (low, high) in (right | wrong[make]).items():
            value = rows[f"lang.{name}@{step}"].mean
            assert low - 1e-9 <= value <= high + 1e-9, (make.__name__, name, value)
        assert (rows[f"lang.exact@{step}"].mean < 1) == (make is not InText)
        assert (rows[f"lang.f1@{step}"].mean < 1) == (make is not InText)


@pytest.mark.parametrize("world", WORDED[1:])
def test_who_clings_or_leaves_out_is_caught_wherever_there_are_words(world):
    exam = exam_in(world, 8)
    stubborn, forgetful, babbler = (spoken(make, exam) for make in (Stubborn, Forgetful, Babbler))
    assert stubborn["lang.f1.action@1"].mean == 0
    assert stubborn["lang.false_change@1"].mean == 0
    assert forgetful["lang.silence@1"].mean > 0.1
    assert babbler["lang.false_change@1"].mean > 0.1


def test_who_understands_one_wording_only_is_found_out(exam, found):
    literal = spoken(Literal, exam)
    assert found[InText]["lang.paraphrase@1"].mean == 1
    assert literal["lang.f1@1"].mean == 1
    assert literal["lang.paraphrase@1"].mean < 0.95


def test_a_pair_is_bound_rightly_wrongly_or_not_at_all(exam):
    which = pairs(exam.world)[:1]
    true = np.zeros((2, 1, len(exam.world.FACTS)))
    true[0, 0, which[0]] = 1, 2
    asked = Asked(Speech(true, true), true, which)
    for told, value in (((1, 2), 1), ((2, 1), 0), ((3, 3), 0.5), ((1, np.nan), 1), ((np.nan, 1), 0), ((1, 1), 0.5)):
        ours = true.copy()
        ours[0, 0, which[0]] = told
        values, weights = binding(Speech(true, ours), asked)
        assert values[0] == value, told
        assert weights.tolist() == [1, 0]  # of the other moment both are alike: nothing to mix up


def test_what_is_usual_is_counted_with_silence():
    told = np.array([[[1.0, np.nan, 3]], [[1, np.nan, 4]], [[2, 0, 4]]])
    np.testing.assert_array_equal(usual(told), [[[1, np.nan, 4]]])
    assert agree(usual(told), np.array([1, np.nan, 4])).all()


@pytest.mark.parametrize("world", WORDED)
def test_words_cost_nothing_but_what_they_leave_out(world):
    """T2: the same A and D as the oracle told, and S at the floor of the instrument."""
    exam = exam_in(world, 8)
    told, heard = Subject(Oracle.of(world)), Subject(InText(Oracle.of(world)))
    instrument = instrument_for(heard, exam, exam)
    assert isinstance(instrument, Spoken)
    assert instrument.whole == (world in (STORY, PADDLE))
    for score in state_scores(heard, exam, instrument, []):
        assert score.mean == pytest.approx(score.floor.mean(), abs=1e-9), score.id
        assert score.mean < 0.01 or score.more, score.id
    rows = {s.id: s for s in action_scores(heard, exam, instrument, [])}
    for score in action_scores(told, exam, Told(exam), []):
        floor = rows[score.id].floor.mean()
        assert rows[score.id].mean == pytest.approx(floor, abs=0.002), score.id
        assert floor == pytest.approx(score.mean, abs=0.002 if instrument.whole else 0.15), score.id
    budget = Budget(tasks=4, steps=3, horizon=3, every=2, candidates=8, rounds=1)
    one, other = (decision_scores(s, exam, i, [], budget) for s, i in ((told, Told(exam)), (heard, instrument)))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.values, b.values, atol=1e-6, err_msg=a.id)


def test_silence_never_pays(exam):
    subject = Subject(Forgetful(Oracle.of(STORY), 1.0))
    instrument = Spoken(exam)
    read = instrument.read(subject, subject.dream(subject.believe(exam), exam.actions[:, 0]))
    true = instrument.truth(exam)
    np.testing.assert_array_equal(instrument.error(np.full_like(read, np.nan), true), UNSAID)
    still = Subject(Stubborn(Oracle.of(STORY)))
    frozen = instrument.read(still, still.dream(still.believe(exam), exam.actions[:, 0]))
    assert (instrument.error(read, true) > instrument.error(frozen, true)).mean() > 0.9


def test_words_surprise_by_what_they_mean(exam):
    oracle, frozen = (surprise(Subject(make(Oracle.of(STORY))), exam) for make in (InText, Stubborn))
    np.testing.assert_array_equal(oracle, 0)
    assert frozen.mean() > 0.05


def test_captions_tell_what_was_done(exam):
    told, scale = Told(exam), exam.scale
    nulls = [(Subject(make(Oracle.of(STORY)), make.__name__), told) for make in (Frozen, IgnoredActions, Straight)]
    (right,) = caption_scores(Subject(Oracle.of(STORY)), exam, told, nulls)
    assert right.mean == right.floor.mean() == right.normalised == 1
    assert all(values[np.isfinite(values)].tolist() == [0.5] * right.n for values in list(right.nulls.values())[:3])
    knows = Subject(InLatent(Oracle.of(STORY), scale, 64))
    lessons = sit(STORY, 48, seed=3, horizon=8, futures=1, views=("state",))
    (probed,) = caption_scores(knows, exam, instrument_for(knows, exam, lessons), nulls)
    assert probed.mean > 0.6


def test_a_minimal_pair_is_that_of_the_fewest_words():
    true = [[["the", "cat", "sits"], ["the", "dog", "sits"], ["nobody", "is", "here"]]]
    for ours, value in ((true[0], 1), ([true[0][1], true[0][0], true[0][2]], 0), ([true[0][0]] * 3, 0.5)):
        assert paired([ours], true).tolist() == [value]
    assert np.isnan(paired([true[0]], [[true[0][0]] * 3])).all()


def test_edits_are_those_of_the_plain_recursion():
    def slow(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))

    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = (["ab"[i] for i in rng.integers(0, 2, rng.integers(0, 6))] for _ in range(2))
        assert edits(a, b) == slow(a, b)


def test_who_has_no_words_has_no_axis_of_language():
    rooms = sit("craik/Rooms-v0", 4, seed=1, horizon=4, views=("state",))
    assert language_scores(Subject(Oracle.of("craik/Rooms-v0")), rooms, Told(rooms), []) == []
    with pytest.raises(SpecError, match="in words"):
        InText(Oracle.of("craik/Rooms-v0"))
    assert "in-text" not in pretenders("craik/Rooms-v0")


def test_a_whole_card_of_one_who_speaks():
    known = pretenders(STORY)
    assert {"forgetful", "stubborn", "babbler", "swapped", "literal"} <= set(known)
    card = grade(known["in-text"](), STORY, axes="L")
    assert card.instrument == "text"
    assert card["lang.exact@16:ar"].mean == card["lang.pair@8:ar"].mean == 1


@dataclasses.dataclass(frozen=True)
class Heard(State):
    """The last text: [B, bytes]."""

    text: torch.Tensor


class Parrot(WorldModel[Heard]):
    """Knows no truth, sees only text, and repeats it."""

    def start(self, batch):
        return Heard(torch.zeros(batch, *self.spec.obs["text"].shape, dtype=torch.uint8))

    def observe(self, state, action, obs, *, generator=None):
        return Heard(obs["text"])

    def step(self, state, action, *, generator=None):
        return state

    def read(self, state, query=None):
        return {"obs": {"text": state.text}}

    def loss(self, batch, *, generator=None):
        return {}


def test_a_model_that_has_to_read_is_graded_by_what_it_read():
    spec = InText(Oracle.of(STORY)).spec.offering("obs")
    card = grade(Parrot(spec), STORY, axes="SAL")
    assert card.instrument == "text"
    for id in ("lang.exact@1:ar", "lang.f1.action@1:ar", "lang.f1.environment@1:ar", "lang.false_change@1:ar"):
        assert card[id].mean == 0, id
    assert card["lang.f1@1:ar"].mean == pytest.approx(card["lang.f1@1:ar"].nulls["frozen"][0])
    assert card["lang.paraphrase@1:ar"].mean == 1  # the same facts, in whatever words they came
    assert card["lang.pair@8:ar"].mean == 0.5
    assert card["act.retrieval@4,8:ar"].mean == pytest.approx(0.25)
    assert card["state.err@8:ar"].mean == pytest.approx(card["state.err@8:ar"].nulls["frozen"].mean())


@pytest.mark.parametrize("world", [STORY, "craik/Tiles-v0"])
def test_what_goes_straight_on_can_be_told_and_drawn(world):
    exam = sit(world, 6, seed=1, horizon=24, futures=1, views=("state",), size=32)
    oracle = Oracle.of(world, obs="state+pixels+text", size=32)
    ahead = Straight(oracle).rollout(oracle.sync(exam.snapshot), exam.actions[:, 0])[:, -1]
    seen = oracle.read(ahead)["obs"]
    assert (exam.world.space.low <= seen["state"].numpy()).all()
    assert (exam.world.space.high >= seen["state"].numpy()).all()
    assert seen["pixels"].shape == (6, 32, 32, 3)
    assert np.isfinite(exam.world.understand(seen["text"].numpy())).any(1).all()
