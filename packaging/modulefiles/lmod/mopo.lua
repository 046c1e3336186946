-- mopo for Lmod: copy to <modules>/mopo/<version>.lua and set the prefix that `cmake --install` was given.
local prefix = "/opt/mopo"

whatis("Name: mopo")
whatis("Description: distributed trainer for model-based offline reinforcement learning")
help([[
mopo trains a policy from a fixed file of transitions: man mopo, mopo --help.
Configurations: $MOPO_SHARE/configs. Job scripts: $MOPO_SHARE/slurm.]])

-- What it was linked with; without the site's names mpirun must be on PATH.
-- depends_on("openmpi")

conflict("mopo")
prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("MANPATH", pathJoin(prefix, "share/man"))
append_path("MANPATH", "") -- the system's own pages stay
setenv("MOPO", pathJoin(prefix, "bin/mopo"))
setenv("MOPO_SHARE", pathJoin(prefix, "share/mopo"))
setenv("OPENBLAS_NUM_THREADS", "1")
