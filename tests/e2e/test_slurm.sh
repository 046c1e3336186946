#!/bin/bash
# Jobs under a real SLURM of one node (tests/cluster/slurm.sh) go on by themselves: an array of six cells, of which a
# rank is killed, one is stopped, one is wrong, two die at every start, and one finds a process of an earlier start in
# its directory; a dataset; and a run of one seed. All other deaths, and several hosts: tests/cluster/deaths.sh.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cluster/lib.sh
. "$source_dir/tests/cluster/lib.sh"

base=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 train.epochs=20 train.updates_per_epoch=20)
# Some cells die before they get to anything; all others are the program.
cat >"$work/dying" <<EOF
#!/bin/bash
case "\$*" in
*run_dir=*/sweep/dies) kill -KILL \$\$ ;;
*run_dir=*/sweep/stops) exit 75 ;;
esac
exec "$program" "\$@"
EOF
chmod +x "$work/dying"

begin_slurm 0
export MOPO=$work/dying
exits 0 0 train "${base[@]}" run_dir=whole
verdict 'a run that nobody disturbs' $?

list=001-cell
cell killed "${base[@]}"
cell asked "${base[@]}"
cell wrong "${base[@]}" penalty.lamda=2
cell dies "${base[@]}"
cell stops "${base[@]}"
cell held "${base[@]}"
"$program" train "${base[@]}" run_dir=sweep/held >/dev/null 2>&1 &
child=$!
wait_for 30 at_epoch held 2 && kill -STOP "$child"
verdict 'a process holds the directory of a cell' $?
printf '%s\t' data rows rows.hdf5 - - collect rows.hdf5 task=pointmass seed=3 --rows 1500 >>sweep/submit/$list.tsv
echo >>sweep/submit/$list.tsv
submit --ntasks=2
verdict 'cells and a dataset are submitted' $?
seeds=$(on_slurm sbatch --parsable --array=0 --ntasks=2 --mem-per-cpu=100M "$source_dir/slurm/train.sbatch" \
    "${base[@]}")
verdict 'a run of seed 0 is submitted' $?
wait_for 60 at_epoch killed 3 && kill -KILL "$(ranks_of killed | tail -n 1)"
verdict 'a rank is killed' $?
wait_for 60 at_epoch asked 3 && on_slurm scancel --signal=USR2 --batch "${array}_1"
verdict 'SLURM sends USR2, as before a time limit' $?

wait_for 60 ended held again && kill -KILL "$child"
verdict 'its cell waits for another start' $?
wait "$child" 2>/dev/null
child=''
goes_on held 60 2 whole
check 'the log tells who was there' grep -q 'again .*another process is running here (host' "$(log_of held)"
goes_on killed 60 2 whole
check 'the log tells of the killed rank' grep -Eq '^# end [0-9]+ again [^ ]+ a rank was killed' "$(log_of killed)"
goes_on asked 60 2 whole
check 'the log tells of the stop' grep -Eq '^# end 75 again [^ ]+ .*asked \(SIGUSR2\)' "$(log_of asked)"
fails wrong 60 1 'did you mean penalty.lambda'
fails dies 60 3 '3 starts in a row without a new checkpoint'
fails stops 60 3 '3 starts in a row without a new checkpoint'
wait_for 30 ended rows 'done' && [ -s rows.hdf5 ]
verdict 'the dataset is made' $?
wait_for 60 grep -qs '^# end 0 done' mopo-[0-9]*.out
verdict 'the run of seed 0: done' $?
check 'same bytes' same_run whole "runs/mopo-${seeds}_0"
check 'SLURM took every request' test "$(cat sweep/logs/* | grep -c 'requeue refused')" -eq 0
check 'no job failed before it could write its log' test -z "$(grep -hv '^slurmstepd' mopo-sweep-*.out)"
check 'no count is left behind' test -z "$(find sweep runs -name '*.starts')"
finish
