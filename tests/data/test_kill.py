"""SIGKILL at any moment of recording: what was acknowledged is there, equal to the last bit."""

import os
import random
import signal
import time

import pytest

from craik.data import mapped
from craik.data.repair import repair, verify
from craik.data.store import TEMPORARY, EpisodeStore
from tests.data.synthetic import make_episode, make_spec

KILLS = 40


def record(path, pipe):
    """Records until it is killed; tells what was acknowledged."""
    store, seed = EpisodeStore.open(path), 0
    while True:
        episode = make_episode(store.spec, 300, seed)
        id = store.append(episode)
        os.write(pipe, f"{id} {mapped.digest(episode.arrays())}\n".encode())
        seed += 1


def record_and_kill(path, count, seconds):
    """Records in a forked child, kills it so many episodes and seconds later, and returns what it had acknowledged."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            record(path, write)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as lines:
        told = [lines.readline() for _ in range(count)]
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it recorded until it was killed"
        return dict(each.split() for each in [*told, *lines])


@pytest.mark.faults
def test_nothing_acknowledged_is_lost(tmp_path):
    EpisodeStore.create(tmp_path, make_spec())
    rng, promised = random.Random(0), {}
    for _ in range(KILLS):
        count = rng.randint(0, 3)
        acknowledged = record_and_kill(tmp_path, count, rng.uniform(0.0, 0.02))
        assert len(acknowledged) >= count
        assert not set(acknowledged) & set(promised), "an id is given once"
        promised |= acknowledged
        assert [p.name for p in (tmp_path / "episodes").glob(".tmp*")] in ([], [TEMPORARY])
    store = EpisodeStore.open(tmp_path)
    for id, digest in promised.items():
        assert mapped.digest(store.read(id).arrays()) == digest
    assert len(store) - len(promised) <= KILLS, "at most one a kill was committed and not yet told"
    for id in store.ids:
        store.read(id)
    assert repair(tmp_path).num_sound >= len(store)
    assert verify(tmp_path).problems == ()
