"""Training as one call: online and offline, in memory and in a directory, stopped and resumed bit for bit."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from craik import worlds
from craik.core.errors import CraikError, UnknownName
from craik.core.spec import Spec
from craik.data.collect import Collector
from craik.data.replay import Replay
from craik.data.store import EpisodeStore
from craik.train import checkpoint, log
from craik.train.guard import Diverged
from craik.train.learner import module_tensors
from craik.train.loop import derive
from craik.train.run import ConfigChanged, load
from craik.train.start import learn, learn_offline

SMALL = {"training.batch": 2, "training.length": 4, "training.num_envs": 2}


def assert_same_weights(a, b):
    for one, other in ((a.model, b.model), (a.agent, b.agent)):
        mine, theirs = module_tensors(one), module_tensors(other)
        for key in mine:
            assert torch.equal(mine[key], theirs[key]), key


def assert_same_checkpoint(a, b, step):
    """Bit-equal tensors and facts, and so the optimiser, all generators and the sampler."""
    (ta, fa), (tb, fb) = (checkpoint.read(r / "checkpoints" / f"step-{step:08d}") for r in (a, b))
    assert fa == fb
    assert ta.keys() == tb.keys()
    for file in ta:
        assert ta[file].keys() == tb[file].keys()
        for key in ta[file]:
            assert torch.equal(ta[file][key], tb[file][key]), (file, key)


def losses(path):
    return [(r["updates"], r["losses"], r["returns"]) for r in log.read(path / "log.jsonl") if r.get("losses")]


def gather(tmp_path, steps=600):
    world = worlds.make("Pendulum-v1", 2, seed=0)
    spec = Spec.of(world.single_observation_space, world.single_action_space)
    store = EpisodeStore.create(tmp_path / "data", spec)
    collector = Collector(world, spec, None, 0)
    for episode in collector.collect(steps) + collector.flush():
        store.append(episode)
    store.close()
    return tmp_path / "data"


@pytest.mark.parametrize("ratio", [0.25, 1.5])
def test_online_2n_equals_n_stop_resume_n(tmp_path, ratio):
    settings = {**SMALL, "training.ratio": ratio, "training.prefill": 60}
    every = int(ratio * 80)
    whole = learn("toy", "Pendulum-v1", steps=380, every=every, dir=tmp_path / "whole", overrides=settings)
    first = learn("toy", "Pendulum-v1", steps=220, every=every, dir=tmp_path / "parts", overrides=settings)
    assert first.updates == whole.updates // 2 == 2 * every
    second = learn("toy", "Pendulum-v1", steps=380, every=every, dir=tmp_path / "parts", overrides=settings)
    assert second.updates == whole.updates == 4 * every
    assert_same_weights(whole, second)
    assert_same_checkpoint(tmp_path / "whole", tmp_path / "parts", whole.updates)
    assert losses(tmp_path / "whole") == losses(tmp_path / "parts")


def test_offline_2n_equals_n_stop_resume_n_wherever_it_stops(tmp_path):
    data = gather(tmp_path)
    whole = learn_offline("toy", data, updates=50, every=25, dir=tmp_path / "whole", overrides=SMALL)
    learn_offline("toy", data, updates=17, every=25, dir=tmp_path / "parts", overrides=SMALL)
    second = learn_offline("toy", data, updates=50, every=25, dir=tmp_path / "parts", overrides=SMALL)
    assert_same_weights(whole, second)
    a, b = (checkpoint.read(tmp_path / r / "checkpoints" / "step-00000050") for r in ("whole", "parts"))
    for file in a[0]:
        for key in a[0][file]:
            assert torch.equal(a[0][file][key], b[0][file][key]), (file, key)
    assert a[1]["sampler"] == b[1]["sampler"]


def test_a_run_in_memory_gives_the_numbers_of_one_on_disk(tmp_path):
    a = learn("toy", "Pendulum-v1", every=20, dir=tmp_path / "run", overrides=SMALL)
    b = learn("toy", "Pendulum-v1", every=20, overrides=SMALL)
    assert b.path is None
    assert (a.updates, a.steps) == (b.updates, b.steps) == (75, 400)
    assert_same_weights(a, b)


def test_another_seed_gives_other_numbers():
    a, b = (learn("toy", "Pendulum-v1", steps=150, seed=s, overrides=SMALL) for s in (0, 1))
    assert not torch.equal(a.model.move.weight, b.model.move.weight)


def test_the_global_sources_of_randomness_are_not_touched():
    ours, theirs = torch.get_rng_state(), np.random.get_state()[1].copy()
    learn("toy", "Pendulum-v1", steps=150, overrides=SMALL)
    assert torch.equal(ours, torch.get_rng_state())
    assert np.array_equal(theirs, np.random.get_state()[1])


def test_a_run_loads_as_it_was_trained(tmp_path):
    run = learn("toy", "Pendulum-v1", dir=tmp_path / "run", every=50, overrides={**SMALL, "hidden": [2, 3]})
    again = load(tmp_path / "run")
    assert_same_weights(run, again)
    assert (again.updates, again.steps, again.world) == (75, 400, "Pendulum-v1")
    assert again.spec.describe() == run.model.spec.describe()
    assert again.config.settings["hidden"] == [2, 3]
    assert load(tmp_path / "run", step=50).updates == 50
    for name in ("config.json", "command.txt", "env.json", "log.jsonl"):
        assert (tmp_path / "run" / name).stat().st_size > 0


def test_a_finished_run_is_not_trained_again(tmp_path):
    a = learn("toy", "Pendulum-v1", steps=200, dir=tmp_path / "run", overrides=SMALL)
    b = learn("toy", "Pendulum-v1", steps=200, dir=tmp_path / "run", overrides=SMALL)
    assert_same_weights(a, b)
    assert a.updates == b.updates


def test_reports_tell_where_it_stands_and_evaluation_joins_them(tmp_path):
    reports = []
    learn(
        "toy",
        "Pendulum-v1",
        dir=tmp_path / "run",
        every=25,
        overrides=SMALL,
        progress=reports.append,
        evaluate=lambda run: {"twice": 2.0 * run.updates},
    )
    assert [r.phase for r in (reports[0], reports[-1])] == ["prefill", "done"]
    assert [r.figures["twice"] for r in reports if r.figures] == [50.0, 100.0, 150.0]
    last = [r for r in reports if r.losses][-1]
    assert set(last.losses) >= {"predict", "reward", "act", "total", "grad_norm"}
    assert (last.total_steps, last.total_updates) == (400, 75)
    assert last.env_rate > 0
    assert last.train_rate > 0
    assert len([json.loads(x) for x in (tmp_path / "run" / "log.jsonl").open()]) == len(reports)


def test_learning_waits_until_there_is_a_row_to_learn_from():
    run = learn("toy", "Pendulum-v1", steps=500, overrides={**SMALL, "training.prefill": 0, "training.length": 150})
    assert run.updates == 125


def test_changed_numbers_are_noted_and_a_changed_model_is_refused(tmp_path):
    path = tmp_path / "run"
    learn("toy", "Pendulum-v1", steps=200, dir=path, overrides=SMALL)
    learn("toy", "Pendulum-v1", steps=300, dir=path, overrides={**SMALL, "training.lr": 1e-4})
    noted = {r["key"]: (r["then"], r["now"]) for r in log.read(path / "log.jsonl") if r.get("event") == "override"}
    assert noted == {"training.lr": (1e-3, 1e-4), "training.steps": (200, 300)}
    before = (path / "config.json").read_bytes()
    with pytest.raises(CraikError, match=r"encode\.weight: \(8, 3\) .* saved, \(16, 3\) .* now"):
        learn("toy", "Pendulum-v1", size="small", dir=path, overrides=SMALL)
    with pytest.raises(ConfigChanged, match="seed: 0 then, 1 now"):
        learn("toy", "Pendulum-v1", seed=1, dir=path, overrides=SMALL)
    with pytest.raises(ConfigChanged, match=r"training\.optimizer: 'adamw' then, 'laprop' now"):
        learn("toy", "Pendulum-v1", dir=path, overrides={**SMALL, "training.optimizer": "laprop"})
    assert (path / "config.json").read_bytes() == before
    assert load(path).steps == 300


def test_names_that_do_not_exist_are_told_with_the_nearest(tmp_path):
    with pytest.raises(UnknownName, match=r"recipe called 'toyy'; did you mean toy\?"):
        learn("toyy", "Pendulum-v1")
    with pytest.raises(UnknownName, match=r"size of toy called 'tny'; did you mean tiny\?"):
        learn("toy", "Pendulum-v1", size="tny")
    with pytest.raises(UnknownName, match=r"did you mean batch\?"):
        learn("toy", "Pendulum-v1", overrides={"training.bach": 1})
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CraikError, match="exists and is no run"):
        learn("toy", "Pendulum-v1", dir=tmp_path)
    with pytest.raises(CraikError, match=r"no config\.json"):
        load(tmp_path)


def test_a_run_that_diverges_leaves_a_report_and_no_bad_checkpoint(tmp_path):
    path = tmp_path / "run"
    learn("toy", "Pendulum-v1", steps=200, dir=path, every=10, overrides=SMALL)
    kept = checkpoint.steps(path / "checkpoints")

    def poison(run):
        run.model.reward.weight.data[0, 0] = torch.nan
        return {}

    with pytest.raises(Diverged):
        learn("toy", "Pendulum-v1", steps=400, dir=path, every=10, overrides=SMALL, evaluate=poison)
    assert checkpoint.steps(path / "checkpoints") == kept
    (folder,) = (path / "crash").iterdir()
    report = json.loads((folder / "report.json").read_text())
    assert "model.reward.weight" in report["what"]
    assert len(report["last_losses"]) == len(report["draws"]) == 3
    store = EpisodeStore.open(path / "episodes", read_only=True)
    for draw, file in zip(report["draws"], sorted(folder.glob("batch-*"))):  # each batch can be drawn again
        ids = store.ids[: store.ids.index(draw["newest"]) + 1][-draw["of"] :]
        rng = np.random.default_rng()
        rng.bit_generator.state = draw["rng"]
        assert torch.equal(load_file(file)["reward"], Replay(store, store.spec, ids=ids).sample(2, 4, rng).reward)
    assert load(path).model.reward.weight.isfinite().all()


def test_seeds_derived_from_one_differ_by_source_and_count():
    seeds = {derive(0, source, n) for source in ("learner", "sampler", "worlds", "player") for n in range(50)}
    assert len(seeds) == 200
    assert derive(7, "worlds", 3) == derive(7, "worlds", 3) != derive(8, "worlds", 3)
