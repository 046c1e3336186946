# The only place with compiler flags.
add_library(mopo_flags INTERFACE)
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON) # libraries of modules, Spack and MUJOCO_DIR are found after install too
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON) # CMake pads the other with an empty entry: libraries of the current folder
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# x86-64-v3 (AVX2 and FMA, any server since 2015) and not native: the nodes of a cluster differ from its login node.
set(march native)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(march x86-64-v3)
  file(STRINGS /proc/cpuinfo cpu REGEX "^flags" LIMIT_COUNT 1)
  foreach(feature avx2 fma bmi1 bmi2 f16c movbe)
    if(cpu AND NOT cpu MATCHES " ${feature}( |$)")
      string(APPEND lacking " ${feature}")
      set(march native)
    endif()
  endforeach()
endif()
set(MOPO_MARCH ${march} CACHE STRING "Target of -march")
if(lacking)
  message(WARNING "This CPU lacks${lacking}, which x86-64-v3 needs. Building with -march=${MOPO_MARCH}; "
    "choose another target with -DMOPO_MARCH=<name> if the program is to run elsewhere.")
endif()

# Functions that are compiled for two targets and chosen by the loader (base/wide.h): GCC with glibc. Clang 14 gets
# calls from other files wrong, and sanitizers do not like the choice being made before they start.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT MOPO_SANITIZE)
  include(CheckCSourceCompiles)
  check_c_source_compiles("__attribute__((target_clones(\"avx512f\", \"default\"))) int twice(int x) { return 2 * x; }
    int main(void) { return twice(0); }" MOPO_HAS_CLONES)
  if(MOPO_HAS_CLONES)
    target_compile_definitions(mopo_flags INTERFACE MOPO_WIDE)
  endif()
endif()

target_compile_definitions(mopo_flags INTERFACE _POSIX_C_SOURCE=200809L MOPO_ASSERTS=$<BOOL:${MOPO_ASSERTS}>)
# -ffp-contract=off: gcc and clang contract differently. No -ffast-math anywhere: it deletes NaN checks.
target_compile_options(mopo_flags INTERFACE
  -O3 -march=${MOPO_MARCH} -ffp-contract=off -fno-math-errno -fno-trapping-math
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion -Wfloat-conversion -Wcast-qual
  -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wundef
  -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(mopo_flags INTERFACE -Wlogical-op -Wduplicated-cond -Wduplicated-branches
    -Wno-format-truncation) # our messages are cut on purpose
endif()
# Messages name files as src/...: the program does not know where it was built.
target_compile_options(mopo_flags INTERFACE -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(MOPO_WERROR)
  target_compile_options(mopo_flags INTERFACE -Werror)
endif()

# Hardening: datasets and policies come from strangers. None of it shows in the update's time.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_compile_options(mopo_flags INTERFACE -fstack-protector-strong -fstack-clash-protection)
if(cpu)
  target_compile_options(mopo_flags INTERFACE -fcf-protection)
endif()
target_link_options(mopo_flags INTERFACE -Wl,-z,relro,-z,now)

if(MOPO_FUZZ)
  set(MOPO_SANITIZE address,undefined)
  target_compile_options(mopo_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MOPO_SANITIZE)
  target_compile_options(mopo_flags INTERFACE -O1 -g -fsanitize=${MOPO_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined)
  target_link_options(mopo_flags INTERFACE -fsanitize=${MOPO_SANITIZE})
elseif(MOPO_COVERAGE)
  target_compile_options(mopo_flags INTERFACE -O0 -g --coverage)
  target_link_options(mopo_flags INTERFACE --coverage)
else()
  target_compile_options(mopo_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
