"""What the machine is, how many threads the benchmarks try, and what lets peers use what it has."""

import os
import pathlib
import re
import shlex

CORES = len(os.sched_getaffinity(0))
THREADS = [1, CORES] if CORES > 1 else [1]

COMPILER = shlex.split(os.environ.get("CXX", "c++"))

CPUINFO = pathlib.Path("/proc/cpuinfo").read_text()
# ARM's has no name there.
PROCESSOR = (re.findall(r"^model name\s*: (.*)", CPUINFO, re.MULTILINE) or [f"a processor of {os.uname().machine}"])[0]

# Environments. Where they do not know the processor, these libraries pick slower kernels than it can run.
AVX2, AVX512 = "avx2" in CPUINFO, "avx512f" in CPUINFO
OPENBLAS = {"OPENBLAS_CORETYPE": "SKYLAKEX"} if AVX512 else {}
BLIS = {"BLIS_ARCH_TYPE": "0"} if AVX512 else {}  # skx
TORCH = {"ATEN_CPU_CAPABILITY": "avx512"} if AVX512 else {}

# For a program that multiplies by the BLAS which is found first: the two of Debian's that are fast.
FOLDER = f"/usr/lib/{os.uname().machine}-linux-gnu"
EITHER_BLAS = [{"LD_LIBRARY_PATH": f"{FOLDER}/openblas-openmp"} | OPENBLAS,
               {"LD_LIBRARY_PATH": f"{FOLDER}/blis-openmp"} | BLIS]
