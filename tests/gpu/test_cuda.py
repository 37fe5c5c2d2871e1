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


def test_scores_of_many_prompts_agree_with_each_alone_on_the_gpu():
    from lecture_core.engine import get_engine

    begun = "Review: a joy from start to end. Sentiment: positive\nReview: I left early. Sentiment: negative\n"
    prompts = [f"{begun}Review: {text} Sentiment:" for text in ("I loved it.", "It was dull.", "What a mess it is.")]
    engine, labels = get_engine(), [" positive", " negative"]
    together = engine.score_prompts(prompts, labels, model="smollm2-135m-instruct")
    for prompt, scores in zip(prompts, together.prompts, strict=True):
        alone = engine.score(prompt, labels, model="smollm2-135m-instruct")
        for one, other in zip(scores.completions, alone.completions, strict=True):
            assert one.logprob == pytest.approx(other.logprob, abs=0.3)


def test_a_pass_on_the_gpu_leaves_room():
    from lecture_core import catalog
    from lecture_core.engine.batch_limits import MOST
    from lecture_core.engine.jobs import limits_of
    from lecture_core.loading import load

    limits = limits_of(load(catalog.get("minilm-mlm")))
    assert 0 < limits.tokens <= MOST["cuda"].tokens
    assert 0 < limits.logits <= MOST["cuda"].logits
