# What `cmake --install` puts where. Nothing of it knows the prefix: the tree may be moved. Libraries outside the
# system are found where they were when it was linked (flags.cmake).
include(GNUInstallDirs)
install(TARGETS mopo_cli RUNTIME)
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/mopo)
install(DIRECTORY slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/mopo PATTERN site.env EXCLUDE
  REGEX "\\.(sh|sbatch)$" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md PATTERN *.svg)

# Manual pages and completion, which the program makes of its tables. Programs of the sanitizers are not installed.
if(NOT MOPO_SANITIZE)
  set(pages ${CMAKE_BINARY_DIR}/pages)
  file(GLOB commands RELATIVE ${CMAKE_SOURCE_DIR}/src/cli CONFIGURE_DEPENDS src/cli/cmd_*.c)
  list(TRANSFORM commands REPLACE "cmd_(.*)\\.c" "\\1")
  add_custom_command(OUTPUT ${pages}.made DEPENDS mopo_cli ${CMAKE_SOURCE_DIR}/cmake/pages.cmake VERBATIM
    COMMAND ${CMAKE_COMMAND} -DMOPO=$<TARGET_FILE:mopo_cli> -DOUT=${pages} "-DCOMMANDS=${commands}"
      -P ${CMAKE_SOURCE_DIR}/cmake/pages.cmake
    COMMENT "Printing manual pages and completion")
  add_custom_target(mopo_pages ALL DEPENDS ${pages}.made)
  install(DIRECTORY ${pages}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR} OPTIONAL)
  install(DIRECTORY ${pages}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR} OPTIONAL)
endif()

# `cmake --build ... --target package`: a Debian package, elsewhere an archive.
set(MOPO_PACKAGER "mopo authors <mopo@example.org>" CACHE STRING "Who answers for the package")
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
find_program(FILE_PROGRAM file) # CPack asks it what is to be looked at
set(CPACK_GENERATOR TGZ)
if(DPKG_SHLIBDEPS AND FILE_PROGRAM)
  set(CPACK_GENERATOR DEB)
endif()
set(CPACK_PACKAGE_NAME mopo)
set(CPACK_PACKAGE_CONTACT ${MOPO_PACKAGER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "distributed trainer for model-based offline reinforcement learning")
set(CPACK_PACKAGE_DESCRIPTION "MOPO (Yu et al. 2020) in C over MPI: fits an ensemble of dynamics\n\
models to a file of transitions, trains a policy in it with a penalty on\n\
what the models do not know, and evaluates it in MuJoCo. Results are the\n\
same bytes on any number of ranks, and after any stop.\n\
.\n\
It needs a CPU that has what -march=${MOPO_MARCH} means to gcc (x86-64-v3: AVX2\n\
and FMA); on a lesser one it only says so.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openmpi-bin)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/package_deb.cmake)
include(CPack)
