#!/bin/bash
# mopo sweep: what it prints, all cells of a grid with shared models, kills of a rank and of the sweep itself, a stop, a
# cell that fails, parts of a sweep, and what SLURM is told. Results are those of plain `mopo train`.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export MOPO_MPIRUN="${launcher[*]}"
settings=(train.updates_per_epoch=20 model.hidden=16 model.max_epochs=2 rollout.batch=64)
cat >grid.yaml <<YAML
base: $source_dir/configs/smoke.yaml
out: all
set: {dataset: rows.hdf5, train.epochs: 12, train.updates_per_epoch: 20, model.hidden: 16, model.max_epochs: 2,
  rollout.batch: 64}
grid:
  penalty.lambda: [0, 0.5, 1, 5]
  rollout.horizon: [1, 3]
  seed: 0..0
YAML

# starts NAME: how often a job was started, by its log.
starts() {
    grep -c '^# start ' "all/logs/$1.txt"
}

# last_end NAME WORDS: the last line of its log is an end that says so.
last_end() {
    tail -n 1 "all/logs/$1.txt" | grep -q "^# end $2"
}

# sweep_in_background ARGUMENTS...: its process becomes $child.
sweep_in_background() {
    "$program" sweep "$@" >out.txt 2>err.txt </dev/null &
    child=$!
}

ends_with() { # CODE
    wait "$child"
    local code=$?
    child=''
    [ $code -eq "$1" ] || cat err.txt
    [ $code -eq "$1" ]
}

has_epochs() { # NAME LINES
    [ "$(lines_of "all/$1/metrics.jsonl")" -ge "$2" ]
}

echo '# what it will do'
sed 's/rollout.horizon: .*/rollout.horizon: [1]/' grid.yaml >print.yaml # one kind of cell to measure
mopo sweep print.yaml --print --json --ranks 2
verdict 'a sweep is printed' $?
check 'with jobs, costs and what sharing saves' python3 - <<'PYTHON'
import json
plan = json.load(open("out"))
assert [job["kind"] for job in plan["jobs"]] == ["data"] + ["model"] + 4 * ["cell"], plan
assert plan["cells"] == 4 and plan["models"] == 1 and plan["fits_saved"] == 3 and plan["missing"] == ""
assert plan["core_hours_known"] and plan["core_hours"] > 0 and plan["core_hours_saved"] > 0
cell = plan["jobs"][-1]
assert cell["name"] == "lambda5-horizon1-seed0" and cell["dir"] == "all/lambda5-horizon1-seed0"
assert cell["words"][0] == "train" and cell["words"][-2:] == ["run_dir=" + cell["dir"], "model.share=all/models"]
assert cell["seconds"] > 0
PYTHON
check 'and nothing is written' test ! -e all/cells.tsv -a ! -e rows.hdf5

