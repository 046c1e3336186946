# Debian's package, an unpacked release (lib/libmujoco.so), or the folder of a Python wheel, which holds only the
# versioned name (libmujoco.so.3.3.2). MUJOCO_DIR, as CMake or environment variable, says where. MuJoCo's own CMake
# configuration is not used: Debian's names a folder that no package installs.
set(hints ${MUJOCO_DIR} $ENV{MUJOCO_DIR})
set(names mujoco)
if(hints) # look there and nowhere else, even if an earlier run found another one
  set(only NO_DEFAULT_PATH)
  unset(MUJOCO_INCLUDE CACHE)
  unset(MUJOCO_LIBRARY CACHE)
  foreach(hint ${hints})
    file(GLOB found ${hint}/libmujoco.so.* ${hint}/lib/libmujoco.so.*)
    foreach(path ${found})
      get_filename_component(name ${path} NAME)
      list(APPEND names ${name})
    endforeach()
  endforeach()
endif()
find_path(MUJOCO_INCLUDE mujoco/mujoco.h HINTS ${hints} PATH_SUFFIXES include ${only})
find_library(MUJOCO_LIBRARY NAMES ${names} HINTS ${hints} PATH_SUFFIXES lib . ${only})

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MuJoCo REQUIRED_VARS MUJOCO_LIBRARY MUJOCO_INCLUDE)
if(MuJoCo_FOUND AND NOT TARGET MuJoCo::MuJoCo)
  add_library(MuJoCo::MuJoCo UNKNOWN IMPORTED)
  set_target_properties(MuJoCo::MuJoCo PROPERTIES IMPORTED_LOCATION ${MUJOCO_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${MUJOCO_INCLUDE})
endif()
