# Every library the program needs, as target mopo_dependencies. What is missing is collected and told in one message,
# one sentence each, so that one trip to the package manager or the module system is enough.
find_package(PkgConfig QUIET)
include(CheckCSourceCompiles)
add_library(mopo_dependencies INTERFACE)
set(missing "")

# mopo_library(NAME title debian-package "pkg-config modules, best first" header library) -> target mopo::NAME.
# With NAME_DIR, as CMake or environment variable, it is looked for there and nowhere else.
macro(mopo_library NAME title package modules header library)
  set(root ${${NAME}_DIR} $ENV{${NAME}_DIR})
  set(only "")
  if(root)
    set(only NO_DEFAULT_PATH)
    unset(${NAME}_INCLUDE CACHE)
    unset(${NAME}_LIBRARY CACHE)
  elseif(PkgConfig_FOUND)
    pkg_search_module(${NAME} QUIET IMPORTED_TARGET ${modules})
  endif()
  add_library(mopo::${NAME} INTERFACE IMPORTED)
  if(TARGET PkgConfig::${NAME})
    target_link_libraries(mopo::${NAME} INTERFACE PkgConfig::${NAME})
  else()
    find_path(${NAME}_INCLUDE ${header} HINTS ${root} PATH_SUFFIXES include include/${library} ${only})
    find_library(${NAME}_LIBRARY ${library} HINTS ${root} PATH_SUFFIXES lib lib64 ${only})
    if(${NAME}_INCLUDE AND ${NAME}_LIBRARY)
      target_include_directories(mopo::${NAME} INTERFACE ${${NAME}_INCLUDE})
      target_link_libraries(mopo::${NAME} INTERFACE ${${NAME}_LIBRARY})
    else()
      string(REPLACE ";" ".pc or " files "${modules}")
      string(APPEND missing "\n  ${title} is missing: install Debian's ${package}, or have ${files}.pc on PKG_CONFIG_PATH, "
        "or pass -D${NAME}_DIR=<folder with include and lib>.")
    endif()
  endif()
endmacro()

mopo_library(YAML libyaml libyaml-dev yaml-0.1 yaml.h yaml)
mopo_library(JANSSON Jansson libjansson-dev jansson jansson.h jansson)
mopo_library(XXHASH xxHash libxxhash-dev libxxhash xxhash.h xxhash)
mopo_library(LIBCRYPTO "OpenSSL's libcrypto" libssl-dev libcrypto openssl/evp.h crypto)
# The matrix library behind src/nn/gemm.h: OpenBLAS unless another is to be tried (docs/speed.md).
set(MOPO_GEMM openblas CACHE STRING "Matrix library: openblas, blis or onednn")
if(MOPO_GEMM STREQUAL "blis")
  mopo_library(BLIS BLIS libblis-serial-dev blis cblas.h blis)
  set(gemm_libraries mopo::BLIS)
else()
  mopo_library(OPENBLAS OpenBLAS libopenblas-dev openblas cblas.h openblas)
  set(gemm_libraries mopo::OPENBLAS)
  if(MOPO_GEMM STREQUAL "onednn")
    mopo_library(ONEDNN oneDNN libdnnl-dev dnnl oneapi/dnnl/dnnl.h dnnl)
    list(APPEND gemm_libraries mopo::ONEDNN gomp)
  elseif(NOT MOPO_GEMM STREQUAL "openblas")
    string(APPEND missing "\n  MOPO_GEMM is '${MOPO_GEMM}'; allowed are openblas, blis and onednn.")
  endif()
endif()
target_compile_definitions(mopo_dependencies INTERFACE MOPO_GEMM=gemm_${MOPO_GEMM})
mopo_library(HDF5 "Serial HDF5" libhdf5-dev "hdf5-serial;hdf5" hdf5.h hdf5)
if(MOPO_TESTS)
  mopo_library(CMOCKA "cmocka (only for -DMOPO_TESTS=ON)" libcmocka-dev cmocka cmocka.h cmocka)
endif()

# The parallel library would tie files to one MPI and open them on every rank.
if(TARGET PkgConfig::HDF5 OR HDF5_LIBRARY)
  unset(HDF5_IS_SERIAL CACHE)
  set(CMAKE_REQUIRED_LIBRARIES mopo::HDF5)
  set(CMAKE_REQUIRED_QUIET ON)
  check_c_source_compiles("#include <H5pubconf.h>
    #ifdef H5_HAVE_PARALLEL
    #error parallel
    #endif
    int main(void) { return 0; }" HDF5_IS_SERIAL)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(NOT HDF5_IS_SERIAL)
    string(APPEND missing "\n  The HDF5 that was found is the MPI build: install Debian's libhdf5-dev (hdf5-serial.pc), or load a "
      "serial one (Spack: hdf5~mpi), or pass -DHDF5_DIR=<folder with include and lib>.")
  endif()
endif()

find_package(MPI QUIET COMPONENTS C)
if(NOT MPI_C_FOUND)
  string(APPEND missing "\n  Open MPI is missing: install Debian's libopenmpi-dev and openmpi-bin, or load the site's module so that "
    "mpicc is on PATH, or pass -DMPI_C_COMPILER=<path of mpicc>.")
endif()
find_package(MuJoCo QUIET)
if(NOT MuJoCo_FOUND)
  string(APPEND missing "\n  MuJoCo (2.2.2 or 3.x) is missing: install Debian's libmujoco-dev, or unpack a release and pass "
    "-DMUJOCO_DIR=<its folder>.")
endif()
if(NOT PkgConfig_FOUND)
  string(APPEND missing "\n  pkg-config is missing: install Debian's pkg-config; without it only default folders and NAME_DIR are searched.")
endif()

if(missing AND NOT (missing MATCHES "^\n  pkg-config[^\n]*$"))
  message(FATAL_ERROR "What mopo needs and this machine lacks (then run cmake again; "
    "tools/install_dependencies.sh installs all on Debian):${missing}\n")
endif()
target_link_libraries(mopo_dependencies INTERFACE MPI::MPI_C MuJoCo::MuJoCo mopo::HDF5 mopo::YAML mopo::JANSSON
  mopo::XXHASH mopo::LIBCRYPTO ${gemm_libraries} m)
