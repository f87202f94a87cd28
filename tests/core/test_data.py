"""Batches and the time convention."""

from __future__ import annotations

import pytest
import torch

from craik.core.data import Batch, arriving, masked_mean


def example():
    """Two rows of four arrivals; in the second an episode opens at time 2."""
    first = torch.tensor([[True, False, False, False, False], [False, False, True, False, False]])
    return Batch(
        {"state": torch.arange(10.0).reshape(2, 5, 1)},
        torch.arange(1.0, 9.0).reshape(2, 4, 1),
        torch.arange(8.0).reshape(2, 4),
        torch.zeros(2, 4, dtype=torch.bool),
        first,
    )


def test_valid_leaves_out_what_crosses_episodes():
    assert example().valid.tolist() == [[True] * 4, [True, False, True, True]]


def test_arriving_is_the_action_before_or_none_where_an_episode_opens():
    null = torch.full((2, 1), -7.0)
    assert arriving(example(), null)[..., 0].tolist() == [[-7, 1, 2, 3, 4], [-7, 5, -7, 7, 8]]


def test_arriving_of_indices_keeps_their_dtype():
    batch = example()
    batch = Batch(batch.obs, torch.ones(2, 4, dtype=torch.int64), batch.reward, batch.terminated, batch.first)
    led = arriving(batch, torch.full((2,), -1))
    assert led.dtype == torch.int64
    assert led.tolist() == [[-1, 1, 1, 1, 1], [-1, 1, -1, 1, 1]]


def test_masked_mean_per_arrival_leaves_out_what_never_happened():
    batch = example()
    term = torch.tensor([[1.0, 1, 1, 1], [1, 1000, 1, 8]])
    assert masked_mean(term, batch) == 14 / 7
    assert masked_mean(torch.ones(2, 5) * 3, batch) == 3
    assert masked_mean(torch.tensor(5.0), batch) == 5


def test_masked_mean_passes_no_gradient_where_nothing_happened():
    term = torch.ones(2, 4, requires_grad=True)
    masked_mean(term, example()).backward()
    assert term.grad[1, 1] == 0
    assert term.grad[0, 0] == pytest.approx(1 / 7)


def test_stretch_keeps_the_observations_around_its_arrivals():
    part = example().stretch(1, 3)
    assert part.shape == (2, 2)
    assert part.obs["state"][0, :, 0].tolist() == [1, 2, 3]
    assert part.action[0, :, 0].tolist() == [2, 3]
    assert part.reward[0].tolist() == [1, 2]
    assert part.first[1].tolist() == [False, True, False]


def test_rows_and_at():
    batch = example()
    assert batch.rows(torch.tensor([1])).shape == (1, 4)
    assert batch.at(2)["state"][:, 0].tolist() == [2, 7]
