/* The parts of mopo that are measured, at the paper's sizes. Each adds its rows to the report. */
#ifndef BENCH_PARTS_H
#define BENCH_PARTS_H

#include "measure.h"
#include "model/ensemble.h"
#include "policy/agent.h"

void bench_update(Report *report);
void bench_model_step(Report *report);
void bench_rollout(Report *report);
void bench_env(Report *report);
void bench_data(Report *report);

/* The defaults: Table 4 and appendix C.2, SAC 256 x 256; ensemble of 7, 4 x 200. */
AgentConfig paper_agent(int S, int A);
EnsembleConfig paper_ensemble(int S, int A, bool spectral_norm);

#endif
