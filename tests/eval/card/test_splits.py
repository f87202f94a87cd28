"""Splits: apart by seed and by constants; and who learned by heart is good nowhere but on what was learned."""

import dataclasses
import json
from itertools import combinations

import numpy as np
import pytest

from craik.core.errors import DataError, SpecError, UnknownName
from craik.data.episode import Episode
from craik.eval.card import grade as grading
from craik.eval.card.exam import sit
from craik.eval.card.grade import grade
from craik.eval.card.instrument import Told
from craik.eval.card.leak import leaks, refuse
from craik.eval.card.ledger import EQUALITY, minutes, update_flops
from craik.eval.card.state import state_scores
from craik.eval.card.subject import Subject
from craik.eval.card.table import markdown
from craik.eval.pretenders.memory import Memoriser, Replayer
from craik.train.start import learn
from craik.worlds import make
from craik.worlds.aims import aims
from craik.worlds.equations import Factor
from craik.worlds.oracle import Oracle
from craik.worlds.splits import SALTED, SEEDS, between, beyond, corner, inner, inside, split_of, splits
from tests.worlds.ids import EXACT

ROOMS, SWING = "craik/Rooms-v0", "craik/Swing-v0"
TESTS = [name for name in SEEDS if name.startswith("test")]


def test_seeds_of_splits_are_apart():
    for one, two in combinations(SEEDS.values(), 2):
        assert one.stop <= two.start or two.stop <= one.start
    assert all(SEEDS[name].start >= 2_000_000 for name in TESTS)
    assert all(SEEDS[name].stop <= 2_000_000 for name in ("train", "val"))


@pytest.mark.parametrize("ends", [(0.0, 3.0), (1.0, 3.0), (-2.0, 1.0)])
def test_cells_of_a_constant_are_apart(ends):
    factor = Factor(1.0 if ends[0] else 0.0, *ends, "tried")
    train, band, out, edge = inner(factor), between(factor), beyond(factor), corner(factor)
    grid = np.linspace(*ends, 2_001)
    held = [np.array([inside(x, cell) for x in grid]) for cell in (train, band, out)]
    assert (np.sum(held, 0) >= 1).all()
    assert (np.sum(held, 0) > 1).sum() <= 6  # their ends
    assert inside(factor.default, train)
    assert all(inside(x, train) for pair in edge for x in pair)


@pytest.mark.parametrize("id", EXACT)
def test_constants_of_every_split_are_from_its_cells(id):
    known, factors = splits(id), make(id).FACTORS
    train = known["train"]
    for name, split in known.items():
        drawn = split.constants(split.seed(1), 6)
        again = split.constants(split.seed(1), 3)
        assert list(drawn) == list(factors)
        for row in range(6):
            values = {k: v[row] for k, v in drawn.items()}
            out = [k for k, v in values.items() if not inside(v, train.factors[k])]
            corners = [c for c in train.shunned if all(inside(values[k], cell) for k, cell in c.items())]
            assert len(out) == (name in ("test-interp", "test-extrap")), (name, out)
            assert bool(corners) == (name == "test-combo"), (name, corners)
            assert all(values[k] == again[k][row] for k in again if row < 3)


def test_an_exam_has_the_constants_players_and_goals_of_its_split():
    known = splits(ROOMS)
    sat = {n: sit(ROOMS, 12, seed=s.seed(1), horizon=8, views=("state",), split=s) for n, s in known.items()}
    for name, exam in sat.items():
        wanted = known[name].constants(known[name].seed(1), 24)
        for k, values in exam.world.factors.items():
            assert set(values) <= set(wanted[k]), name
    jerk = {n: np.abs(np.diff(sat[n].actions[:, 0].numpy(), axis=1)).mean() for n in ("test-iid", "test-policy")}
    assert jerk["test-policy"] > 1.5 * jerk["test-iid"]
    assert sat["test-action"].usual is not None
    assert sat["test-iid"].usual is None
    with pytest.raises(UnknownName, match="split"):
        split_of(ROOMS, "test-odd")
    with pytest.raises(SpecError, match="no seed"):
        known["test-iid"].seed(100_000)


def test_goals_come_from_where_players_get():
    world = make(ROOMS, 30, seed=3)
    world.reset()
    found = aims(world, ("uniform", "random-policy", "expert"), 0)
    own = (found == world.goal).all(1)
    assert own[::3].all()
    assert not own[1::3].all()
    assert not world.reached(world.state, found, world.factors).any()
    wandered = np.linalg.norm(found[1::3, :2] - world.state[1::3, :2], axis=1)[~own[1::3]]
    sought = np.linalg.norm(found[2::3, :2] - world.goal[2::3, :2], axis=1)[~own[2::3]]
    assert np.median(sought) < 0.3 < np.median(wandered)


