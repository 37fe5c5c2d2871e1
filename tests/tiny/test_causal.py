import threading
import time

import pytest
import torch

from lecture_core import generation, token_logprobs
from lecture_core.engine.admission import Admission
from lecture_core.engine.results import Message
from lecture_core.engine.streams import stream
from lecture_core.errors import BusyError, ContextLengthError, InvalidInputError, LectureError
from lecture_core.generation import Sampling, stream_with_transformers
from lecture_core.provenance import Provenance
from tests.tiny.models import VOCABULARY

PROMPT = "the cat sat on the"


def text_of(chunks):
    return "".join(c.text for c in chunks)


def test_scores_equal_the_log_probabilities_of_the_whole_text(engine):
    scored = engine.score(PROMPT, ["mat and it", "dog", "river bank ."], model="tiny-lm")
    for completion in scored.completions:
        whole = engine.token_logprobs(f"{PROMPT} {completion.text}", model="tiny-lm").tokens
        assert completion.logprob == pytest.approx(sum(t.logprob for t in whole[-len(completion.tokens) :]), abs=1e-4)


def test_batched_scores_equal_single_ones(engine):
    together = engine.score(PROMPT, ["mat and it", "dog", "river bank ."], model="tiny-lm")
    for completion in together.completions:
        alone = engine.score(PROMPT, [completion.text], model="tiny-lm").completions[0]
        assert alone.logprob == pytest.approx(completion.logprob, abs=1e-4)


def test_the_next_token_distribution_sums_to_one_and_agrees_with_the_score(engine):
    distribution = engine.next_token(PROMPT, model="tiny-lm", top_k=len(VOCABULARY))
    assert sum(c.probability for c in distribution.candidates) == pytest.approx(1, abs=1e-5)
    best = engine.token_logprobs(f"{PROMPT} mat", model="tiny-lm").tokens[-1]
    mat = next(c for c in distribution.candidates if c.token == "mat")
    assert best.rank == mat.rank


def test_greedy_text_is_the_same_each_time_and_says_why_it_ended(engine):
    runs = [list(engine.generate(PROMPT, model="tiny-lm", max_new_tokens=8)) for _ in range(2)]
    assert text_of(runs[0]) == text_of(runs[1])
    last = runs[0][-1]
    assert last.finished
    assert last.reason in ("length", "stop")
    assert last.provenance.model == "tiny-lm"
    assert last.provenance.seconds > 0
    assert sum(len(c.logprobs) for c in runs[0]) == last.tokens


def test_sampling_depends_on_the_seed_alone(engine):
    def sample(seed):
        return text_of(engine.generate(PROMPT, model="tiny-lm", max_new_tokens=12, temperature=1.5, seed=seed))

    alone = sample(1)
    assert len({sample(seed) for seed in range(4)}) > 1
    torch.manual_seed(0)
    drawn, again = torch.rand(3), sample(1)  # another model's thread draws too
    assert again == alone
    torch.manual_seed(0)
    sample(1)
    assert torch.rand(3).tolist() == drawn.tolist()  # and finds its random numbers untouched


def test_log_probabilities_of_samples_are_the_models_own(engine):
    chunks = list(engine.generate(PROMPT, model="tiny-lm", max_new_tokens=6, temperature=2.0, top_p=0.8, seed=1))
    whole = engine.token_logprobs(f"{PROMPT} {text_of(chunks)}", model="tiny-lm").tokens
    given = [value for chunk in chunks for value in chunk.logprobs]
    assert len(given) == chunks[-1].tokens >= 2
    assert given == pytest.approx([token.logprob for token in whole[-len(given) :]], abs=1e-4)


def test_leaving_while_the_prompt_is_read_ends_it(engine, monkeypatch):
    monkeypatch.setattr(generation, "PROMPT_PART", 4)
    parts = []

    def left(text, tokens, logprobs):
        parts.append((text, tokens))
        return len(parts) == 2

    prompt = "the cat sat on the mat and it was very good . " * 3
    ended = engine._run("tiny-lm", (), lambda m: stream_with_transformers(m, prompt, Sampling(5), left))
    assert ended == "cancelled"
    assert parts == [("", 0)] * 2


def test_a_long_text_read_in_parts_has_the_same_log_probabilities(engine, monkeypatch):
    text = "the cat sat on the mat and it was very good ."
    at_once = engine.token_logprobs(text, model="tiny-lm", top_k=3)
    monkeypatch.setattr(token_logprobs, "LONG", 4)
    monkeypatch.setattr(token_logprobs, "FULL", 4)
    read, network = [], engine._pool._workers["tiny-lm"].model.network
    forward = network.forward
    monkeypatch.setattr(
        network, "forward", lambda **inputs: read.append(inputs["input_ids"].shape[1]) or forward(**inputs)
    )
    in_parts = engine.token_logprobs(text, model="tiny-lm", top_k=4)  # another question, so that none is kept
    assert len(read) >= 3
    assert max(read) == 4
    assert in_parts.mean_nats == pytest.approx(at_once.mean_nats, abs=1e-5)
    for one, other in zip(at_once.tokens, in_parts.tokens, strict=True):
        assert (one.token_id, one.rank) == (other.token_id, other.rank)
        assert other.logprob == pytest.approx(one.logprob, abs=1e-5)


