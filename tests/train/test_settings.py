import dataclasses
import json

import pytest

from craik.core.errors import UnknownName
from craik.train.settings import BadSetting, changes, override, parse, plain
from craik.train.training import Training
from tests.train.toy import toy_training
from tests.train.toy_recipe import Config, Head


@pytest.mark.parametrize("settings", [Config(hidden=(1, 2, 3), name="x"), toy_training(lr_scale={"model": 0.5})])
def test_settings_come_back_from_json_as_they_were(settings):
    assert parse(type(settings), json.loads(json.dumps(plain(settings)))) == settings


def test_an_unknown_key_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match=r"did you mean hidden\?"):
        parse(Config, {"hiden": [1]})
    with pytest.raises(UnknownName, match=r"did you mean width\?"):
        override(Config(), {"head.widht": 3})
    with pytest.raises(UnknownName, match=r"did you mean batch\?"):
        override(toy_training(), {"bach": 3})


@pytest.mark.parametrize(
    ("key", "value"),
    [("width", "8"), ("width", 8.5), ("width", True), ("lr", "fast"), ("hidden", 3), ("hidden", [1.5]), ("name", 3)],
)
def test_a_value_of_another_type_is_refused_by_its_path(key, value):
    with pytest.raises(BadSetting, match=key):
        override(Config(), {key: value})


def test_overrides_reach_into_fields_and_mappings_and_leave_the_original_alone():
    config, training = Config(), toy_training()
    assert override(config, {"head.width": 3, "lr": 1}) == dataclasses.replace(config, head=Head(3), lr=1.0)
    assert override(training, {"weights.act": 2, "lr_scale.model": 0.1}).weights["act"] == 2.0
    assert override(training, {"clip_norm": None, "betas": [0.5, 0.6]}).betas == (0.5, 0.6)
    assert (config, training) == (Config(), toy_training())
    with pytest.raises(BadSetting, match="single value"):
        override(config, {"lr.x": 1})


def test_nothing_is_looked_up_or_run_from_a_value():
    hostile = {"name": "${oc.env:HOME}"}
    assert parse(Config, hostile).name == "${oc.env:HOME}"
    with pytest.raises(UnknownName):
        parse(Training, {"weights": {}, "_target_": "os.system"})


def test_changes_are_listed_by_dotted_key():
    a = {"x": 1, "y": {"z": [1], "w": 2}}
    b = {"x": 1, "y": {"z": [2], "v": 3}}
    assert changes(a, b) == {"y.z": ([1], [2]), "y.w": (2, None), "y.v": (None, 3)}
