"""After this page a student knows what the lecture covers, what can be run here, and where to start."""

import streamlit as st

st.title("Lecture Lab", anchor=False)
