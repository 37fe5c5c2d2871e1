"""The sweep of learning rates: the rule that all runs follow stays near the best rate of each size."""

import math

from lecture_core import scaling_runs
from lecture_core.training.decoder_grid import SWEEP_RATES, SWEEP_SIZES, learning_rate
from lecture_core.ui import rate_sweep

RUNS = scaling_runs.sweep()


def test_every_size_was_run_at_every_rate():
    assert len(RUNS) == len(SWEEP_SIZES) * len(SWEEP_RATES)
    assert {run.learning_rate for run in RUNS} == set(SWEEP_RATES)
    assert len({run.revision for run in (*RUNS, *scaling_runs.load())}) == 1


def test_the_rule_stays_within_half_a_step_of_the_best_rate():
    for width, size in zip([s.width for s in SWEEP_SIZES], sorted({run.parameters for run in RUNS}), strict=True):
        best = min((run for run in RUNS if run.parameters == size), key=lambda run: run.loss_per_token)
        assert abs(math.log2(learning_rate(width) / best.learning_rate)) < 0.5


def test_the_table_names_one_best_rate_a_size():
    table = rate_sweep.table(RUNS)
    assert table.shape == (len(SWEEP_RATES), len(SWEEP_SIZES))
    for column in table:
        assert sum("best" in cell for cell in table[column]) == 1


def test_a_rate_that_was_not_run_is_said():
    table = rate_sweep.table([run for run in RUNS if (run.parameters, run.learning_rate) != (55536, 0.0005)])
    assert table.iloc[0, 0] == "not run"
