#!/bin/bash
# A collection that was stopped or killed, and started again on other ranks, ends with the bytes of one left alone; a
# dataset carries the policy that made it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

goal=(task=hopper seed=3 --rows 60000) # some seconds: several rounds

# started RANKS FILE ARGUMENTS...: begin in the background and wait until it collects; $child is the process or its
# mpirun.
started() {
    local ranks=$1 file=$2
    shift 2
    rm -f err # of the command before
    if [ "$ranks" -eq 0 ]; then
        "$program" collect "$file" "${goal[@]}" "$@" >out 2>err </dev/null &
    else
        mpirun -n "$ranks" "$program" collect "$file" "${goal[@]}" "$@" >out 2>err </dev/null &
    fi
    child=$!
    until grep -qs collecting err; do
        kill -0 "$child" 2>/dev/null || return 1
        sleep 0.01
    done
    sleep 0.05
}

# ended: its exit code.
ended() {
    wait "$child" 2>/dev/null
    local code=$?
    child=''
    return $code
}

stopped() { # WHAT SIGNAL RANKS FILE ARGUMENTS...
    local what=$1 signal=$2
    shift 2
    started "$@" && kill "-$signal" "$child"
    ended
    local code=$?
    [ $code -eq 75 ] || echo "        exit code $code, not 75"
    [ $code -eq 75 ]
    verdict "$what: exit 75" $?
    check 'it says that the same command goes on' grep -q 'the same command goes on from here' err
    check 'parts are there, and no file' test -e "$2.parts/part-000000.h5" -a ! -e "$2"
}

killed() { # WHAT RANKS FILE
    local what=$1
    shift
    started "$@"
    victim=$child
    [ "$1" -eq 0 ] || victim=$(pgrep -P "$child" | head -n 1) # a rank; mpirun then ends the others
    kill -KILL "$victim"
    ! ended && [ ! -e "$2" ]
    verdict "$what" $?
}

goes_on() { # RANKS FILE ARGUMENTS...
    exits 0 "$1" collect "$2" "${goal[@]}" "${@:3}"
    verdict "goes on on $1 ranks" $?
    check 'after what it had' grep -q 'going on after' err
    check 'same bytes' cmp whole.hdf5 "$2"
    check 'no parts and no lock are left' test ! -e "$2.parts" -a ! -e "$2.lock"
}

exits 0 2 collect whole.hdf5 "${goal[@]}"
verdict 'a collection that nobody disturbs' $?
check 'a short one makes no parts' test ! -e whole.hdf5.parts

echo '# stopped and killed'
stopped 'SIGTERM to 1 process' TERM 0 term.hdf5
goes_on 3 term.hdf5
stopped 'SIGUSR2 to mpirun of 3' USR2 3 usr2.hdf5
killed 'killed when it had gone on, on 1' 0 usr2.hdf5
killed 'and killed again on 2' 2 usr2.hdf5
check 'the part is still there' test -e usr2.hdf5.parts/part-000000.h5
goes_on 0 usr2.hdf5
killed 'killed before the first part' 0 early.hdf5
exits 0 2 collect early.hdf5 "${goal[@]}"
verdict 'begins again' $?
check 'same bytes' cmp whole.hdf5 early.hdf5

check 'the lock of who was killed is void, and told' grep -q "(host .*, pid $victim, since .*) was killed; its lock is void" err

echo '# two at once'
started 0 two.hdf5 && until_true test -s two.hdf5.lock && kill -STOP "$child"
exits 2 3 collect two.hdf5 "${goal[@]}"
verdict 'the second: exit 2' $?
check 'and names the first' grep -q "two.hdf5: another process is collecting this file (host $(hostname), pid $child, since " err
exits 2 0 train "$source_dir/configs/smoke.yaml" dataset=two.hdf5 run_dir=two &&
    grep -q 'another process is collecting this file' err
