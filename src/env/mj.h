/* A MuJoCo model with its state, for tasks. Works with MuJoCo 2.2.2 and 3.x alike.
 * mj.c is the only file that includes mujoco/mujoco.h; the prefix is mjsim_ because mj_ is MuJoCo's.
 * All numbers are double, in SI units. Local: nothing here is collective.
 */
#ifndef ENV_MJ_H
#define ENV_MJ_H

#include "base/status.h"

typedef struct MjSim MjSim;

/* Mass and inertia of a body: its center of mass and principal axes in the body's frame. */
typedef struct {
    const char *body;
    double mass, pos[3], quat[4], inertia[3];
} MjInertial;

/* Compile `mjcf` (the text of a model) and put it into its start state. A control step is
 * `frame_skip` simulator steps. Error: ERR_ENV; *sim is then NULL. MuJoCo's fatal errors panic. */
NODISCARD Status mjsim_open(MjSim **sim, const char *name, const char *mjcf, int frame_skip);
void mjsim_close(MjSim *sim);
/* Replace the inertials of n bodies, found by name. Error: ERR_ENV when there is no such body. */
NODISCARD Status mjsim_set_inertials(MjSim *sim, const MjInertial *inertials, int n);
/* The compiled inertial of a body; `body` is kept as given. Error: ERR_ENV. */
NODISCARD Status mjsim_get_inertial(const MjSim *sim, const char *body, MjInertial *out);
/* Sliding friction of a geom. Error: ERR_ENV when there is no such geom. */
NODISCARD Status mjsim_set_friction(MjSim *sim, const char *geom, double friction);

int mjsim_nq(const MjSim *sim);
int mjsim_nv(const MjSim *sim);
const double *mjsim_qpos(const MjSim *sim);  /* (nq) of now, borrowed */
const double *mjsim_qvel(const MjSim *sim);  /* (nv) */
const double *mjsim_qpos0(const MjSim *sim); /* (nq) of the model */
double mjsim_control_dt(const MjSim *sim);   /* seconds in a control step */
/* (3) xpos of body 1, the torso, as mj_step leaves it: that of its last evaluation, not of qpos. */
const double *mjsim_torso(const MjSim *sim);
/* Evaluate the contact forces of the last step, which MuJoCo does not by itself since 2.0. They take
 * whatever the last evaluation left, as gym v4 and v5 do; the motion is not changed. */
void mjsim_find_forces(MjSim *sim);
/* (nbody, 6) torque and force on each body, world first, as found last; zeros in a state that was
 * set. Borrowed. */
const double *mjsim_forces(const MjSim *sim);

/* Forget everything (time, warm start, controls), take this state and evaluate it once.
 * Error: ERR_ENV when a number is not finite or MuJoCo warns. */
NODISCARD Status mjsim_set_state(MjSim *sim, const double *qpos, const double *qvel);
/* One control step with `ctrl` (nu) held. Error: ERR_ENV when MuJoCo warned of anything; MuJoCo has
 * then put the state back to its start, so the episode is lost. */
NODISCARD Status mjsim_step(MjSim *sim, const double *ctrl);

/* Version of the library in use, "2.2.2". */
const char *mj_library_version(void);

#endif
