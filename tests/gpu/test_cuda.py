"""The same results on a GPU as on the CPU, within what bfloat16 allows."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")]


def test_the_device_is_chosen_with_its_reason():
    from lecture_core import device

    chosen = device.choose()
    assert (chosen.name, chosen.dtype) == ("cuda", "bfloat16")
    assert "bfloat16" in chosen.reason


def test_hospital_comes_first_on_the_gpu():
    from lecture_core.engine import get_engine

    result = get_engine().fill_mask("She went to the [MASK] to see the doctor.", model="minilm-mlm", top_k=5)
    assert result.masks[0].candidates[0].token == "hospital"
    assert result.provenance.device == "cuda"


def test_text_is_generated_by_transformers_on_the_gpu():
    from lecture_core.engine import get_engine

    chunks = list(get_engine().generate("The capital of France is", model="smollm2-135m-instruct", max_new_tokens=8))
    assert chunks[-1].finished
    assert chunks[-1].provenance.device == "cuda"


def test_sixteen_streams_share_a_batch_on_the_gpu():
    from concurrent.futures import ThreadPoolExecutor

    from lecture_core.engine import get_engine

    def write(name):
        chunks = get_engine().generate(f"The capital of {name} is", model="smollm2-135m-instruct", max_new_tokens=8)
        return "".join(chunk.text for chunk in chunks)

    names = ["France", "Italy", "Spain", "Japan"] * 4
    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(write, names))
    assert "Paris" in texts[0]
    assert "Rome" in texts[1]


def test_a_sample_on_the_gpu_depends_on_its_seed():
    from lecture_core.engine import get_engine

    def write(seed):
        settings = {"model": "smollm2-135m-instruct", "max_new_tokens": 12, "temperature": 1.0, "seed": seed}
        return "".join(chunk.text for chunk in get_engine().generate("Once upon a time", **settings))

    assert write(1) == write(1)
    assert len({write(seed) for seed in range(4)}) > 1
