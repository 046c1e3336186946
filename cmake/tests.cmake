# A file in tests/unit, tests/mpi or tests/e2e is a test by being there; here stands how each kind runs.
set(MOPO_TEST_PARTS "lint;threads;unit;mpi;e2e" CACHE STRING "Kinds of tests in this build")
set(MOPO_TEST_PREFIX "" CACHE STRING "Put before test names, to tell builds apart in one CTest run")
set(MOPO_TEST_RANKS "1;2;3;4" CACHE STRING "Rank counts of the MPI tests")
set(MOPO_TEST_E2E "test_*" CACHE STRING "Which end-to-end tests, as a pattern")

file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
add_library(mopo_test_support STATIC ${support})
target_include_directories(mopo_test_support PUBLIC tests)
target_link_libraries(mopo_test_support PUBLIC mopo mopo::CMOCKA)
target_compile_definitions(mopo_test_support PUBLIC MOPO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

# Open MPI: any user, more ranks than cores, in containers that forbid reading another process's memory.
set(environment OPENBLAS_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
  OMPI_MCA_btl_vader_single_copy_mechanism=none MOPO_SOURCE_DIR=${CMAKE_SOURCE_DIR}
  UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0
  MOPO_MPIRUN=${MPIEXEC_EXECUTABLE})
set(patience 1)
if(MOPO_SANITIZE OR MOPO_COVERAGE)
  set(patience 5)
endif()

if(MOPO_TEST_PREFIX) # the same tests have run in another build, at full length
  list(APPEND environment MOPO_TEST_AGAIN=1)
endif()

# mopo_add_test(part name seconds processors command...): CTest runs long parts first where it may choose.
function(mopo_add_test part name seconds processors)
  set(full ${MOPO_TEST_PREFIX}${part}.${name})
  math(EXPR timeout "${seconds} * ${patience}")
  set(asan allocator_may_return_null=1)
  if(NOT part STREQUAL "unit") # whole stacks, slowly: only they show that a leak is MPI's (tests/lsan.supp)
    string(APPEND asan :fast_unwind_on_malloc=0)
  endif()
  add_test(NAME ${full} COMMAND ${ARGN})
  set_tests_properties(${full} PROPERTIES LABELS ${part} TIMEOUT ${timeout} PROCESSORS ${processors}
    SKIP_RETURN_CODE 77 ENVIRONMENT "${environment};ASAN_OPTIONS=${asan}")
  # several ranks at once are slow where others want the cores; these have one at a time, or do not mind
  set(lone adding bad chaos cli cut data_check dataset_names disk diverged docs eval hang hardening hostile install
    keep memory_limit model_report own_data plan status sweep)
  string(REPLACE "test_" "" short ${name})
  if(part STREQUAL "mpi" OR (part STREQUAL "e2e" AND NOT short IN_LIST lone))
    if(processors LESS 2)
      set(processors 2)
    endif()
    set_tests_properties(${full} PROPERTIES RESOURCE_LOCK mpi PROCESSORS ${processors})
  endif()
endfunction()

if("lint" IN_LIST MOPO_TEST_PARTS)
  foreach(check layers text format shell headers cppcheck analyzer)
    mopo_add_test(lint ${check} 600 1 ${CMAKE_SOURCE_DIR}/tools/lint.sh ${check})
  endforeach()
endif()
if("tidy" IN_LIST MOPO_TEST_PARTS) # needs Clang's compile commands: clang-tidy stops at flags that only gcc knows
  mopo_add_test(lint tidy 900 2 ${CMAKE_SOURCE_DIR}/tools/lint.sh tidy ${CMAKE_BINARY_DIR})
endif()

if("threads" IN_LIST MOPO_TEST_PARTS) # builds itself: the thread sanitizer goes with no other build's flags
  mopo_add_test(threads window 300 2 ${CMAKE_COMMAND} -E env CC=${CMAKE_C_COMPILER}
    bash ${CMAKE_SOURCE_DIR}/tests/threads/test_window.sh)
endif()

if("unit" IN_LIST MOPO_TEST_PARTS)
  file(GLOB sources CONFIGURE_DEPENDS tests/unit/test_*.c)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE mopo_test_support)
    mopo_add_test(unit ${name} 120 1 ${name})
  endforeach()
