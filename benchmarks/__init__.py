"""Our speed against what people would use instead: both sides in one run, on the same weights and inputs."""