verdict 'a training that would collect it, too' $?
kill -CONT "$child"
ended
verdict 'the first ends well' $?
check 'same bytes' cmp whole.hdf5 two.hdf5
check 'no lock is left' test ! -e two.hdf5.lock

echo '# other settings, damage, --force'
stopped 'SIGTERM' TERM 0 other.hdf5
exits 2 2 collect other.hdf5 "${goal[@]}" env.gym_version=v4
verdict 'parts of another simulator: exit 2' $?
check 'and says so' grep -q 'other.hdf5.parts was begun with other settings' err
cp whole.hdf5 forced.hdf5
mv other.hdf5.parts forced.hdf5.parts
exits 2 0 collect forced.hdf5 "${goal[@]}"
verdict 'a file that is there: exit 2' $?
exits 0 0 collect forced.hdf5 "${goal[@]}" --force
verdict '--force' $?
check 'does not throw away what it needs' grep -q 'going on after' err
check 'same bytes' cmp whole.hdf5 forced.hdf5
stopped 'SIGTERM' TERM 0 damaged.hdf5
printf 'damage' | dd of=damaged.hdf5.parts/part-000000.h5 bs=1 seek=9000 conv=notrunc 2>/dev/null
exits 76 2 collect damaged.hdf5 "${goal[@]}"
verdict 'a damaged part: exit 76' $?
check 'and names it' grep -q 'part-000000.h5' err
exits 0 2 collect damaged.hdf5 "${goal[@]}" --force
verdict 'begins anew with --force' $?
check 'same bytes' cmp whole.hdf5 damaged.hdf5

echo '# policies'
exits 0 2 train "$source_dir/configs/smoke.yaml" dataset=data.hdf5 run_dir=run train.epochs=1 eval.episodes=5
verdict 'a policy' $?
policy=run/policy.h5
for ranks in 0 2 3; do
    exits 0 "$ranks" collect "mine-$ranks.hdf5" --policy "$policy" --sample --episodes 9
    verdict "its drawn actions on $ranks ranks" $?
    check 'the same bytes on any ranks' cmp mine-0.hdf5 "mine-$ranks.hdf5"
done
exits 0 0 eval "$policy" --json
cp out before.json
exits 0 2 eval mine-0.hdf5 --json
verdict 'eval plays the policy of a dataset' $?
check 'as the policy itself' python3 -c '
import json
a, b = (json.load(open(name))["returns"] for name in ("before.json", "out"))
assert a == b and len(a) > 0'
exits 0 0 collect again.hdf5 --policy mine-0.hdf5 --sample --episodes 9
verdict 'and collect acts by it' $?
check 'to the same bytes' cmp mine-0.hdf5 again.hdf5
exits 0 0 collect mean.hdf5 --policy "$policy" --rows 50
exits 0 0 collect noisy.hdf5 --policy "$policy" --rows 50 --noise 0.1
check 'noise makes a difference' differ mean.hdf5 noisy.hdf5

refused() { # WHAT TEXT ARGUMENTS...
    local what=$1 text=$2
    shift 2
    exits 2 0 collect no.hdf5 "$@"
    verdict "$what: exit 2" $?
    check 'and says so' grep -qe "$text" err
    check 'nothing is made' test ! -e no.hdf5 -a ! -e no.hdf5.parts
}

refused 'a policy of another task' '4 inputs and 2 actions, task hopper has 11 and 3' --policy "$policy" task=hopper
refused '--sample alone' '--sample needs --policy' --sample
refused '--noise alone' '--noise needs --policy' --noise 0.1
refused 'noise on drawn actions' '--noise cannot stand beside --sample' --policy "$policy" --sample --noise 0.1
refused 'noise that is none' 'a number from 0 to 10' --policy "$policy" --noise -1
refused 'two goals' '--rows cannot stand beside --episodes' --rows 5 --episodes 5
exits 1 2 collect no.hdf5 --policy absent.h5
verdict 'a policy that is not there: exit 1' $?
finish
