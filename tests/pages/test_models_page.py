"""Every model has its card, filters and links bring the same view back, and what was not measured is not shown."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lecture_core import catalog, recipe_variants
from lecture_core.model_cards import card, cards, select
from lecture_core.ui.errors import escape_markdown

PAGE = str(Path(__file__).parents[2] / "pages/reference/models.py")


def open_page(**address: str) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=60)
    for key, value in address.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def address(at: AppTest, key: str) -> str | None:
    value = at.query_params.get(key)
    return value[0] if isinstance(value, list) else value


def written(at: AppTest) -> str:
    tables = [table.value.to_string() for table in at.table]
    return "\n".join([element.value for element in [*at.markdown, *at.caption, *at.code]] + tables)


def test_the_first_model_and_the_whole_catalog_show_without_a_click():
    at = open_page()
    assert at.subheader[0].value == catalog.models()[0].title
    assert at.dataframe[0].value.iloc[:, 0].tolist() == [spec.title for spec in catalog.models()]
    assert at.download_button[0].label == "Download CSV"


@pytest.mark.parametrize("spec", catalog.models(), ids=lambda spec: spec.id)
def test_a_link_opens_every_card_with_size_licence_and_command(spec):
    at = open_page(models_model=spec.id)
    assert at.selectbox(key="models_model").value == spec.id
    shown = written(at)
    assert f"{spec.parameters:,}" in shown
    assert spec.license.split()[0] in shown
    assert card(spec.id).availability.command in shown
    assert spec.loadable.rpartition("/")[2] in shown


@pytest.mark.parametrize("spec", [s for s in catalog.models() if s.origin == "bundled"], ids=lambda s: s.id)
def test_our_own_models_show_how_they_were_trained(spec):
    at = open_page(models_model=spec.id)
    shown = written(at)
    assert "How it learned" in shown
    assert ("CC BY-SA" in shown) == (spec.role != "vision_language")
    assert all(command in shown for command in card(spec.id).training_commands)


def test_no_card_names_a_measuring_command_that_would_refuse():
    shown = written(open_page(models_model="minilm-electra-generator"))
    assert "lecture_core.training.evaluate minilm-electra-generator" not in shown
    assert "measured together with the discriminator" in shown


def test_the_bundled_card_is_shown_without_html():
    at = open_page()
    first = card(catalog.models()[0].id)
    assert all(first.section(title) in written(at) for title in ("Training", "Data and licence", "What it is bad at"))
    assert not any(markdown.allow_html for markdown in at.markdown)


def test_filters_keep_the_models_of_a_role_and_a_state():
    at = open_page()
    at.selectbox(key="models_role").set_value("seq2seq").run()
    assert address(at, "models_role") == "seq2seq"
    wanted = [c.spec.title for c in select(cards(), role="seq2seq")]
    assert at.dataframe[0].value.iloc[:, 0].tolist() == wanted
    assert at.subheader[0].value == wanted[0]
    at.selectbox(key="models_state").set_value("here").run()
    wanted = [c.spec.title for c in select(cards(), role="seq2seq", state="here")]
    assert not at.exception
    assert [s.value for s in at.subheader][:-1] == wanted[:1]


def test_a_filter_that_leaves_nothing_says_so():
    at = open_page(models_role="vision_language", models_state="cached")
    assert at.info[0].value == "No model has this role and this state. Choose another state."
    assert not at.dataframe


def test_a_model_that_the_filter_hides_gives_way_to_the_first_that_is_left():
    at = open_page(models_model="bert-base-uncased")
    at.selectbox(key="models_role").set_value("causal_lm").run()
    assert not at.exception
    assert at.subheader[0].value == select(cards(), role="causal_lm")[0].spec.title


def test_a_link_to_no_model_suggests_one_and_shows_the_first():
    at = open_page(models_model="bert-bse-uncased<b>", models_role="nothing", models_state="nowhere")
    assert "Did you mean bert-base-uncased" in at.error[0].value
    assert "<b>" not in at.error[0].value.replace("\\<", "")
    assert at.subheader[0].value == catalog.models()[0].title


def test_the_masked_lm_shows_the_variants_of_its_recipe_and_no_other_card_does():
    shown = written(open_page(models_model=recipe_variants.MODEL))
    assert "What the recipe rests on" in shown
    assert escape_markdown(recipe_variants.provenance(recipe_variants.load()).source) in shown
    run = recipe_variants.load()[0]
    assert f"{run.blocks_top1:.3f}" in shown
    assert "What the recipe rests on" not in written(open_page(models_model="t5-nano"))
