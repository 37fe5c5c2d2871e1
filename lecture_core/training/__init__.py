"""The recipes that made the bundled models; run one with `python -m lecture_core.training <recipe> --corpus FILE`."""
