#!/bin/bash
# What a user sees: help, and for each mistake one line that says what is wrong, with the promised exit code.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

smoke=$source_dir/configs/smoke.yaml

# The program's own lines on stderr: not the log, which starts with seconds, and not what mpirun adds.
messages() {
    grep -a '^mopo' err
}

# told WHAT CODE RANKS TEXT ARGUMENTS...: it ends with this code and one message, which holds TEXT.
told() {
    local what=$1 code=$2 ranks=$3 text=$4
    shift 4
    exits "$code" "$ranks" "$@" && [ "$(messages | wc -l)" -eq 1 ] && messages | grep -qF -- "$text"
    verdict "$what" $?
}

# The same on one process and on three ranks.
told_once() {
    local what=$1 code=$2 text=$3
    shift 3
    told "$what" "$code" 0 "$text" "$@"
    told "$what, 3 ranks" "$code" 3 "$text" "$@"
}

# helps COMMAND OPTION...
helps() {
    local command=$1 option
    shift
    exits 0 0 "$command" --help
    verdict "$command --help" $?
    for option in Usage: "$@" --help; do
        check "$command --help has $option" grep -qF -- "$option" out
    done
    check "$command --help fits into 100 columns" test "$(wc -L <out)" -le 100
    check "$command is quiet on stderr" test ! -s err
}

echo '# help and version'
exits 0 0 --help
verdict 'mopo --help' $?
for word in train eval collect data plan bench config 'Exit codes' ' 75 ' ' 76 '; do
    check "mopo --help has $word" grep -qF -- "$word" out
done
helps train --max-time SIGUSR2
helps eval --episodes --json
helps collect --rows --force
helps data info check convert relabel --json --force
helps bench --json --only --quick --compare mpirun
helps plan --ranks --passes --json --slurm
helps config --markdown show keys tables
exits 0 0 --version
verdict 'mopo --version' $?
check 'with version, compiler, libraries' grep -cE '^(mopo [0-9]|compiler|MPI|OpenBLAS|HDF5|MuJoCo)' out
exits 0 3 --version
verdict 'mopo --version, 3 ranks' $?
check 'it is printed once' test "$(grep -c '^MuJoCo' out)" -eq 1
exits 0 0 config show "$smoke" seed=3
verdict 'config show' $?
cp out shown.yaml
check 'with the origin of a word' grep -q 'seed: 3 .*command line' shown.yaml
exits 0 0 config show shown.yaml
check 'what it shows can be used again' test "$(sed 's/ *#.*//' shown.yaml)" = "$(sed 's/ *#.*//' out)"

echo '# mistakes in the command line: exit 2'
told_once 'unknown command' 2 'unknown command trian; did you mean train?' trian
told_once 'unknown option' 2 'unknown option --max-tme=3; did you mean --max-time?' train --max-tme=3
told 'option without its value' 2 0 '--max-time needs a value' train --max-time
told 'option out of range' 2 0 'allowed is a whole number from 1 to' train --max-time 0 run_dir=none
told 'unknown action' 2 0 'unknown action inf; choose one of info, check, convert, relabel; did you mean info?' data inf file
told 'verb said twice' 2 0 'mopo collect: unknown option --polcy; did you mean --policy?' collect x --polcy y
told 'missing word' 2 0 'usage: mopo eval RUN_OR_POLICY' eval
told 'file that is there already' 2 0 'is there already; --force writes over it' collect shown.yaml task=pointmass
told 'drawn actions beside training' 2 0 '--family cannot stand beside --sample' collect new --family --sample
told 'settings instead of a file' 2 0 'the first word is the FILE or DIR to make' collect task=pointmass --rows 10
told_once 'directory instead of a file' 2 '. is a directory' collect . task=pointmass --force
told_once 'unknown key' 2 'unknown key train.epochz; did you mean train.epochs?' train train.epochz=4
told_once 'value that is no number' 2 'seed: found x, allowed is a whole number from 0' train seed=x
told_once 'value out of range' 2 'sac.gamma: found 2, allowed is a number from 0 to 1' train sac.gamma=2
told 'word that is not in the list' 2 0 'found maxstd, allowed is none' train penalty.type=maxstd
told_once 'keys that do not go together' 2 'model.elites (9) is more than model.members (7)' train model.elites=9
told_once 'unknown task' 2 'there are: halfcheetah, hopper, ' collect new.hdf5 task=pointmas
told 'missing configuration file' 2 0 'nofile.yaml: no such configuration file' train nofile.yaml
printf 'task: pointmass\nrollout:\n  horizn: 5\n' >wrong.yaml
told_once 'wrong key in a file, with line and column' 2 'wrong.yaml:3:3' train wrong.yaml

