#!/bin/bash
# mopo model report: the same bytes on any number of ranks and as train wrote them; messages that teach.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

well_formed() {
    python3 -c 'import sys, xml.dom.minidom; assert xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("text")' "$1"
}

echo '# train writes it'
exits 0 2 train "$source_dir/configs/smoke.yaml" dataset=data.hdf5 run_dir=run train.epochs=1
verdict 'a run' $?
check 'text' grep -q '^Model of task pointmass, algo mopo, seed 0: members 3; elites, .*, 2$' run/model-report.txt
check 'a picture that is XML' well_formed run/model-report.svg
check 'said in the log' grep -q 'model report: R2' run/log.txt
check 'text has no nan' bash -c '! grep -qiw nan run/model-report.txt'
cp -r run/model-report.txt first.txt
rm run/model-report.svg
exits 0 0 train "$source_dir/configs/smoke.yaml" dataset=data.hdf5 run_dir=run train.epochs=2
verdict 'a run that goes on without it makes it again' $?
check 'the same' cmp first.txt run/model-report.txt
check 'both files' test -s run/model-report.svg
touch -d 2001-01-01 run/model-report.svg
exits 0 0 train "$source_dir/configs/smoke.yaml" dataset=data.hdf5 run_dir=run train.epochs=3
verdict 'with it' $?
check 'it stays' test run/model-report.svg -ot data.hdf5

echo '# the command'
for ranks in 0 1 2 3; do
    exits 0 "$ranks" model report run --out "on-$ranks/deep"
    verdict "on $ranks ranks" $?
    check 'prints what it writes' cmp out "on-$ranks/deep/model-report.txt"
    check 'the same text as train' cmp run/model-report.txt "on-$ranks/deep/model-report.txt"
    check 'the same picture' cmp run/model-report.svg "on-$ranks/deep/model-report.svg"
done
rm run/model-report.*
exits 0 2 model report run
verdict 'into the run directory' $?
check 'both files' test -s run/model-report.txt -a -s run/model-report.svg
check 'numbers that can be' python3 - <<'PYTHON'
text = open("run/model-report.txt").read()
rows = [line.split() for line in text.splitlines()]
member = {row[0]: row for row in rows if "elite," in row}
assert len(member) == 2, member
holdout = [row for row in rows if row[:1] == ["reward"]][0]
rmse, deviation, r2 = map(float, holdout[1:4])
assert abs(r2 - (1 - (rmse / deviation) ** 2)) < 2e-3 * (1 + abs(r2)), holdout
shares = [float(x) for x in [row for row in rows if row[:1] == ["all"]][0][1:7]]
assert all(0 <= x <= 100 for x in shares) and shares[:3] == sorted(shares[:3]), shares
PYTHON
exits 0 2 train "$source_dir/configs/smoke.yaml" dataset=data.hdf5 run_dir=real train.real_ratio=1 train.epochs=1
verdict 'a run without models' $?
check 'has no report' test ! -e real/model-report.txt

echo '# without a simulator'
python3 "$source_dir/tools/cart_csv.py" >log.csv
exits 0 0 data convert log.csv log.hdf5
verdict 'a dataset from a table' $?
exits 0 2 train "$source_dir/configs/task/none.yaml" dataset=log.hdf5 data.action_low=-12 data.action_high=12 \
    run_dir=cart model.members=2 model.elites=1 model.hidden=16 model.max_epochs=1 train.epochs=1 \
    train.updates_per_epoch=10 train.batch=64 rollout.batch=64 sac.hidden=16 eval.episodes=1 termination.updates=100
verdict 'a run without a simulator' $?
check 'says what is left out' grep -q 'task none has no simulator' cart/model-report.txt
check 'in the picture, too' grep -q 'the task has no simulator' cart/model-report.svg
check 'which is XML' well_formed cart/model-report.svg

echo '# what is wrong is told'
exits 2 2 model report nowhere
verdict 'no run: exit 2' $?
check 'says what it lacks' grep -q 'nowhere is no run directory: it has no used.yaml' err
exits 2 2 model report real
verdict 'no models: exit 2' $?
check 'says why' grep -q 'real/model.h5 is not there: .* not at all where train.real_ratio is 1' err
exits 2 0 model
verdict 'no action: exit 2' $?
exits 2 0 model reprot run
verdict 'a mistyped one: exit 2' $?
check 'the near one' grep -q 'report' err
exits 2 0 model report
verdict 'no word: exit 2' $?
exits 2 2 model report run seed=7
verdict 'another split: exit 2' $?
check 'says why not' grep -q 'which rows the fit held out' err
exits 2 2 model report run model.hidden=64
verdict 'other networks: exit 2' $?
exits 2 2 model report run model.hiden=64
verdict 'no such setting: exit 2' $?
exits 0 0 collect other.hdf5 task=pointmass --rows 500 seed=3
verdict 'other data' $?
exits 2 2 model report run dataset=other.hdf5
verdict 'not those of the fit: exit 2' $?
check 'says so' grep -q 'was fitted to other data than other.hdf5; give the dataset it was fitted to' err
exits 2 2 model report run dataset=log.hdf5
verdict 'of another shape: exit 2' $?
exits 1 2 model report run dataset=gone.hdf5
verdict 'data that are not there: exit 1' $?
check 'names them' grep -q 'gone.hdf5' err
mkdir damaged && cp run/used.yaml run/model.h5 damaged
printf 'x' | dd of=damaged/model.h5 bs=1 seek=5000 conv=notrunc status=none
exits 76 2 model report damaged
verdict 'a damaged model: exit 76' $?
check 'no report of it' test ! -e damaged/model-report.txt
exits 1 2 model report run --out data.hdf5/here
verdict 'nowhere to write: exit 1' $?
finish
