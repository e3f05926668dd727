"""Settings that all tests share."""

import os

# Tests run beside each other, a process for each core. Pools of threads within would only get in
# each other's way. Read by TensorFlow and BLAS when they are first imported, here and in children.
# Inter-op threads are left alone: the TensorFlow engine refuses calls in a graph if there is one.
for name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
):
    os.environ.setdefault(name, "1")
