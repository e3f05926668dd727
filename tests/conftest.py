"""Settings that all tests share."""

import os

from hypothesis import settings

# The same examples in every run, so that a run judges the code and not the draw. New ones are
# looked for by `--hypothesis-profile default`.
settings.register_profile("same_examples", derandomize=True)
settings.load_profile("same_examples")

# Tests run beside each other, a process for each core. Pools of threads within would only get in
# each other's way. Read by TensorFlow and BLAS when they are first imported, here and in children.
# Inter-op threads are left alone: the TensorFlow engine refuses calls in a graph if there is one.
for name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
):
    os.environ.setdefault(name, "1")
