# mopo_test(name): tests/unit/<name>.c becomes a cmocka program and a CTest entry.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
file(GLOB SUPPORT CONFIGURE_DEPENDS tests/support/*.c)
add_library(mopo_test_support STATIC ${SUPPORT})
target_include_directories(mopo_test_support PUBLIC tests)
target_link_libraries(mopo_test_support PUBLIC mopo PkgConfig::CMOCKA)
target_compile_definitions(mopo_test_support PUBLIC MOPO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
set(MPI_TEST_ENV OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
  OMPI_MCA_hwloc_base_binding_policy=none)

file(GLOB unit_tests CONFIGURE_DEPENDS tests/unit/test_*.c)
foreach(source ${unit_tests})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE mopo_test_support)
  add_test(NAME unit.${name} COMMAND ${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120 ENVIRONMENT "${MPI_TEST_ENV}")
endforeach()

# Every MPI test program runs at 1, 2, 3 and 4 ranks.
file(GLOB mpi_tests CONFIGURE_DEPENDS tests/mpi/test_*.c)
foreach(source ${mpi_tests})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE mopo_test_support)
  foreach(np 1 2 3 4)
    add_test(NAME mpi.${name}.np${np} COMMAND ${MPIEXEC_EXECUTABLE} -n ${np} $<TARGET_FILE:${name}>)
    set_tests_properties(mpi.${name}.np${np} PROPERTIES LABELS mpi TIMEOUT 60 PROCESSORS ${np}
      RESOURCE_LOCK mpi ENVIRONMENT "${MPI_TEST_ENV}")
  endforeach()
endforeach()

# End to end: shell scripts that get the program's path.
file(GLOB e2e_tests CONFIGURE_DEPENDS tests/e2e/test_*.sh)
foreach(source ${e2e_tests})
  get_filename_component(name ${source} NAME_WE)
  add_test(NAME e2e.${name} COMMAND bash ${source} $<TARGET_FILE:mopo_cli>)
  set_tests_properties(e2e.${name} PROPERTIES LABELS e2e TIMEOUT 600 RESOURCE_LOCK mpi
    ENVIRONMENT "${MPI_TEST_ENV};MOPO_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
endforeach()
