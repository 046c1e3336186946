"""Spack package of mopo; see packaging/README.md for how to use it."""
try:  # since Spack 1.0 build systems live beside the packages
    from spack_repo.builtin.build_systems.cmake import CMakePackage
except ImportError:  # before, the next line brings them
    pass
import spack
from spack.package import *


class Mopo(CMakePackage):
    """Distributed trainer for model-based offline reinforcement learning
    (MOPO, Yu et al. 2020): the same bytes on any number of ranks."""

    license("MIT")

    # No archive of a release is published: spack dev-build builds this source tree.
    version("0.1.0")

    variant("march", default="x86-64-v3", values=str, multi=False,
            description="-march of x86 CPUs; the oldest node must have it")
    variant("gemm", default="openblas", values=("openblas", "blis", "onednn"), multi=False,
            description="library of the matrix products (docs/speed.md)")

    if spack.spack_version_info >= (0, 23):  # compilers became dependencies
        depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5~mpi")  # the parallel one would tie files to one MPI
    depends_on("openblas", when="gemm=openblas")
    depends_on("openblas", when="gemm=onednn")
    depends_on("blis threads=none +cblas", when="gemm=blis")
    depends_on("onednn", when="gemm=onednn")
    depends_on("libyaml")
    depends_on("jansson")
    depends_on("xxhash")
    depends_on("openssl")
    # Spack's own is 2.1.0, too old: declare an unpacked release as an external.
    depends_on("mujoco@2.2.2:")

    def cmake_args(self):
        args = [
            self.define("MOPO_TESTS", False),
            self.define_from_variant("MOPO_GEMM", "gemm"),
        ]
        if self.spec.satisfies("target=x86_64:"):
            args.append(self.define_from_variant("MOPO_MARCH", "march"))
        return args

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_program(self):
        Executable(self.prefix.bin.mopo)("--version")