endif()

# A file tests/fuzz/fuzz_NAME.c is a fuzzer by being there. With the fuzz preset libFuzzer drives it; elsewhere
# driver.c does, which replays the seeds and a fixed number of mutations: so CI needs no build of its own for them.
if("fuzz" IN_LIST MOPO_TEST_PARTS)
  file(GLOB sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE fuzz_ "" short ${name})
    add_executable(${name} ${source} tests/fuzz/fuzz.c)
    target_link_libraries(${name} PRIVATE mopo)
    target_include_directories(${name} PRIVATE tests)
    if(MOPO_FUZZ)
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      set(runs -runs=500 -seed=1)
    else()
      target_sources(${name} PRIVATE tests/fuzz/driver.c)
      set(runs 500)
    endif()
    mopo_add_test(fuzz ${short} 60 1 ${name} ${runs} ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds/${short})
  endforeach()
endif()

if("mpi" IN_LIST MOPO_TEST_PARTS)
  file(GLOB sources CONFIGURE_DEPENDS tests/mpi/test_*.c)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE mopo_test_support)
    foreach(ranks ${MOPO_TEST_RANKS})
      mopo_add_test(mpi ${name}.np${ranks} 60 ${ranks} ${MPIEXEC_EXECUTABLE} -n ${ranks} $<TARGET_FILE:${name}>)
    endforeach()
  endforeach()
  target_link_options(test_train PRIVATE -Wl,--wrap=play_episode) # simulators that fail when the test says so
  # ranks of this host as if they were on several: two hosts of two, one of three and one of one, all alone
  set(hosts 1 2 3)
  if(MOPO_TEST_PREFIX) # once is enough
    set(hosts 2)
  endif()
  foreach(name test_comm test_teams test_train)
    foreach(ranks ${hosts})
      mopo_add_test(mpi ${name}.np4.hosts_of_${ranks} 60 4 ${CMAKE_COMMAND} -E env MOPO_HOST_RANKS=${ranks}
        ${MPIEXEC_EXECUTABLE} -n 4 $<TARGET_FILE:${name}>)
    endforeach()
  endforeach()
endif()

# End to end: shell scripts that get the path of the program.
if("e2e" IN_LIST MOPO_TEST_PARTS)
  add_executable(make_bad_files tests/bad/make_files.c) # beside the program, where test_bad.sh looks
  target_link_libraries(make_bad_files PRIVATE mopo)
  file(GLOB sources CONFIGURE_DEPENDS tests/e2e/${MOPO_TEST_E2E}.sh)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    mopo_add_test(e2e ${name} 600 1 bash ${source} $<TARGET_FILE:mopo_cli>)
  endforeach()
  if(MOPO_TEST_E2E STREQUAL "test_*")
    mopo_add_test(bench quick 60 1 mopo_cli bench --quick) # only that it runs; times are for people
  endif()
  add_custom_target(chaos USES_TERMINAL COMMAND ${CMAKE_COMMAND} -E env ${environment} # by hand: an hour
    bash ${CMAKE_SOURCE_DIR}/tests/e2e/test_chaos.sh $<TARGET_FILE:mopo_cli> 300)
  add_custom_target(deaths USES_TERMINAL COMMAND ${CMAKE_COMMAND} -E env ${environment} # by hand: ten minutes
    bash ${CMAKE_SOURCE_DIR}/tests/cluster/deaths.sh $<TARGET_FILE:mopo_cli>)
  add_custom_target(grid USES_TERMINAL COMMAND ${CMAKE_COMMAND} -E env ${environment} # by hand: ten minutes
    bash ${CMAKE_SOURCE_DIR}/tests/cluster/grid.sh $<TARGET_FILE:mopo_cli>)
endif()
