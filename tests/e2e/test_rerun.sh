#!/bin/bash
# mopo rerun: a run repeated from its own settings gives the same bits on any ranks, and where it does not, phase, epoch
# and cause are told.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

smoke=("$source_dir/configs/smoke.yaml" dataset=data.hdf5)

exits 0 2 train "${smoke[@]}" run_dir=run
verdict 'a run' $?
check 'its manifest holds the digests of its results' python3 -c '
import json
results = json.load(open("run/manifest.json"))["results"]
assert set(results) >= {"model.h5", "metrics.csv", "metrics.jsonl", "penalty.txt", "policy.h5"}, results
assert all(len(digest) == 32 for digest in results.values())'

check 'and the version of the BLAS' grep -Eq '"blas": "[A-Za-z]+ [0-9.]+, core [A-Za-z0-9]+"' run/manifest.json

echo '# the same'
exits 0 0 rerun run/
verdict 'repeated on 1 rank: exit 0' $?
check 'in a directory beside it' same_run run run-rerun
check 'the verdict' grep -Eq '^same bits: dataset, model [0-9a-f]{32}, .*, policy [0-9a-f]{32}, 4 epochs of metrics$' out
exits 0 3 rerun run ranks.learners=2 --out three --json
verdict 'on 3 ranks, 2 of them learners: exit 0' $?
check 'as JSON' python3 -c '
import json
said = json.load(open("out"))
assert said["same"] and said["first"] is None and said["epochs"] == {"then": 4, "now": 4}
assert said["parts"]["policy"]["state"] == "same"'
exits 0 0 train run/used.yaml run_dir=half train.epochs=2
exits 0 2 rerun run --out half
verdict 'it goes on with what is there: exit 0' $?
exits 0 0 rerun --compare run half
verdict '--compare trains nothing: exit 0' $?

echo '# of a run that has not ended'
exits 0 0 train "${smoke[@]}" run_dir=begun train.epochs=2
sed -i 's/^  epochs: 2/  epochs: 9/' begun/used.yaml
exits 0 2 rerun begun
verdict 'so many epochs are repeated: exit 0' $?
check 'says so' grep -q 'begun has done 2 of 9 epochs' err

echo '# other bits'
OPENBLAS_CORETYPE=Nehalem exits 1 0 rerun run --out old
code=$?
if grep -q 'core Nehalem' old/manifest.json && ! grep -q 'core Nehalem' run/manifest.json; then
    verdict 'another BLAS core gives other bits: exit 1' $code
    check 'and is said before' grep -q 'rerun: BLAS is not as it was: .* then, .*core Nehalem now' err
    check 'the verdict has phase, epoch and cause' grep -Eq 'rerun: parted: first in the model; the metrics from epoch 1 on, first in [a-z_]+: .* then, .* now .*; same: dataset.*; likely cause: BLAS ' err
    check 'so has the table' grep -Eq '^BLAS +.*core Nehalem$' out
else
    skip 'another BLAS core: this BLAS has kernels for one only'
fi
exits 0 0 train run/used.yaml run_dir=other sac.gamma=0.9
exits 1 2 rerun -c run other --json
verdict 'other settings: exit 1' $?
check 'the first number' python3 -c '
import json
said = json.load(open("out"))
assert said["first"]["epoch"] == 1 and said["first"]["metric"] == "critic_loss", said
assert said["facts"]["libraries.blas"]["then"] == said["facts"]["libraries.blas"]["now"] != None, said
assert said["parts"]["penalty_report"]["state"] == "same" and said["parts"]["policy"]["state"] == "other", said'
check 'the cause' grep -q 'same: dataset, model .*cause: other settings (sac.gamma: 0.99 -> 0.9)$' err
exits 0 0 collect data.hdf5 task=pointmass seed=77 --rows 2000 --force
exits 1 0 rerun run --out data
verdict 'other data: exit 1' $?
check 'the dataset is the first of all' grep -q 'first in the dataset' err

echo '# refused'
refused() { # CODE WHAT TEXT WORDS...
    exits "$1" 0 rerun "${@:4}"
    verdict "$2: exit $1" $?
    check 'and says so' grep -q -- "$3" err
}
refused 2 'no run' 'no is no run directory' no
refused 2 'a setting of the run' 'only ranks\.\*' run seed=3
refused 2 'the run itself' 'is the run itself' run --out run
refused 2 'a directory with another run' 'begun with other settings' run --out other
mkdir empty
cp run/used.yaml empty
refused 2 'a run that made nothing' 'before it made anything' empty
cp -r run damaged
printf x >damaged/policy.h5
refused 76 'a damaged policy' 'policy.h5' --compare run damaged
finish
