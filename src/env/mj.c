#include "env/mj.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <mujoco/mujoco.h>

#include "base/mem.h"
#include "base/panic.h"

struct MjSim {
    const char *name; /* borrowed */
    mjModel *model;
    mjData *data;
    int frame_skip;
};

static char last_warning[200];

/* Without these two MuJoCo writes MUJOCO_LOG.TXT, and after an error waits for the Enter key. */
static void on_error(const char *text)
{
    panic(__FILE__, __LINE__,
          "MuJoCo stops: %s; the same command goes on from the last checkpoint, and where this "
          "comes again, memory or the installation of MuJoCo is at fault",
          text);
}

static void on_warning(const char *text)
{
    (void)snprintf(last_warning, sizeof last_warning, "%s", text);
}

static Status check_version(void)
{
    if (mj_version() != mjVERSION_HEADER) {
        return status_fail(ERR_ENV,
                           "MuJoCo's library has version %d, the program was built with headers of "
                           "version %d; build again, or set LD_LIBRARY_PATH to the right library",
                           mj_version(), mjVERSION_HEADER);
    }
    return OK;
}

/* MuJoCo reads models from its virtual file system, whose interface changed in 3.2. */
static int add_text(mjVFS *vfs, const char *file, const char *text)
{
    const int size = (int)strlen(text);
#if mjVERSION_HEADER >= 320
    return mj_addBufferVFS(vfs, file, text, size);
#else
    if (mj_makeEmptyFileVFS(vfs, file, size) != 0) {
        return -1;
    }
    memcpy(vfs->filedata[mj_findFileVFS(vfs, file)], text, (size_t)size);
    return 0;
#endif
}

static Status compile(MjSim *sim, const char *mjcf)
{
    Status st = OK;
    mjVFS *vfs = NULL; /* large in MuJoCo 2 */
    char text[500] = "";

    TRY(mem_alloc(&vfs, 1, sizeof *vfs, "MuJoCo's file system"));
    mj_defaultVFS(vfs);
    if (add_text(vfs, "model.xml", mjcf) == 0) {
        sim->model = mj_loadXML("model.xml", vfs, text, (int)sizeof text);
    }
    mj_deleteVFS(vfs);
    if (sim->model == NULL) {
        st = status_fail(ERR_ENV, "%s: MuJoCo does not take the model: %s", sim->name, text);
    }
done:
    mem_free(&vfs);
    return st;
}

/* Since MuJoCo 3.5.0 the margin of a contact is the sum of the geoms' margins, before that the
 * larger one. All geoms of our models have the same margin, so halves give the old contacts. */
static void keep_old_margins(mjModel *model)
{
    if (mjVERSION_HEADER >= 3005000) {
        for (int i = 0; i < (int)model->ngeom; i++) {
            model->geom_margin[i] *= 0.5;
        }
    }
}

Status mjsim_open(MjSim **out, const char *name, const char *mjcf, int frame_skip)
{
    Status st = OK;
    MjSim *sim = NULL;

    *out = NULL;
    mju_user_error = on_error;
    mju_user_warning = on_warning;
    TRY(check_version());
    TRY(mem_alloc(&sim, 1, sizeof *sim, "a simulator"));
    sim->name = name;
    sim->frame_skip = frame_skip;
    TRY(compile(sim, mjcf));
    keep_old_margins(sim->model);
    sim->data = mj_makeData(sim->model);
    if (sim->data == NULL) {
        st = status_fail(ERR_NOMEM, "%s: no memory for MuJoCo's state", name);
        goto done;
    }
    mj_forward(sim->model, sim->data);
    *out = sim;
    sim = NULL;
done:
    mjsim_close(sim);
    return st;
}

void mjsim_close(MjSim *sim)
{
    if (sim == NULL) {
        return;
    }
    if (sim->data != NULL) {
        mj_deleteData(sim->data);
    }
    if (sim->model != NULL) {
        mj_deleteModel(sim->model);
    }
    mem_free(&sim);
}

static Status find_body(const MjSim *sim, const char *body, int *id)
{
    *id = mj_name2id(sim->model, mjOBJ_BODY, body);
    return *id >= 0 ? OK : status_fail(ERR_ENV, "%s: no body is called '%s'", sim->name, body);
}

Status mjsim_set_inertials(MjSim *sim, const MjInertial *inertials, int n)
{
    Status st = OK;
    mjModel *m = sim->model;

    for (int i = 0; i < n; i++) {
        const MjInertial *in = &inertials[i];
        int id = 0;
        TRY(find_body(sim, in->body, &id));
        m->body_mass[id] = in->mass;
        memcpy(m->body_ipos + (size_t)id * 3, in->pos, sizeof in->pos);
        memcpy(m->body_iquat + (size_t)id * 4, in->quat, sizeof in->quat);
        memcpy(m->body_inertia + (size_t)id * 3, in->inertia, sizeof in->inertia);
    }
    mj_setConst(m, sim->data); /* what the compiler derives from masses */
    mj_resetData(m, sim->data);
    mj_forward(m, sim->data);
done:
    return st;
}

