import io
import json

import numpy as np
import pytest
from PIL import Image

from craik.core.errors import DataError, UnknownName
from craik.data import extra, frames
from craik.data.foreign import bring_in, open_source
from craik.data.lerobot import LeRobot
from craik.data.replay import Replay
from craik.data.store import EpisodeStore
from craik.data.video import Videos

av = pytest.importorskip("av")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

FPS = 10


def film(path, levels, width=32, height=16, codec="libx264"):
    """A video of plain frames, one grey level each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.gop_size = 4
        for level in levels:
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), level, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def level(pixels):
    """The grey level of each frame, as far as the codec kept it."""
    return pixels.reshape(len(pixels), -1).mean(1)


def test_a_folder_of_films(tmp_path):
    film(tmp_path / "in" / "b.mp4", range(0, 200, 20))
    film(tmp_path / "in" / "deep" / "a.mkv", [200, 100, 0])
    (tmp_path / "in" / "notes.txt").write_text("not a film")
    report = bring_in(tmp_path / "in", tmp_path / "out")
    assert (report.num_episodes, report.num_steps) == (2, 11)
    store = EpisodeStore.open(tmp_path / "out")
    assert store.fps == FPS
    assert store.spec.action.shape == (0,)
    first, second = (store.read(i) for i in store.ids)
    assert first.obs["pixels"].shape == (10, 16, 32, 3)
    np.testing.assert_allclose(level(first.obs["pixels"]), np.arange(0, 200, 20), atol=3)
    np.testing.assert_allclose(level(second.obs["pixels"]), [200, 100, 0], atol=3)
    assert first.action.shape == (9, 0)
    assert first.truncated.tolist() == [False] * 8 + [True]
    assert not first.terminated.any()
    assert second.meta == {"source": "video", "file": "deep/a.mkv", "fps": 10.0}
    batch = Replay(store, store.spec).sample(4, 5, np.random.default_rng(0))
    assert batch.action.shape == (4, 5, 0)
    assert batch.obs["pixels"].shape == (4, 6, 16, 32, 3)


def test_films_of_other_sizes_are_scaled_or_named(tmp_path):
    film(tmp_path / "in" / "a.mp4", [0, 50, 100])
    film(tmp_path / "in" / "b.mp4", [0, 50, 100], width=48, height=48)
    film(tmp_path / "in" / "c.mp4", [9])
    report = bring_in(tmp_path / "in", tmp_path / "out")
    assert [p.file for p in report.problems] == ["b.mp4", "c.mp4"]
    assert "48 x 48, the first file is 32 x 16" in report.problems[0].cause
    assert "1 frames; an episode is at least two" in report.problems[1].cause
    assert Videos(tmp_path / "in", size=24).read("b.mp4").obs["pixels"].shape == (3, 24, 24, 3)


def test_limits(tmp_path, monkeypatch):
    file = film(tmp_path / "a.mp4", range(30))
    for name, limit, says in (
        ("MAX_PIXELS", 500, "frames of 32 x 16"),
        ("MAX_FRAMES", 20, "30 frames, at most 20"),
        ("MAX_BYTES", 20_000, "decodes to more than"),
        ("CODECS", ("av1",), "is coded in h264"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(frames, name, limit)
            with pytest.raises(DataError, match=says):
                Videos(tmp_path).read(file.name)
    assert Videos(tmp_path).read(file.name).num_steps == 29


def test_a_header_that_lies_about_the_count_is_caught_while_decoding(tmp_path, monkeypatch):
    film(tmp_path / "a.mkv", range(30))  # matroska does not say how many frames there are
    monkeypatch.setattr(frames, "MAX_FRAMES", 20)
    with pytest.raises(DataError, match="more than 20 frames"):
        Videos(tmp_path).read("a.mkv")


def test_what_is_no_film_is_named(tmp_path):
    good = film(tmp_path / "a.mp4", range(30))
    (tmp_path / "b.mp4").write_bytes(good.read_bytes()[:400])
    canary = "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    (tmp_path / "c.mp4").write_text(canary)
    (tmp_path / "d.mkv").write_bytes(good.read_bytes())
    source = Videos(tmp_path)
    for name in ("b.mp4", "c.mp4", "d.mkv"):
        with pytest.raises(DataError, match=f"{name} cannot be (opened|decoded)"):
            source.read(name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no video files"):
        Videos(tmp_path / "empty")
    with pytest.raises(DataError, match="no LeRobot v3 or Minari data set"):
        open_source(tmp_path / "empty")
    with pytest.raises(UnknownName, match="did you mean video"):
        open_source(tmp_path, kind="vidoe")


LENGTHS = {0: 6, 2: 9, 5: 4}  # a gap: positions are not indices
STARTS = {5: 0, 0: 4, 2: 10}  # in the file they lie in yet another order


def grey(episode, frame):
    return 20 * episode + 10 * frame


def lerobot(folder, version="v3.0", image=False):
    """A data set as LeRobot lays it out: shuffled rows, episodes in no order, one film for all."""
    feature = {"dtype": "image" if image else "video", "shape": [16, 32, 3], "names": ["height", "width", "channels"]}
    info = {
        "codebase_version": version,
        "fps": FPS,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": {
            "observation.images.top": feature,
            "observation.state": {"dtype": "float32", "shape": [2], "names": None},
            "observation.force": {"dtype": "float64", "shape": [1], "names": None},
            "action": {"dtype": "float32", "shape": [3], "names": None},
            "next.reward": {"dtype": "float32", "shape": [1], "names": None},
            "frame_index": {"dtype": "int64", "shape": [1], "names": None},
            "episode_index": {"dtype": "int64", "shape": [1], "names": None},
        },
    }
    (folder / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
    (folder / "data" / "chunk-000").mkdir(parents=True)
    (folder / "meta" / "info.json").write_text(json.dumps(info))
    rows, episodes, key = [], [], "videos/observation.images.top"
    for e, n in LENGTHS.items():
        for t in range(n):
            row = {"episode_index": e, "frame_index": t, "observation.state": [e, t], "observation.force": 0.5 * t}
            row |= {"action": [e, t, 1.0], "next.reward": float(t)}
            if image:
                png = io.BytesIO()
                Image.fromarray(np.full((16, 32, 3), grey(e, t), np.uint8)).save(png, "PNG")
                row["observation.images.top"] = {"bytes": png.getvalue(), "path": "x.png"}
            rows.append(row)
        place = {"data/chunk_index": 0, "data/file_index": 0, "stats/action/min": [0.0]}
        film_place = {f"{key}/chunk_index": 0, f"{key}/file_index": 0}
        film_place |= {f"{key}/from_timestamp": STARTS[e] / FPS, f"{key}/to_timestamp": (STARTS[e] + n) / FPS}
        episodes.append({"episode_index": e, "length": n, "tasks": [f"task {e}"]} | place | film_place)
    order = np.random.default_rng(0).permutation(len(rows))
    pq.write_table(pa.Table.from_pylist([rows[i] for i in order]), folder / "data" / "chunk-000" / "file-000.parquet")
    pq.write_table(
        pa.Table.from_pylist(episodes[::-1]), folder / "meta" / "episodes" / "chunk-000" / "file-000.parquet"
    )
    if not image:
        levels = [grey(e, t) for e in sorted(STARTS, key=STARTS.get) for t in range(LENGTHS[e])]
        film(folder / "videos" / "observation.images.top" / "chunk-000" / "file-000.mp4", levels)
    return folder


@pytest.mark.parametrize("image", [False, True], ids=["video", "image"])
def test_lerobot_in(tmp_path, image):
    report = bring_in(lerobot(tmp_path / "set", image=image), tmp_path / "store")
    assert (report.num_episodes, report.num_steps, report.problems) == (3, 16, ())
    store = EpisodeStore.open(tmp_path / "store")
    assert store.fps == FPS
    assert {k: s.shape for k, s in store.spec.obs.items()} == {"force": (1,), "images.top": (16, 32, 3), "state": (2,)}
    for id, (e, n) in zip(store.ids, LENGTHS.items()):
        episode = store.read(id)
        assert episode.meta == {"source": "lerobot", "episode_index": e, "tasks": [f"task {e}"]}
        np.testing.assert_array_equal(episode.obs["state"], [[e, t] for t in range(n)])
        np.testing.assert_allclose(episode.obs["force"][:, 0], 0.5 * np.arange(n))
        np.testing.assert_allclose(level(episode.obs["images.top"]), [grey(e, t) for t in range(n)], atol=3)
        np.testing.assert_array_equal(episode.action, [[e, t, 1] for t in range(n - 1)])
        np.testing.assert_array_equal(episode.reward, np.arange(n - 1))
        assert episode.truncated.tolist() == [False] * (n - 2) + [True]


def test_lerobot_faults_are_named(tmp_path):
    with pytest.raises(DataError, match="no LeRobot data set"):
        LeRobot(tmp_path)
    with pytest.raises(DataError, match=r"format v2\.1; craik reads v3\n  fix: convert"):
        LeRobot(lerobot(tmp_path / "old", version="v2.1"))
    folder = lerobot(tmp_path / "set")
    table = folder / "data" / "chunk-000" / "file-000.parquet"
    rows = pq.read_table(table)
    place = zip(rows["episode_index"].to_pylist(), rows["frame_index"].to_pylist())
    pq.write_table(rows.filter(pa.array([each != (2, 4) for each in place])), table)
    report = bring_in(folder, tmp_path / "store")
    assert [p.file for p in report.problems] == ["2"], "a lost row costs its episode and no other"
    assert "should have frames 0 .. 8" in report.problems[0].cause
    short = folder / "videos" / "observation.images.top" / "chunk-000" / "file-000.mp4"
    film(short, range(0, 120, 10))
    pq.write_table(rows, table)
    with pytest.raises(DataError, match=r"lacks 7 frames of observation\.images\.top, the first is frame 2"):
        LeRobot(folder).read("2")
    table.write_bytes(table.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"file-000\.parquet cannot be read.*(\n.*)*finalize"):
        LeRobot(folder).read("0")


def test_a_path_that_leads_out_of_the_data_set_is_refused(tmp_path):
    folder = lerobot(tmp_path / "set")
    info = json.loads((folder / "meta" / "info.json").read_text())
    for bad in ("../../other.parquet", "/etc/passwd"):
        (folder / "meta" / "info.json").write_text(json.dumps(info | {"data_path": bad}))
        with pytest.raises(DataError, match="leads out of the data set"):
            LeRobot(folder).read("0")


def test_a_missing_library_is_named_with_its_extra():
    assert extra.need("json", "video") is json
    with pytest.raises(
        DataError, match=r"needs no_such_library, which is not installed\n  fix: pip install 'craik\[video\]'"
    ):
        extra.need("no_such_library.inner", "video")
