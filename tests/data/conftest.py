import pytest

from tests.data.synthetic import make_spec


@pytest.fixture
def spec():
    return make_spec()
