# The only place with compiler flags.
add_library(mopo_flags INTERFACE)
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

target_compile_definitions(mopo_flags INTERFACE _POSIX_C_SOURCE=200809L)
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
if(MOPO_WERROR)
  target_compile_options(mopo_flags INTERFACE -Werror)
endif()
if(MOPO_SANITIZE)
  target_compile_options(mopo_flags INTERFACE -g -fsanitize=address,undefined -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined)
  target_link_options(mopo_flags INTERFACE -fsanitize=address,undefined)
endif()
