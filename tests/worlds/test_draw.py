"""The rasteriser against areas known from geometry."""

import numpy as np
import pytest

from craik.worlds.draw import Canvas, table

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def ink(canvas):
    """Covered area in world units, per picture."""
    return (255 - canvas.image()[..., 0].astype(float)).sum((1, 2)) / 255 / canvas.scale**2


def test_areas_of_discs_capsules_and_polygons():
    rng = np.random.default_rng(0)
    n = 16
    a, b = rng.uniform(-0.4, 0.4, (2, n, 2))
    disc, capsule, polygon = (Canvas(n, 64, 1.0, WHITE) for _ in range(3))
    disc.disc(a, 0.25, BLACK)
    np.testing.assert_allclose(ink(disc), np.pi * 0.25**2, rtol=0.02)
    capsule.capsule(a, b, 0.2, BLACK)
    length = np.linalg.norm(a - b, axis=1)
    np.testing.assert_allclose(ink(capsule), np.pi * 0.2**2 + 0.4 * length, rtol=0.02)
    turn = rng.uniform(0, 6, n)[:, None] + np.arange(3) * 2 * np.pi / 3
    corners = 0.5 * np.stack([np.cos(turn), np.sin(turn)], -1)
    polygon.polygon(corners, BLACK)
    np.testing.assert_allclose(ink(polygon), 3 * np.sqrt(3) / 4 * 0.25, rtol=0.03)


def test_every_row_is_drawn_in_its_own_picture_and_place():
    centre = np.array([[-0.5, -0.5], [0.5, 0.5]])
    canvas = Canvas(2, 32, 1.0, WHITE)
    canvas.disc(centre, 0.1, BLACK)
    image = canvas.image()
    assert image[0, 24, 8].tolist() == [0, 0, 0]  # low x to the left, low y at the bottom
    assert image[1, 8, 24].tolist() == [0, 0, 0]
    assert (image[1, 16:] == 255).all()


def test_patches_change_nothing_beyond_the_shape():
    """The same picture from a plain rasteriser that looks at every pixel."""
    centre, radius = np.array([[0.13, -0.21]]), 0.31
    canvas = Canvas(1, 64, 1.0, WHITE)
    canvas.disc(centre, radius, (200, 100, 0))
    pixel = (np.arange(64) + 0.5) / 32 - 1
    x, y = np.meshgrid(pixel, -pixel)
    far = (np.hypot(x - centre[0, 0], y - centre[0, 1]) - radius) * 32
    cover = np.clip(0.5 - far, 0, 1)[..., None]
    plain = 255 + cover * (np.array([200, 100, 0]) - 255)
    np.testing.assert_allclose(canvas.image()[0], plain, atol=1.01)


def test_far_outside_is_not_an_error():
    canvas = Canvas(1, 32, 1.0, WHITE)
    canvas.disc(np.array([[50.0, -80.0]]), 0.2, BLACK)
    canvas.capsule(np.array([[0.0, 0.0]]), np.array([[9.0, 0.0]]), 0.1, BLACK)
    assert canvas.image()[0, 16, 31, 0] < 128


@pytest.mark.parametrize("hollow", [0.05, 0.1])
def test_rings_are_hollow(hollow):
    canvas = Canvas(1, 64, 1.0, WHITE)
    canvas.disc(np.zeros((1, 2)), 0.5, BLACK, hollow=hollow)
    np.testing.assert_allclose(ink(canvas), np.pi * (0.5**2 - (0.5 - hollow) ** 2), rtol=0.03)


def test_the_table_is_square_and_framed():
    picture = table(64, 1.06)
    assert (picture[0, 0] != picture[32, 32]).any()
    np.testing.assert_array_equal(picture, picture[::-1, ::-1])
