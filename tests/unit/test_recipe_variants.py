import pytest

from lecture_core import recipe_variants
from lecture_core.recipe_variants import VariantRun, append, chance, groups, load
from lecture_core.run_tables import RunError

RUN = VariantRun(
    "recipe", 0.2, 5e-4, 0.5, "encoder", 0, 1000, 4.1, 0.3, 4.0, 0.35, 30, 80, 150, 9.0, "2026-01-31", "cpu"
)


def other(**changed):
    return VariantRun(**(vars(RUN) | changed))


def test_what_was_recorded_belongs_to_this_recipe_and_can_be_repeated():
    runs = load()
    assert runs[0].variant == "recipe"
    assert len({run.tokens for run in runs}) == 1
    assert len({(run.variant, run.seed) for run in runs}) == len(runs)
    assert all(run.cloze_n == 150 for run in runs)


def test_rows_come_back_as_they_were_written(tmp_path):
    path = tmp_path / "variants.csv"
    for run in (RUN, other(variant="sentences only", seed=1)):
        append(run, path)
    assert load(path) == (RUN, other(variant="sentences only", seed=1))
    assert load(tmp_path / "none.csv") == ()


@pytest.mark.parametrize("changed", [{"cloze_top5": 151}, {"cloze_rank1": 81}, {"blocks_loss": 0.0}])
def test_impossible_figures_are_refused_with_their_row(tmp_path, changed):
    path = tmp_path / "variants.csv"
    append(RUN, path)
    broken = vars(RUN) | changed
    with path.open("a") as file:
        file.write(",".join(map(str, broken.values())) + "\n")
    with pytest.raises(RunError, match=r"variants\.csv, row 3"):
        load(path)


def test_chance_is_what_another_seed_changes():
    assert chance([RUN, other(variant="sentences only", cloze_top5=40)]) is None
    assert chance([RUN, other(seed=1, cloze_top5=85), other(variant="x", cloze_top5=40)]) == 5


def test_each_rate_comes_with_its_interval():
    found = groups([RUN, other(seed=1)])
    assert [group.name for group in found] == ["recipe", "recipe, seed 1"]
    rate = found[0].rates["right within 5"]
    assert (rate.right, rate.n) == (80, 150)
    assert rate.low < 80 / 150 < rate.high


def test_the_caption_names_the_command():
    assert recipe_variants.COMMAND in recipe_variants.provenance([RUN]).source
