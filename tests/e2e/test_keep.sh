#!/bin/bash
# What the job scripts do where a real SLURM is hard to bring to it (test_slurm.sh has one): settings of a site that are
# odd, signals at bad moments, commands of SLURM that fail. SLURM and the program are stand-ins.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p bin slurm sweep/submit
cp "$source_dir"/slurm/* slurm/
rm -f slurm/site.env
# A requeue kills the script, as SLURM does. What scontrol says stands in the file `answer`, or is slow to come.
cat >bin/scontrol <<'SH'
#!/bin/bash
echo "$*" >>calls
case $1 in
requeue) kill -KILL "$(cat script)" ;;
*)
    [ ! -e answer ] || { cat answer && exit 1; }
    echo "   Requeue=1 Restarts=${SLURM_RESTART_COUNT:-0} BatchFlag=1"
    echo "   Command=$PWD/slurm/sweep.sbatch"
    ;;
esac
SH
printf '#!/bin/bash\ntouch asked\n[ ! -e slow ] || sleep 2\necho NONE\n' >bin/squeue
printf '#!/bin/bash\necho "$*" >>ran\n. ./act\n' >bin/program
printf '#!/bin/bash\nexec "$@"\n' >bin/start
chmod +x bin/*
export PATH=$work/bin:$PATH MOPO=$work/bin/program MOPO_LAUNCH=start SLURM_SUBMIT_DIR=$work SLURM_JOB_ID=7
unset MOPO_SLURM SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_RESTART_COUNT SLURM_JOB_END_TIME

# job ACT [DATASET [MODEL]]: begin a cell whose program does ACT; its script becomes $child.
job() {
    echo "$1" >act
    rm -f calls ran asked
    printf '# mopo sweep g.yaml\ncell\ta\tsweep/a\t%s\t%s\ttrain\tx=1 2\n' "${2:--}" "${3:--}" >sweep/submit/001-cell.tsv
    bash -c 'echo $$ >script; exec bash slurm/sweep.sbatch sweep/submit/001-cell.tsv' >out 2>err </dev/null &
    child=$!
}

# ends CODE END: with this exit code, and this in the last line of the log.
ends() {
    wait "$child" 2>/dev/null
    local code=$?
    child=''
    [ $code -eq "$1" ] && grep '^# ' sweep/logs/a.txt | tail -n 1 | grep -q "^# end $2" && return
    echo "exit code $code" >>err
    tail -n 5 sweep/logs/a.txt >>err
    return 1
}

# A job that is requeued is killed by that: 137.
requeued() { # END
    ends 137 "$1" && grep -q '^requeue 7$' calls
}

restart() { # COUNT
    export SLURM_RESTART_COUNT=$1
}

echo '# settings of a site'
job 'exit 0'
ends 0 '0 done'
verdict 'a job ends well' $?
check 'each word is one' grep -qx 'train x=1 2' ran
# shellcheck disable=SC2016
printf 'set -e\n: $NOT_SET_BY_ANYONE\nfalse || :\n' >slurm/site.env
job 'exit 75'
requeued '75 again .* saved'
verdict 'modules that use names which are not set, and set -e, do not end the job' $?
echo 'export MOPO_STARTS=many' >slurm/site.env
job 'exit 75'
ends 1 '75 failed .*MOPO_STARTS=many'
verdict 'a limit that is no number is told' $?
rm slurm/site.env

echo '# signals at bad moments'
touch slow
job 'exit 0'
until_true test -e asked
kill -USR2 "$child"
ends 0 '0 done'
verdict 'a warning that comes before mopo runs ends nothing' $?
rm slow
echo 'slurm_load_jobs error: Unable to contact slurm controller' >answer
export MOPO_SLURM=$work/slurm
job 'exit 75'
until_true grep -q 'requeue refused' sweep/logs/a.txt
kill -USR2 "$child"
rm answer
ends 137 '75 again'
verdict 'nor does one while the controller does not answer' $?
unset MOPO_SLURM

echo '# what a start came to'
job 'echo "orte_init failed" >&2; exit 1'
requeued '1 again .*the log may say why'
verdict 'a 1 of which mopo says nothing is tried again' $?
job 'echo "mopo train: wrong" >&2; exit 1'
ends 1 '1 failed .*mopo train: wrong'
verdict 'an error is not' $?
job 'exit 1' none.hdf5
ends 1 '1 again .*its dataset none.hdf5 is not there'
verdict 'a cell whose dataset was not made does not begin' $?
check 'indeed' test ! -e ran
mkdir -p models/one/ckpt models/other/ckpt
rm -f sweep/logs/a.starts
restart 0
job 'echo $$ >models/other/ckpt/LATEST; exit 137' - models/one
requeued '137 again'
restart 1
job 'echo $$ >models/other/ckpt/LATEST; exit 137' - models/one
requeued '137 again'
restart 2
job 'echo $$ >models/other/ckpt/LATEST; exit 137' - models/one
ends 137 '137 failed .*3 starts in a row'
verdict 'what other jobs save is no progress' $?
rm -f sweep/logs/a.starts
for count in 0 1 2 3; do
    restart $count
    job 'echo $$ >models/one/ckpt/LATEST; exit 137' - models/one
    requeued '137 again'
    verdict "but its own model's checkpoints are, start $count" $?
done
finish