def test_a_stop_text_ends_the_answer_and_is_not_part_of_it(engine):
    whole = text_of(engine.generate(PROMPT, model="tiny-lm", max_new_tokens=12))
    word = whole.split()[3]
    cut = list(engine.generate(PROMPT, model="tiny-lm", max_new_tokens=12, stop=[word]))
    assert text_of(cut) == whole[: whole.index(word)]
    assert cut[-1].reason == "stop"


def test_closing_a_stream_frees_its_place(engine):
    chunks = engine.generate(PROMPT, model="tiny-lm", max_new_tokens=50)
    next(chunks)
    assert engine.status().waiting == 1
    chunks.close()
    assert engine.status().waiting == 0


def test_a_newer_stream_of_a_session_ends_the_older(engine):
    older = engine.generate(PROMPT, model="tiny-lm", max_new_tokens=50, session="s")
    next(older)
    assert list(engine.generate(PROMPT, model="tiny-lm", max_new_tokens=2, session="s"))[-1].finished
    assert list(older)[-1].finished


def test_cancel_ends_a_stream(engine):
    chunks = engine.generate(PROMPT, model="tiny-lm", max_new_tokens=50, session="s")
    next(chunks)
    engine.cancel("s")
    assert list(chunks)[-1].reason in ("cancelled", "length", "stop")


@pytest.mark.parametrize(
    "settings",
    [
        {"max_new_tokens": 0},
        {"max_new_tokens": 10**6},
        {"temperature": -1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": 2},
    ],
)
def test_settings_out_of_range_are_refused_before_anything_runs(engine, settings):
    with pytest.raises(InvalidInputError):
        engine.generate(PROMPT, model="tiny-lm", **settings)


def test_a_prompt_that_fills_the_context_is_refused(engine):
    with pytest.raises(ContextLengthError, match="64"):
        list(engine.generate("the " * 64, model="tiny-lm"))
    with pytest.raises(LectureError):
        engine.next_token("the " * 100, model="tiny-lm")


def test_chat_messages_need_a_chat_template(engine):
    with pytest.raises(InvalidInputError, match="chat template"):
        list(engine.generate([Message("user", "the cat")], model="tiny-lm"))


def test_one_changed_weight_changes_the_checksum_and_weights_not_loaded_have_none(engine):
    assert engine.weights_checksum("tiny-lm", generating=False) == ""
    engine.score(PROMPT, ["mat"], model="tiny-lm")
    before = engine.weights_checksum("tiny-lm", generating=False)

    def change(model):
        with torch.no_grad():
            next(model.network.parameters())[0, 0] += 1e-4

    engine._run("tiny-lm", (), change)
    assert engine.weights_checksum("tiny-lm", generating=False) != before


def test_the_weights_do_not_change_by_prompting(engine):
    engine.score(PROMPT, ["dog"], model="tiny-lm")
    before = engine.weights_checksum("tiny-lm", generating=True)
    list(engine.generate(PROMPT, model="tiny-lm", max_new_tokens=4))
    engine.score(PROMPT, ["mat"], model="tiny-lm")
    assert engine.weights_checksum("tiny-lm", generating=True) == before


def test_admission_refuses_at_once_when_all_places_are_taken():
    admission = Admission(2)
    release = threading.Event()

    def hold():
        with admission.admit():
            release.wait(5)

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    while admission.waiting < 2:
        time.sleep(0.001)
    started = time.perf_counter()
    with pytest.raises(BusyError, match="2 requests"), admission.admit():
        pass
    assert time.perf_counter() - started < 0.2
    release.set()
    for thread in threads:
        thread.join()
    with admission.admit():
        assert admission.waiting == 1


def test_two_sessions_asking_at_once_load_the_model_once(engine):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(engine.next_token(PROMPT, model="tiny-lm"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(engine.status().loaded) == 1


def test_chunks_come_at_most_ten_times_a_second_and_leave_nothing_out():
    def run(emit, ticket):
        for number in range(60):
            time.sleep(0.005)
            emit(f"{number} ", 1, (-float(number),))
        return "length", Provenance("x")

    started = time.perf_counter()
    chunks = list(stream(run, Admission(1), "", deadline=5))
    assert len(chunks) <= 3 + 10 * (time.perf_counter() - started)
    assert text_of(chunks) == "".join(f"{number} " for number in range(60))
    assert [value for chunk in chunks for value in chunk.logprobs] == [-float(number) for number in range(60)]
    assert (chunks[-1].tokens, chunks[-1].reason) == (60, "length")


def test_what_was_written_before_an_error_is_shown():
    def run(emit, ticket):
        emit("so far", 2, ())
        raise BusyError("no more")

    seen = []
    with pytest.raises(BusyError, match="no more"):
        seen.extend(chunk.text for chunk in stream(run, Admission(1), "", deadline=5))
    assert "".join(seen) == "so far"
