"""What holds for every test: the same examples each run, and no clock on the wall."""

from hypothesis import settings

settings.register_profile("kairos", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("kairos")
