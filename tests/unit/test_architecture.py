"""The rules that hold the project together, checked over every file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lecture_core.outline import PAGES

ROOT = Path(__file__).parents[2]
LIGHT = [
    "errors",
    "catalog",
    "device",
    "loading",
    "outline",
    "provenance",
    "text_input",
    "tables",
    "published_table",
    "tasks",
    "prompting",
    "answers",
    "statistics",
    "calibration",
    "cloze",
    "law",
    "scaling_laws",
    "kaplan",
    "reporting",
    "three_approaches",
    "training_plan",
    "scaling_models",
    "scaling_runs",
    "scaling_points",
    "compute_drag",
    "drawing_round",
    "serving_speed",
    "scaling_table",
    "token_tree",
    "scaling_export",
    "figures.scaling_bench",
    "model_cards",
    "model_quality",
    "originals",
    "figures.template",
    "figures.model_quality",
    "figures.scaling",
    "figures.quick",
    "figures.loss_terms",
    "t5_sizes",
    "figures.approaches",
    "figures.loss_surface",
    "figures.prompting",
    "engine",
    "engine.batch_limits",
    "engine.local",
    "engine.results",
    "generation",
    "encoder_code",
    "panel_code",
    "masking_rate",
    "loaded_tokenizer",
    "engine.continuous",
    "sampling",
    "sampling_code",
    "continuations",
    "surprise",
    "few_shot",
    "in_context",
    "recorded_runs",
    "run_tables",
    "recipe_variants",
    "recorded_answers",
    "figures.generations",
    "scenes",
    "scene_questions",
    "picture_view",
    "multimodal_code",
    "engine.pictures",
    "figures.pictures",
    "figures.two_laws",
    "scaling_cells",
    "scaling_columns",
    "drawing_shapes",
    "drawing_studio",
    "drawing_tikz",
    "vote_store",
    "sample_pictures",
]
LIMITS = {"pages": 120, "lecture_core": 300, "tests": 500, "benchmarks": 500}
SOURCES = [p for folder in LIMITS for p in (ROOT / folder).rglob("*.py")]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_light_modules_import_neither_torch_nor_transformers():
    code = (
        f"import sys\nfor m in {LIGHT!r}: __import__('lecture_core.' + m)\n"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_only_ui_web_and_pages_import_streamlit():
    allowed = (ROOT / "lecture_core/ui", ROOT / "lecture_core/web")
    for path in (ROOT / "lecture_core").rglob("*.py"):
        if not path.is_relative_to(allowed[0]) and not path.is_relative_to(allowed[1]):
            assert "streamlit" not in set(imported(path)), path


def test_pages_and_ui_never_import_torch():
    for path in [*(ROOT / "pages").rglob("*.py"), *(ROOT / "lecture_core/ui").rglob("*.py")]:
        assert not {"torch", "transformers", "pages"} & set(imported(path)), path


def test_every_page_has_a_row_and_every_row_a_page():
    files = {p.relative_to(ROOT).as_posix() for p in (ROOT / "pages").rglob("*.py")}
    assert files == {row.path for row in PAGES}
    assert len({row.stem for row in PAGES}) == len(PAGES)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= LIMITS[path.relative_to(ROOT).parts[0]]
