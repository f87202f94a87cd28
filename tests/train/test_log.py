import json
import math

import pytest

from craik.core.errors import DataError
from craik.train import log
from craik.train.log import JsonLines, Meter


def test_a_meter_averages_between_reports():
    meter = Meter()
    for x in (1.0, 2.0, 3.0):
        meter.learned({"a": x}, 0.5)
    meter.gathered(30, 1.5)
    meter.episode(5.0)
    meter.episode(7.0)
    first = meter.report("train", (30, 100), (3, 10), {})
    assert first.losses == {"a": 2.0}
    assert (first.returns, first.episodes) == (6.0, 2)
    assert (first.env_rate, first.train_rate) == (20.0, 2.0)
    assert first.eta is None
    meter.learned({"a": 9.0}, 0.5)
    second = meter.report("train", (30, 100), (4, 10), {})
    assert second.losses == {"a": 9.0}
    assert second.eta == pytest.approx(6 * second.seconds)
    again = Meter()
    again.load_state_dict(json.loads(json.dumps(meter.state_dict())))
    assert again.state_dict() == meter.state_dict()


def test_the_log_is_json_even_where_a_loss_is_not_finite(tmp_path):
    out, meter = JsonLines(tmp_path / "log.jsonl"), Meter()
    meter.learned({"a": math.nan}, 0.5)
    out(meter.report("train", (0, 0), (1, 2), {}))
    (record,) = log.read(tmp_path / "log.jsonl")
    assert record["losses"] == {"a": "nan"}


def test_a_torn_last_line_is_dropped_and_what_was_done_again_is_told_once(tmp_path):
    file = tmp_path / "log.jsonl"
    file.write_text('{"updates": 5}\n{"updates": 10}\n{"updates": 15}\n{"upda')
    assert [r["updates"] for r in log.read(file)] == [5, 10, 15]
    out = JsonLines(file)
    out.event("resume", updates=10)
    out.event("mark", updates=15)
    assert [(r.get("event"), r["updates"]) for r in log.read(file)] == [
        (None, 5),
        (None, 10),
        ("resume", 10),
        ("mark", 15),
    ]
    file.write_text('{"upda\n{"updates": 5}\n')
    with pytest.raises(DataError, match="line 1 is not JSON"):
        log.read(file)


def test_tensorboard_gets_what_a_report_has(tmp_path):
    pytest.importorskip("tensorboard")
    out, meter = log.TensorBoard(tmp_path), Meter()
    meter.learned({"a": 1.0}, 0.5)
    out(meter.report("train", (0, 0), (1, 2), {"return": 3.0}))
    assert any(p.stat().st_size > 100 for p in tmp_path.iterdir())
