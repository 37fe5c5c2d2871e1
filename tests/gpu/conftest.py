"""All other tests run on the CPU; these choose the GPU, and leave no engine of theirs behind."""

import pytest

from lecture_core import device, engine


@pytest.fixture(scope="module", autouse=True)
def on_the_gpu():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LECTURE_DEVICE", "cuda")
        _choose_again()
        yield
        for worker in engine.get_engine()._pool._workers.values():
            worker.close()
    _choose_again()


def _choose_again():
    device.choose.cache_clear()
    engine._engine.cache_clear()
