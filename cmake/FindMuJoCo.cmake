# Debian's package, or an unpacked release under MUJOCO_DIR (2.2.2 and 3.x).
find_path(MUJOCO_INCLUDE mujoco/mujoco.h HINTS ${MUJOCO_DIR} $ENV{MUJOCO_DIR} PATH_SUFFIXES include)
find_library(MUJOCO_LIBRARY NAMES mujoco HINTS ${MUJOCO_DIR} $ENV{MUJOCO_DIR} PATH_SUFFIXES lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MuJoCo REQUIRED_VARS MUJOCO_LIBRARY MUJOCO_INCLUDE)
if(MuJoCo_FOUND AND NOT TARGET MuJoCo::MuJoCo)
  add_library(MuJoCo::MuJoCo UNKNOWN IMPORTED)
  set_target_properties(MuJoCo::MuJoCo PROPERTIES IMPORTED_LOCATION ${MUJOCO_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${MUJOCO_INCLUDE})
endif()
