import ipaddress
import os
import socket

import pytest
from hypothesis import settings

# What models answer is tested; tests of the recorded first views switch them on.
os.environ.setdefault("LECTURE_FIRST_VIEWS", "off")
# What they compare holds in float32; tests/gpu chooses the GPU for itself.
os.environ.setdefault("LECTURE_DEVICE", "cpu")

# Where several test processes run side by side, each computes on cores of its own, and so does all that it starts: two
# OpenMP teams that spin on the same cores take ten times as long.
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))[int(worker[2:]) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]
    os.sched_setaffinity(0, cores or os.sched_getaffinity(0))

# How long an example takes says something about the machine and what else it does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Refuse every connection to another machine, as if the cable were out."""
    connect = socket.socket.connect

    def only_here(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise OSError(f"the tests know no network, asked for {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


def _is_here(host):
    return host == "localhost" or ipaddress.ip_address(host).is_loopback
