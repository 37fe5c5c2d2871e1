"""Fit, forecast, reveal, as a visitor uses it: with no recorded run, with a few, with many; and with an own table."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lecture_core import scaling_points, scaling_runs
from lecture_core.errors import BusyError
from lecture_core.scaling_laws import Law, predict_loss
from lecture_core.scaling_points import Points
from lecture_core.scaling_runs import ScalingRun
from lecture_core.training import live_run
from lecture_core.training.live_run import Watched
from lecture_core.ui import scaling_bench, scaling_own

PAGE = Path(__file__).parents[2] / "pages" / "scaling" / "scaling_bench.py"
TRUTH = Law(1.2, 30, 200, 0.3, 0.35)


def made(number: int) -> tuple[ScalingRun, ...]:
    grid = [(n, d) for n in (5e4, 2e5, 8e5, 2e6, 5e6, 1e7) for d in (1.25e6, 2.5e6, 5e6, 1e7, 2e7)]
    grid = sorted(grid, key=lambda run: run[0] * run[1])[:number]
    noise = np.random.default_rng(0).normal(0, 0.002, len(grid))
    return tuple(
        ScalingRun(
            int(n), int(n) + 9, int(d), 6 * n * d, float(predict_loss(n, d, TRUTH) * np.exp(e)), 1.0, 1e-3, 0, 9.0,
            "2026-11-23", "cpu float32", "abcd1234",
        )
        for (n, d), e in zip(grid, noise, strict=True)
    )  # fmt: skip


def opened(monkeypatch, number=30, **query: str) -> AppTest:
    monkeypatch.setattr(scaling_runs, "load", lambda: made(number))
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in query.items():
        page.query_params[f"scaling_bench_{name}"] = value
    page.run()
    assert not page.exception
    assert not page.error
    return page


def off(page: AppTest) -> float:
    return float(next(m.value for m in page.metric if m.label == "Mean error").removesuffix(" %"))


@pytest.mark.parametrize("number", [0, 1, 7])
def test_too_few_runs_are_a_sentence_with_the_command(monkeypatch, number):
    page = opened(monkeypatch, number)
    assert "python -m lecture_core.training scaling_runs" in page.info[0].value
    assert page.text_area(key="scaling_bench_table") is not None


def chart(page) -> dict:
    """What the browser is told to draw."""
    return json.loads(page.get("bidi_component")[0].proto.json)


def test_runs_too_similar_to_fit_are_drawn_with_a_sentence(monkeypatch):
    page = opened(monkeypatch, 8)
    page.segmented_control(key="scaling_bench_law").set_value("The fitter's").run()
    assert "at least 3 different parameters" in page.error[0].value
    assert chart(page)["marks"]


@pytest.mark.parametrize("number", [12, 30])
def test_the_page_works_with_however_many_runs_there_are(monkeypatch, number):
    page = opened(monkeypatch, number)
    assert off(page) > 0
    page.segmented_control(key="scaling_bench_law").set_value("The fitter's").run()
    assert not page.exception
    assert off(page) < 1


def test_a_slider_changes_the_law_and_a_link_restores_it(monkeypatch):
    page = opened(monkeypatch)
    before = off(page)
    page.slider(key="scaling_bench_E").set_value(4.0).run()
    assert off(page) > before
    assert off(opened(monkeypatch, E="4.0")) == off(page)


def test_the_losses_of_hidden_runs_are_not_on_the_page_before_they_are_revealed(monkeypatch):
    page = opened(monkeypatch)
    hidden = scaling_runs.split(made(30))[1]
    assert len(hidden) == 6

    def sent():
        found = chart(page)
        lines = [y for line in found["lines"] for piece in line["pieces"] for _, y in piece]
        return {round(y, 6) for y in [*lines, *(mark["y"] for mark in found["marks"])]}

    assert not {round(run.loss_per_token, 6) for run in hidden} & sent()
    page.button(key="scaling_bench_commit").click().run()
    assert not {round(run.loss_per_token, 6) for run in hidden} & sent()
    page.button(key="scaling_bench_reveal").click().run()
    assert {round(run.loss_per_token, 6) for run in hidden} <= sent()


def test_a_committed_forecast_stays_while_the_sliders_move(monkeypatch):
    page = opened(monkeypatch)
    page.button(key="scaling_bench_commit").click().run()
    said = page.metric[0].value
    assert page.metric[0].label == "Committed forecast"
    assert any("Your sliders now: off by " in markdown.value for markdown in page.markdown)
    page.slider(key="scaling_bench_E").set_value(4.0).run()
    assert page.metric[0].value == said
    page.button(key="scaling_bench_reveal").click().run()
    assert "The fitter: 0." in page.success[0].value
    page.button(key="scaling_bench_again").click().run()
    assert not page.success
    assert page.metric[1].value != said


def test_dragging_can_start_from_the_fit(monkeypatch):
    page = opened(monkeypatch, law="The fitter's")
    fitted = off(page)
    page.button(key="scaling_bench_drag").click().run()
    assert page.segmented_control(key="scaling_bench_law").value == "Yours"
    assert off(page) == pytest.approx(fitted, abs=2)  # marks of the sliders lie a few percent apart


def table(runs=30) -> str:
    return "N;D;loss\n" + "\n".join(
        f"{r.parameters};{r.tokens};{r.loss_per_token}".replace(".", ",") for r in made(runs)
    )


def pasted(monkeypatch, text: str) -> AppTest:
    page = opened(monkeypatch, 0)
    page.text_area(key="scaling_bench_table").set_value(text).run()
    assert not page.exception
    return page


def test_an_own_table_is_fitted_with_intervals_that_hold_the_truth(monkeypatch):
    page = pasted(monkeypatch, table())
    assert any("Read 30 runs: N 50k to 10M" in caption.value for caption in page.caption)
    page.button(key="scaling_bench_fit").click().run()
    assert not page.exception
    frame = next(d.value for d in page.dataframe if "Of the law" in d.value).set_index("Of the law")
    low, high = frame.loc["α, parameters", "95 % interval"].split(" to ")
    assert float(low) < TRUTH.alpha < float(high)
    assert len(page.get("download_button")) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (table().replace("1250000", "=1+1"), "a formula"),
        (table().replace("1250000", "NaN"), "row 2, column D"),
        (table().replace("1250000", "-1"), "row 2, column D"),
        ("1e7,1e9,4.1\n1e7,2e9,3.9", "The first line must name the columns; it reads: 1e7, 1e9, 4.1."),
        ("N;loss\n1;2", "two of parameters"),
        ("hello", "one column"),
    ],
)
def test_a_bad_table_is_a_sentence_and_the_text_stays(monkeypatch, text, said):
    page = pasted(monkeypatch, text)
    if page.button and any(b.key == "scaling_bench_fit" for b in page.button):
        page.button(key="scaling_bench_fit").click().run()
    assert said in page.error[0].value.replace("\u2060", "").replace("\\", "")
    assert page.text_area(key="scaling_bench_table").value == text


@pytest.mark.parametrize(
    ("text", "read", "said"),
    [
        (table(3), "Read 3 runs", "at least 6 runs; add 3 or more"),
        ("N,D,loss\n" + "\n".join(f"1e6,{d}e6,3.{9 - d}" for d in range(1, 8)), "Read 7 runs", "these have 1"),
    ],
)
def test_too_few_own_runs_are_told_before_a_click(monkeypatch, text, read, said):
    page = pasted(monkeypatch, text)
    assert not page.error
    assert any(read in caption.value for caption in page.caption)
    assert any(said in box.value for box in page.info)
    assert page.button(key="scaling_bench_fit").disabled


def test_another_header_is_guessed_afresh(monkeypatch):
    page = pasted(monkeypatch, "x,y,z\n" + table().split("\n", 1)[1].replace(",", ".").replace(";", ","))
    assert "none known as a loss" in page.error[0].value
    page.text_area(key="scaling_bench_table").set_value(table()).run()
    assert not page.error
    assert any("Read 30 runs" in caption.value for caption in page.caption)


@pytest.mark.parametrize("settled", [True, False])
def test_a_fit_that_has_not_settled_is_warned_of(monkeypatch, settled):
    found = replace(scaling_points.fitted(Points.of(made(30))), converged=settled)
    monkeypatch.setattr(scaling_bench, "fitted", lambda points: found)
    monkeypatch.setattr(scaling_own, "fitted", lambda points: found)
    page = opened(monkeypatch, law="The fitter's")
    assert len(page.warning) == (not settled)
    page.text_area(key="scaling_bench_table").set_value(table()).run()
    page.button(key="scaling_bench_fit").click().run()
    assert len(page.warning) == 2 * (not settled)
    assert all("did not settle" in box.value for box in page.warning)
    end = f"of the 24 refined ended in the same place; {'converged' if settled else 'did not converge'}"
    said = [c.value for c in page.caption if "Found by search from 4,500 starting points" in c.value]
    assert len(said) == 2
    assert all(f"{found.agreeing} {end}" in text for text in said)


def test_bad_rows_can_be_left_out(monkeypatch):
    page = pasted(monkeypatch, table().replace("1250000", "NaN", 2))
    assert page.error
    page.toggle(key="scaling_bench_skip").set_value(True).run()
    assert not page.error
    assert any("2 rows left out" in caption.value for caption in page.caption)


def filled_in(page) -> set[float]:
    page.button(key="scaling_bench_table_example").click().run()
    lines = page.text_area(key="scaling_bench_table").value.splitlines()[1:]
    page.text_area(key="scaling_bench_table").set_value("").run()
    return {float(line.split(",")[2]) for line in lines}


def test_filling_in_our_runs_does_not_tell_what_is_hidden_until_it_is_revealed(monkeypatch):
    page = opened(monkeypatch)
    shown, hidden = ({run.loss_per_token for run in part} for part in scaling_runs.split(made(30)))
    assert filled_in(page) == shown
    page.button(key="scaling_bench_commit").click().run()
    assert filled_in(page) == shown
    page.button(key="scaling_bench_reveal").click().run()
    assert filled_in(page) == shown | hidden
    page.button(key="scaling_bench_again").click().run()
    assert filled_in(page) == shown


@pytest.mark.parametrize(
    ("header", "got"),
    [
        ("parameters,tokens,learning_rate", "got the columns parameters, tokens, learning_rate, and none known as"),
        ("parameters,tokens", "got the columns parameters, tokens, and none known as a loss. Add it."),
    ],
)
def test_a_loss_is_asked_for_and_never_taken_from_where_a_column_stands(monkeypatch, header, got):
    rows = [f"{r.parameters},{r.tokens},{r.loss_per_token}".rsplit(",", 2 - header.count(","))[0] for r in made(30)]
    page = pasted(monkeypatch, header + "\n" + "\n".join(rows))
    assert got in page.error[0].value.replace("\u2060", "").replace("\\", "")
    assert all(button.key != "scaling_bench_fit" for button in page.button)
    if "rate" in header:
        box = next(box for box in page.selectbox if box.label == "Loss")
        assert box.value is None
        box.set_value("learning_rate").run()
        assert not page.error
        assert any("Read 30 runs" in caption.value for caption in page.caption)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('N,D,loss\n55536,524288,"3,65"', "N 55.5k to 55.5k, D 524k to 524k, loss 3.650 to"),
        ("N;D;loss\n55.536;524.288;3,65", "N 55.5k to 55.5k, D 524k to 524k, loss 3.650 to"),
        ("N,D,loss\n" + "55536,524288,3.65\n" * 3, "N 55.5k to 55.5k, D 524k"),
        ("N (M),D (B),loss (nats)\n70,1.4,3.1", "N 70M to 70M, D 1.4B to 1.4B, loss 3.100"),
    ],
)
def test_decimal_signs_and_units_are_read_and_the_sign_can_be_chosen(monkeypatch, text, read):
    page = pasted(monkeypatch, text)
    assert not page.error
    assert any(read in caption.value for caption in page.caption)
    assert any(box.label == "Decimal sign" for box in page.selectbox)


ENDS = ((5e4, 1e7), (5e5, 4e6))


def test_of_a_hundred_thousand_rows_two_thousand_are_fitted(monkeypatch):
    draw = np.random.default_rng(0).uniform
    n, d = (np.exp(draw(np.log(low), np.log(high), 100_000)).round() for low, high in ENDS)
    rows = zip(n, d, predict_loss(n, d, TRUTH), strict=True)
    page = pasted(monkeypatch, "N,D,loss\n" + "\n".join(f"{n:.0f},{d:.0f},{loss:.6f}" for n, d, loss in rows))
    assert not page.error
    said = next(caption.value for caption in page.caption if "Read 100,000 runs" in caption.value)
    assert "The fit takes 2,000 of them, evenly picked by compute." in said
    page.button(key="scaling_bench_fit").click().run()
    assert any("n = 2,000 runs" in caption.value for caption in page.caption)


def revealed_by(page, law: str) -> str:
    page.segmented_control(key="scaling_bench_law").set_value(law).run()
    page.button(key="scaling_bench_commit").click().run()
    page.button(key="scaling_bench_reveal").click().run()
    return page.success[0].value


def test_equal_errors_are_a_tie(monkeypatch):
    assert "Neither of you was closer" in revealed_by(opened(monkeypatch), "The fitter's")
    assert "The fitter was closer" in revealed_by(opened(monkeypatch), "Yours")


def test_a_forecast_belongs_to_the_runs_it_was_made_from(monkeypatch):
    runs = [*made(30), *(replace(run, tokens=5 * 10**5, flops=run.flops / 1e3) for run in made(5))]
    monkeypatch.setattr(scaling_runs, "load", lambda: tuple(runs))
    page = AppTest.from_file(str(PAGE), default_timeout=60).run()
    before = revealed_by(page, "Yours")
    assert any("A reload of this page forgets the forecast" in caption.value for caption in page.caption)
    page.toggle(key="scaling_bench_short").set_value(True).run()
    assert not page.success
    assert page.button(key="scaling_bench_commit")
    page.toggle(key="scaling_bench_short").set_value(False).run()
    assert page.success[0].value == before


def test_the_question_says_how_far_the_forecast_reaches(monkeypatch):
    page = opened(monkeypatch)
    shown, hidden = scaling_runs.split(made(30))
    times = max(run.flops for run in hidden) / max(run.flops for run in shown)
    assert f"up to {times:.1f} times their compute" in page.pills(key="scaling_bench_guess").label
    assert "with more compute" in opened(monkeypatch, 7).pills(key="scaling_bench_guess").label


BAD = ["7", "nan", "", "<script>alert(1)</script>"]


@pytest.mark.parametrize("value", BAD)
def test_a_bad_link_is_a_sentence_for_each_value(monkeypatch, value):
    names = ["law", "over", "short", "E", "alpha", "beta"]
    page = opened(monkeypatch, **dict.fromkeys(names, value))
    (said,) = (box.value for box in page.warning)
    assert all(f"- {name}: expected" in said for name in names)
    assert "<script>" not in said
    assert not opened(monkeypatch, law="The fitter's", over="Compute", short="true", A="29.9", E="1.5").warning


def test_the_guess_is_compared_with_the_fit_once_the_runs_are_revealed(monkeypatch):
    page = opened(monkeypatch)
    page.pills(key="scaling_bench_guess").set_value("3 to 10 %").run()
    page.button(key="scaling_bench_commit").click().run()
    page.button(key="scaling_bench_reveal").click().run()
    assert any("under 1 %" in box.value for box in page.info)


def test_a_live_run_lands_on_the_chart(monkeypatch):
    def watch(size, tokens, seed):
        yield "run", Watched(0.5, 4.0)
        yield "run", Watched(1.0, 3.9, replace(made(1)[0], seed=seed, device="cpu float32"))

    monkeypatch.setattr(live_run, "watch", watch)
    page = opened(monkeypatch)
    page.button(key="scaling_bench_train").click().run()
    page.run()
    assert not page.exception
    assert len(page.session_state["scaling_bench_trained"]) == 1
    assert any("held-out loss" in markdown.value for markdown in page.markdown)


def test_a_live_run_whose_connection_broke_off_says_so_until_the_next(monkeypatch):
    def watch(size, tokens, seed):
        yield "run", Watched(0.25, 4.0)
        for _ in range(1000):
            time.sleep(0.01)
            yield "run", Watched(0.5, 3.9)

    monkeypatch.setattr(live_run, "watch", watch)
    page = opened(monkeypatch)
    page.button(key="scaling_bench_train").click().run()
    run = page.session_state["scaling_bench_live"]
    run.lost = True
    run.cancel()
    assert run.wait(2)
    page.run()
    (said,) = (c.value for c in page.caption if "broke off" in c.value)
    assert said.endswith("% of the training; nothing of it is kept.")
    assert page.button(key="scaling_bench_train")


def test_a_live_run_that_must_wait_says_so_and_the_form_comes_back(monkeypatch):
    def watch(size, tokens, seed):
        raise BusyError("Someone else is training a model here now.")
        yield

    monkeypatch.setattr(live_run, "watch", watch)
    page = opened(monkeypatch)
    page.button(key="scaling_bench_train").click().run()
    page.run()
    assert "Someone else" in page.error[0].value
    page.button(key="scaling_bench_back").click().run()
    assert page.button(key="scaling_bench_train")


def test_the_shortest_runs_are_drawn_but_fitted_only_on_demand(monkeypatch):
    runs = [*made(30), *(replace(run, tokens=5 * 10**5, flops=run.flops / 1e3) for run in made(5))]
    monkeypatch.setattr(scaling_runs, "load", lambda: tuple(runs))
    page = AppTest.from_file(str(PAGE), default_timeout=60).run()
    note = next(m.delta for m in page.metric if m.label == "Mean error")
    assert note == "on the 23 visible runs"
    assert any("Grey circles: 5 runs of fewer than 1.2M tokens, not fitted" in c.value for c in page.caption)
    page.toggle(key="scaling_bench_short").set_value(True).run()
    assert not page.exception
    assert next(m.delta for m in page.metric if m.label == "Mean error") == "on the 28 visible runs"
    assert not any("Grey circles" in c.value for c in page.caption)
