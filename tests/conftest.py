import os

# What models answer is tested; tests of the recorded first views switch them on.
os.environ.setdefault("LECTURE_FIRST_VIEWS", "off")
