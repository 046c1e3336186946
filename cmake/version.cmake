# What `mopo --version` tells. Included by CMakeLists.txt it sets up the target; run with -P at every build it writes
# version_info.c, and only when the text changed, so that an unchanged commit rebuilds nothing.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  get_target_property(options mopo_flags INTERFACE_COMPILE_OPTIONS)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}}")
  list(APPEND flags ${options})
  list(FILTER flags EXCLUDE REGEX "^-W|^-march|^-fmacro")
  list(REMOVE_DUPLICATES flags)
  list(JOIN flags " " flags)
  add_custom_target(mopo_version BYPRODUCTS ${CMAKE_BINARY_DIR}/version_info.c VERBATIM
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUT=${CMAKE_BINARY_DIR}/version_info.c
      -DNUMBER=${PROJECT_VERSION} "-DCOMPILER=${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}" "-DFLAGS=${flags}"
      -DMARCH=${MOPO_MARCH} -P ${CMAKE_SOURCE_DIR}/cmake/version.cmake
    COMMENT "Noting the commit")
  target_sources(mopo PRIVATE ${CMAKE_BINARY_DIR}/version_info.c)
  add_dependencies(mopo mopo_version)
  return()
endif()

set(COMMIT unknown)
file(TIMESTAMP ${SOURCE}/CHANGELOG.md DATE %Y-%m-%d UTC) # of a tarball
if(EXISTS ${SOURCE}/.git) # not a folder above it: a tarball may be unpacked inside another project
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty RESULT_VARIABLE failed OUTPUT_VARIABLE out
    ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT failed)
    set(COMMIT ${out})
    execute_process(COMMAND git -C ${SOURCE} log -1 --format=%cs OUTPUT_VARIABLE DATE OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
endif()
if(DEFINED ENV{SOURCE_DATE_EPOCH}) # what reproducible builds agree on
  string(TIMESTAMP DATE %Y-%m-%d UTC)
endif()
string(REPLACE "\"" "\\\"" FLAGS "${FLAGS}")
configure_file(${SOURCE}/cmake/version_info.c.in ${OUT} @ONLY)