echo '# all of it here, with kills'
sweep_in_background grid.yaml --local 1
until_true has_epochs lambda0-horizon1-seed0 2
verdict 'cells run' $?
kill -KILL "$(pgrep -P "$child" -f lambda0-horizon1-seed0)"
verdict 'one of them is killed' $?
exits 2 0 sweep grid.yaml --local 1
verdict 'another sweep there is refused' $?
# shellcheck disable=SC2016
check 'and says who is at work' grep -q 'all: another `mopo sweep` is at work there (host .*, pid ' err
until_true has_epochs lambda0.5-horizon1-seed0 2
verdict 'the sweep goes on' $?
kill -KILL "$child"
wait "$child" 2>/dev/null
child=''
mopo_on 0 sweep grid.yaml --local 2
verdict 'killed itself, it goes on with the same command, on other ranks' $?
check 'what was running still is waited for, not started again' test "$(starts lambda0.5-horizon1-seed0)" -eq 1
check 'the killed cell was started again' test "$(starts lambda0-horizon1-seed0)" -eq 2
check 'and its log says why' grep -q '^# end 137 again .* a process was ended by signal 9' all/logs/lambda0-horizon1-seed0.txt
check 'one model was fitted for all' test "$(find all/models -name model.h5 | wc -l)" -eq 1
mkdir plain
for cell in lambda0-horizon1 lambda0.5-horizon1 lambda5-horizon3; do
    lambda=${cell#lambda}
    (cd plain && exec "$program" train "$source_dir/configs/smoke.yaml" dataset=rows.hdf5 train.epochs=12 \
        "${settings[@]}" "penalty.lambda=${lambda%-*}" "rollout.horizon=${cell##*horizon}" "run_dir=$cell") \
        >out 2>err </dev/null
    check "$cell ends with the bytes of a plain run" same_results "all/$cell-seed0" "plain/$cell"
done
check 'and so does the dataset' cmp plain/rows.hdf5 rows.hdf5
mopo sweep grid.yaml --local 1
verdict 'once more there is nothing to do' $?
check 'and nothing is started' test "$(starts lambda0-horizon1-seed0)" -eq 2
mopo status all --json
verdict 'and the results are put together' $?
check 'a line for each of the settings but the seed' python3 - <<'PYTHON'
import json
groups = json.load(open("out"))["means"]
assert len(groups) == 8 and groups[0]["cells"] == "lambda0-horizon1-seed0" and groups[0]["done"] == 1, groups
last = json.loads(open("all/lambda0-horizon1-seed0/metrics.jsonl").readlines()[-1])
assert groups[0]["return"]["mean"] == last["return_mean"] and groups[0]["return"]["std"] is None
PYTHON
sed 's/train.updates_per_epoch: 20/train.updates_per_epoch: 21/' grid.yaml >other.yaml
mv grid.yaml kept.yaml && mv other.yaml grid.yaml
exits 2 0 sweep grid.yaml --local 1
verdict 'cells that were made with other settings are not taken for those of the grid' $?
check 'which is told with the setting' \
    grep -q 'cell lambda0-horizon1-seed0 was begun with other settings (train.updates_per_epoch: 20 -> 21)' err
mv kept.yaml grid.yaml

echo '# parts of it'
cat >>grid.yaml <<'YAML'
cells:
  long: {algo: sac, train.epochs: 40}
  orphan: {algo: sac, train.epochs: 40}
  late: {algo: sac, train.epochs: 100000}
  rebuilt: {algo: sac, train.epochs: 30, seed: 0..3}
  inner: {algo: sac, train.epochs: 1}
  bad: {algo: sac, dataset: bad.hdf5, collect.rows: 0}
  model-bad: {dataset: bad.hdf5, collect.rows: 0}
YAML
echo 'no HDF5' >bad.hdf5
sweep_in_background grid.yaml --local 1 --only 'l[o]ng'
until_true has_epochs long 2
kill -TERM "$child"
ends_with 75
verdict 'a stop lets cells save themselves' $?
check 'which the log says' last_end long '75 again'
mopo sweep grid.yaml --local 1 --only long
verdict 'and the same command goes on' $?
check 'with the last line' last_end long '0 done'
sweep_in_background grid.yaml --local 2 --only orphan
until_true has_epochs orphan 2
kill -KILL "$(pgrep -P "$child" -f run_dir=all/orphan)"
ends_with 0
verdict 'when mpirun is killed, the next start waits for the ranks that live on' $?
check 'one is enough' test "$(starts orphan)" -eq 2
cp "$program" mine
trap '' HUP
./mine sweep grid.yaml --local 1 --only 'r[e]built*' >out 2>err </dev/null &
child=$!
trap - HUP
until_true has_epochs rebuilt-seed0 2
kill -HUP "$child" && cp "$program" other && mv other mine
ends_with 0
verdict 'a sweep goes on under nohup, and when its program was built anew' $?
SLURM_JOB_END_TIME=$(($(date +%s) + 18)) mopo sweep grid.yaml --local 1 --only late
[ $? -eq 75 ]
verdict 'at the end of an allocation the sweep stops with its cell' $?
check 'and does not start it over and over' test "$(starts late)" -eq 1
exits 0 1 sweep grid.yaml --local 2 --only inner
verdict 'mpirun -n 1 mopo sweep hands nobody its own rank' $?
exits 2 0 sweep grid.yaml --local 1 --only 'none*'
verdict 'a pattern that matches nothing is a mistake' $?

echo '# failures'
exits 1 0 sweep grid.yaml --local 1 --only '*bad'
verdict 'a cell that fails fails the sweep' $?
check 'which says what failed and how to try again' \
    grep -q '^mopo sweep: 2 of 3 jobs failed, and 1 that need them .* mopo sweep grid.yaml --local 1 --retry failed$' err
check 'and why' grep -q 'FAILED *bad: .*bad.hdf5' err
check 'so does the log' last_end bad '76 failed .*bad.hdf5'
exits 1 0 sweep grid.yaml --local 1 --only bad
verdict 'it is not tried again by itself' $?
check 'indeed' test "$(starts bad)" -eq 1
cp rows.hdf5 bad.hdf5
mopo sweep grid.yaml --local 1 --only '*bad' --retry failed
verdict 'but when told' $?

sed -i '/^cells:/,$d' grid.yaml
mopo sweep grid.yaml --local 1
verdict 'cells are taken out of the grid' $?
check 'which is told' grep -q 'no longer in the grid: 10 cells that ran before (long, orphan, late ...); what they made stays' err
check 'and true' test -e all/long/policy.h5
mopo sweep grid.yaml --local 1
check 'once' test "$(grep -c 'no longer' err)" -eq 0

echo '# SLURM'
mkdir bin far
cat >bin/sbatch <<'SH'
#!/bin/sh
echo "$MOPO|$*" >>sbatch.log
[ ! -e refuse ] || exit 1
echo "$((40 + $(wc -l <sbatch.log)));cluster"
SH
printf '#!/bin/sh\ncat queue\n' >bin/squeue
chmod +x bin/*
sed 's/^out: all/out: batch/; /^cells:/,$d' grid.yaml >batch.yaml
export PATH=$work/bin:$PATH
exits 2 0 sweep batch.yaml --slurm
verdict 'without its script nothing is submitted' $?
check 'and it says where it should be' grep -q 'slurm/sweep.sbatch is neither here nor' err
ln -s "$source_dir/slurm" slurm
mopo sweep batch.yaml --slurm --print --ranks 3
verdict 'the lines are printed' $?
# shellcheck disable=SC2016
check 'in order' grep -q 'j2=.* sbatch --parsable --array=0-7 --ntasks=3 --dependency=afterany:${j1%%;\*} slurm/sweep.sbatch batch/submit/002-cell.tsv' out
check 'as a script that is right' sh -n batch/submit/001.sh
check 'and nothing is submitted' test ! -e sbatch.log
mopo sweep batch.yaml --slurm --ranks 3 --at-once 2
verdict 'all is submitted' $?
printf '%s|%s\n' "$program" '--parsable --array=0-0%2 --ntasks=3 slurm/sweep.sbatch batch/submit/003-model.tsv' \
    "$program" '--parsable --array=0-7%2 --ntasks=3 --dependency=afterany:41 slurm/sweep.sbatch batch/submit/004-cell.tsv' >want
check 'one array after the other' diff sbatch.log want
check 'each with its list' diff <(grep -v '^#' batch/cells.tsv | grep '^cell') <(grep -v '^#' batch/submit/004-cell.tsv)
printf '41_0\n42_0\n42_1\n42_2\n42_3\n42_5\n42_6\n42_7\n' >queue
mopo sweep batch.yaml --slurm
verdict 'again' $?
check 'what is in the queue is left there' test "$(lines_of sbatch.log)" -eq 3
check 'and the rest submitted' diff <(sed -n 6p batch/submit/004-cell.tsv) <(sed -n 2p batch/submit/005-cell.tsv)
printf '#!/bin/sh\necho "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1\n' >bin/squeue
exits 1 0 sweep batch.yaml --slurm
verdict 'without an answer from squeue nothing is submitted' $?
check 'which could be there already' test "$(lines_of sbatch.log)" -eq 3
check 'and it says so' grep -q 'squeue gives no answer (it fails), and what is in the queue' err
printf '#!/bin/sh\ncat queue\n' >bin/squeue
mkdir -p 'lr=3' unmade/logs
sed 's/^out: .*/out: unmade/; s|^base: .*|base: base.yaml|; s/dataset: rows/collect.rows: 9, dataset: unmade/' batch.yaml >'lr=3/grid.yaml'
cp "$source_dir/configs/smoke.yaml" 'lr=3/base.yaml'
echo '# end 1 failed 2026-11-28T12:00:00Z a disk is full' >unmade/logs/data-unmade.txt
mopo sweep 'lr=3/grid.yaml' --slurm --print
verdict 'a grid in a folder with = in its name' $?
check 'whose base file is no setting' grep -q "	train	./lr=3/base.yaml	" unmade/cells.tsv
check 'what needs a dataset that failed is not submitted' grep -q '0 jobs to submit; .* 9 need a dataset that failed, 1 failed' err
touch refuse
exits 1 0 sweep batch.yaml --slurm
verdict 'a refusal is told' $?
mkdir -p far/bin far/share/mopo/slurm && cp "$program" far/bin/mopo && touch far/share/mopo/slurm/sweep.sbatch
rm slurm
far/bin/mopo sweep batch.yaml --slurm --print >out 2>err
verdict 'the script of an installed mopo is found' $?
check 'beside it' grep -q 'far/bin/../share/mopo/slurm/sweep.sbatch' out

echo '# one process'
exits 2 2 sweep grid.yaml --print
verdict 'mpirun is none of its business' $?
check 'which is said once' test "$(grep -c '^mopo sweep: started 2 times' err)" -eq 1
finish
