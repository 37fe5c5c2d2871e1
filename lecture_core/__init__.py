"""The core of Lecture Lab: models, measurement, published numbers. Only `ui` and `web` know Streamlit."""
