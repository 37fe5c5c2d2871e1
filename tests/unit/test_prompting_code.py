import pytest

from lecture_core.chain_of_thought import METHODS
from lecture_core.chain_of_thought import build_prompt as reasoning_prompt
from lecture_core.few_shot import Asking
from lecture_core.prompting import build_prompt
from lecture_core.prompting_code import reasoning_code, task_code
from lecture_core.tasks import list_tasks, load_task

MODELS = ("smollm2-135m-instruct", "gpt2")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", list_tasks("few_shot"))
def test_code_is_python_and_holds_the_exact_prompt(name, model):
    task = load_task(name)
    prompt = build_prompt(task, task.example, 3)
    code = task_code(task, Asking(model), prompt)
    compile(code, name, "exec")
    assert f"prompt = {prompt!r}" in code


@pytest.mark.parametrize("model", MODELS)
def test_reasoning_code_is_python_and_holds_all_three_prompts(model):
    task = load_task("word_problems")
    code = reasoning_code(task, task.example, model, 4, 0)
    compile(code, "code", "exec")
    assert all(repr(reasoning_prompt(task, task.example, method, 4)) in code for method in METHODS)