def test_a_card_names_its_split_and_old_calls_mean_iid():
    oracle = Oracle.of(SWING)
    old = grade(oracle, SWING, axes="S")
    assert (old.facts["split"], old.facts["constants"], old.facts["salt"]) == ("test-iid", "usual", 0)
    assert old.facts["equality"] == "E1"
    same = grade(oracle, SWING, axes="S", split=splits(SWING)["test-extrap"])
    assert (same.facts["split"], same.facts["constants"], same.facts["rule"]) == ("test-extrap", "drawn", "magnitude")
    salted = grade(oracle, SWING, axes="S", salt=5)
    for other in (same, salted):
        with pytest.raises(DataError, match="one table"):
            markdown([old, other])
    with pytest.raises(UnknownName, match="equality"):
        grade(oracle, SWING, equality="E9")
    assert list(EQUALITY) == ["E1", "E2", "E3", "E4"]


def test_a_salt_gives_an_exam_of_its_own():
    split = splits(SWING)["test-iid"]
    seeds = {split.seed(n, salt) for n in range(20) for salt in range(5)}
    assert len(seeds) == 100
    assert all(s >= SALTED or s in split.seeds for s in seeds)
    assert split.seed(1, 4) == split.seed(1, 4)


def test_probes_learn_from_seeds_that_no_exam_has(monkeypatch):
    asked = []
    monkeypatch.setattr(grading, "sit", lambda *a, seed, **k: asked.append(seed) or sit(*a, seed=seed, **k))
    for name in TESTS:
        for salt in (0, 3):
            grade(Oracle.of(SWING), SWING, axes="", split=splits(SWING)[name], salt=salt)
    exams, lessons = asked[::2], asked[1::2]
    assert len(set(exams)) == 2 * len(TESTS)
    assert min(exams) >= 2_000_000
    assert max(lessons) < 1_000_000


@pytest.fixture(scope="module")
def learned():
    """An exam of Swing, and lessons that are that very exam; and exams of other kinds."""
    known = splits(SWING)
    settings = {"horizon": 16, "views": ("state",)}

    def exam(name, salt=0, num=48):
        split = known[name]
        return sit(
            SWING, num, seed=split.seed(1, salt), split=split.usual() if name != "test-extrap" else split, **settings
        )

    asked = {name: exam(name) for name in ("test-iid", "test-extrap", "test-action")}
    return exam("train", num=160), asked | {"salted": exam("test-iid", salt=9)}


def error(model, exam):
    return {s.id: s for s in state_scores(Subject(model), exam, Told(exam), [])}["state.err@8:ar"].mean


def test_who_learned_by_heart_is_good_only_where_it_learned(learned):
    lessons, asked = learned
    for make_model in (Memoriser, Replayer):
        model = make_model(Oracle.of(SWING), lessons)
        seen = error(model, lessons)
        elsewhere = {name: error(model, exam) for name, exam in asked.items()}
        for name, wrong in elsewhere.items():
            assert wrong > 2 * seen, (make_model.__name__, name, wrong, seen)
        assert elsewhere["test-extrap"] > elsewhere["test-iid"]


def test_the_leak_test_finds_the_replayers_lessons_and_no_fresh_salt(learned):
    lessons, asked = learned
    lived = lessons.lived(("state",))
    told = [
        Episode({"state": s}, a, r, e, np.zeros_like(e))
        for s, a, r, e in zip(*(x.numpy() for x in (lived.obs["state"], lived.action, lived.reward, lived.terminated)))
    ]
    assert leaks(lessons, told).all()
    with pytest.raises(DataError, match="were in the training data"):
        refuse(lessons, told)
    for name, exam in asked.items():
        assert not leaks(exam, told).any(), name
    planted = dataclasses.replace(told[0], obs={"state": asked["salted"].lived(("state",)).obs["state"][7].numpy()})
    assert np.flatnonzero(leaks(asked["salted"], [*told, planted])).tolist() == [7]


def test_the_ledger_counts_a_runs_training(tmp_path):
    run = learn(
        "td_mpc2", SWING, steps=300, dir=tmp_path / "run", overrides={"training.prefill": 200, "training.ratio": 0.1}
    )
    facts = grade(run.model, SWING, axes="", run=run).facts
    assert facts["train_updates"] == run.updates > 0
    assert facts["train_steps"] == run.steps >= 300
    assert facts["train_minutes"] > 0
    assert facts["data"] == SWING
    assert facts["flops_update"] == update_flops(run) > facts["flops_step"] > 0
    assert facts["flops_train"] == run.updates * facts["flops_update"]


def test_minutes_of_a_run_that_was_resumed_are_those_of_all_its_processes(tmp_path):
    lines = [{"phase": "train", "updates": 5, "seconds": 60.0}, {"event": "resume", "updates": 5}]
    lines += [{"phase": "done", "updates": 9, "seconds": 30.0}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    assert minutes(tmp_path / "log.jsonl") == 1.5