echo '# wrong input'
exits 0 0 collect good.hdf5 task=pointmass --rows 1500
verdict 'a dataset' $?
told_once 'missing dataset' 2 'nodata.hdf5 is not there' train "$smoke" collect.rows=0 dataset=nodata.hdf5 run_dir=a
told 'no dataset' 2 0 'dataset: none is given' train "$smoke" collect.rows=0 dataset= run_dir=a
told 'limits of actions measured, with a simulator' 2 0 'auto measures what the file holds' \
    train "$smoke" dataset=good.hdf5 data.action_low=auto data.action_high=auto run_dir=a
told_once 'text instead of a dataset' 76 'wrong.yaml: not an HDF5 file' train "$smoke" dataset=wrong.yaml run_dir=b
head -c 20000 good.hdf5 >short.hdf5
told_once 'dataset cut short' 76 'short.hdf5' train "$smoke" dataset=short.hdf5 run_dir=b
python3 - <<'PYTHON'
# The rewards are the one compressed block of 1500 single precision numbers; bytes of ones are NaN.
import zlib
data = bytearray(open("good.hdf5", "rb").read())
for at in range(len(data)):
    if data[at] == 0x78:
        stream = zlib.decompressobj()
        try:
            plain = stream.decompress(bytes(data[at:]))
        except zlib.error:
            continue
        if stream.eof and len(plain) == 6000:
            size = len(data) - at - len(stream.unused_data)
            data[at:at + size] = zlib.compress(b"\xff" * 6000).ljust(size, b"\0")
            open("nan.hdf5", "wb").write(data)
            break
PYTHON
told_once 'NaN in a dataset' 76 "nan.hdf5: 'rewards'" train "$smoke" collect.rows=0 dataset=nan.hdf5 run_dir=b
told_once 'dataset of another task' 2 "'observations' has 4 columns, the task has 17" \
    train "$smoke" dataset=good.hdf5 task=halfcheetah run_dir=b
printf 'observations,actions,rewards\n1,0,1\n2,0,1\n' >table.csv
told_once 'table instead of a dataset' 76 'mopo data convert table.csv table.hdf5' train "$smoke" dataset=table.csv run_dir=b
told 'what training says to a table' 76 0 'mopo data convert table.csv table.hdf5' data info table.csv
exits 0 0 data check table.csv
verdict 'a table is checked' $?
check 'and what to make of it is said' grep -q 'mopo data convert' out
told_once 'no policy' 1 'nothing.h5: cannot open' eval nothing.h5
told_once 'dataset instead of a policy' 76 'good.hdf5: no policy in it' eval good.hdf5
check 'mistyped settings can be corrected in the same run_dir' exits 0 0 train "$smoke" dataset=good.hdf5 run_dir=b

echo "# Minari's layout"
exits 0 0 data convert good.hdf5 toy/good-v0
verdict 'a dataset in Minari'\''s layout' $?
minari=toy/good-v0/data/main_data.hdf5
exits 0 0 data check $minari task=pointmass
verdict 'data check takes it' $?
exits 0 0 data info good.hdf5 task=pointmass
grep -a digest out >digest.d4rl
exits 0 0 data info $minari task=pointmass
check 'data info shows the same transitions' cmp digest.d4rl <(grep -a digest out)
exits 0 2 train "$smoke" dataset=good.hdf5 run_dir=of-d4rl train.epochs=1 &&
    exits 0 2 train "$smoke" dataset=$minari run_dir=of-minari train.epochs=1
verdict 'train takes both' $?
check 'and makes the same policy of them' cmp of-d4rl/metrics.jsonl of-minari/metrics.jsonl

echo '# the run directory'
touch file
told_once 'run_dir that cannot be made' 1 'file' train "$smoke" dataset=good.hdf5 run_dir=file/run
told 'run_dir with files of others' 2 0 'holds files' train "$smoke" dataset=good.hdf5 run_dir=.
"$program" train "$smoke" dataset=good.hdf5 run_dir=busy train.epochs=1000000 >/dev/null 2>&1 </dev/null &
child=$!
until [ "$(lines_of busy/metrics.jsonl)" -ge 1 ] || ! kill -0 "$child"; do
    sleep 0.02
done
told_once 'second process in a run_dir' 2 'another process is running here' train "$smoke" dataset=good.hdf5 \
    run_dir=busy train.epochs=1000000
kill -KILL "$child"
wait "$child" 2>/dev/null
child=''
told 'nothing is left locked' 2 0 'seed: 0 -> 1' train "$smoke" dataset=good.hdf5 run_dir=busy seed=1
finish
