"""The web server: the Streamlit app as an ASGI application, with security headers and a health route."""