Status mjsim_get_inertial(const MjSim *sim, const char *body, MjInertial *out)
{
    Status st = OK;
    const mjModel *m = sim->model;
    int id = 0;

    TRY(find_body(sim, body, &id));
    *out = (MjInertial){.body = body, .mass = m->body_mass[id]};
    memcpy(out->pos, m->body_ipos + (size_t)id * 3, sizeof out->pos);
    memcpy(out->quat, m->body_iquat + (size_t)id * 4, sizeof out->quat);
    memcpy(out->inertia, m->body_inertia + (size_t)id * 3, sizeof out->inertia);
done:
    return st;
}

Status mjsim_set_friction(MjSim *sim, const char *geom, double friction)
{
    const int id = mj_name2id(sim->model, mjOBJ_GEOM, geom);
    if (id < 0) {
        return status_fail(ERR_ENV, "%s: no geom is called '%s'", sim->name, geom);
    }
    sim->model->geom_friction[(size_t)id * 3] = friction;
    return OK;
}

int mjsim_nq(const MjSim *sim)
{
    return (int)sim->model->nq;
}

int mjsim_nv(const MjSim *sim)
{
    return (int)sim->model->nv;
}

const double *mjsim_qpos(const MjSim *sim)
{
    return sim->data->qpos;
}

const double *mjsim_qvel(const MjSim *sim)
{
    return sim->data->qvel;
}

const double *mjsim_qpos0(const MjSim *sim)
{
    return sim->model->qpos0;
}

const double *mjsim_torso(const MjSim *sim)
{
    return sim->data->xpos + 3;
}

void mjsim_find_forces(MjSim *sim)
{
    mj_rnePostConstraint(sim->model, sim->data);
}

const double *mjsim_forces(const MjSim *sim)
{
    return sim->data->cfrc_ext;
}

double mjsim_control_dt(const MjSim *sim)
{
    return sim->model->opt.timestep * sim->frame_skip;
}

/* mj_step never fails: on divergence it counts a warning and starts over. */
static Status check_warnings(const MjSim *sim, const char *during)
{
    for (int i = 0; i < mjNWARNING; i++) {
        if (sim->data->warning[i].number != 0) {
            return status_fail(ERR_ENV, "%s: MuJoCo warns during %s: %s", sim->name, during,
                               last_warning[0] != '\0' ? last_warning : mju_warningText(i, 0));
        }
    }
    return OK;
}

static Status check_finite(const MjSim *sim, const char *what, const double *x, int n)
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return status_fail(ERR_ENV, "%s: %s[%d] is %g; a state must be finite", sim->name, what,
                               i, x[i]);
        }
    }
    return OK;
}

/* What a state starts from beside positions and speeds. mj_resetData also clears everything that
 * mj_forward computes anew, most of a megabyte: ten times the work of the step that follows. */
static void clear_state(const mjModel *m, mjData *d)
{
    const size_t nv = (size_t)m->nv;
    const size_t forces = 6 * (size_t)m->nbody;
    bool clean = true;

    for (int i = 0; i < mjNWARNING; i++) {
        clean = clean && d->warning[i].number == 0;
    }
    if (!clean) {
        mj_resetData(m, d);
        return;
    }
    d->time = 0;
    memset(d->act, 0, (size_t)m->na * sizeof *d->act);
    memset(d->ctrl, 0, (size_t)m->nu * sizeof *d->ctrl);
    memset(d->qacc_warmstart, 0, nv * sizeof *d->qacc_warmstart);
    memset(d->qfrc_applied, 0, nv * sizeof *d->qfrc_applied);
    memset(d->qacc, 0, nv * sizeof *d->qacc);
    memset(d->xfrc_applied, 0, forces * sizeof *d->xfrc_applied);
    memset(d->cfrc_ext, 0, forces * sizeof *d->cfrc_ext); /* read by Ant, not made by mj_forward */
}

Status mjsim_set_state(MjSim *sim, const double *qpos, const double *qvel)
{
    Status st = OK;
    mjModel *m = sim->model;
    mjData *d = sim->data;

    TRY(check_finite(sim, "qpos", qpos, mjsim_nq(sim)));
    TRY(check_finite(sim, "qvel", qvel, mjsim_nv(sim)));
    clear_state(m, d);
    last_warning[0] = '\0';
    memcpy(d->qpos, qpos, (size_t)m->nq * sizeof *qpos);
    memcpy(d->qvel, qvel, (size_t)m->nv * sizeof *qvel);
    mj_normalizeQuat(m, d->qpos); /* MuJoCo 2 does so by itself, 3.2 no longer */
    mj_forward(m, d);
    TRY(check_warnings(sim, "the evaluation of a given state"));
done:
    return st;
}

Status mjsim_step(MjSim *sim, const double *ctrl)
{
    memcpy(sim->data->ctrl, ctrl, (size_t)sim->model->nu * sizeof *ctrl);
    for (int i = 0; i < sim->frame_skip; i++) {
        mj_step(sim->model, sim->data);
    }
    return check_warnings(sim, "a control step");
}

const char *mj_library_version(void)
{
    return mj_versionString();
}
