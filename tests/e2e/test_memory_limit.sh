#!/bin/bash
# A real limit of memory (ulimit -v) from far too little up to enough, for the process alone and for one rank of
# three. Libraries may end the process in their own way; but it ends, without a success that is none, and what
# it leaves behind is taken up by the next start. One thing is Open MPI's: where a rank cannot map the memory that
# it shares with the others, it says so and waits in MPI_Init for ever.
# MOPO_LIMIT_STEP=1.02 in the environment takes smaller steps than the usual factor of 1.25.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

smoke=$source_dir/configs/smoke.yaml
step=${MOPO_LIMIT_STEP:-1.25}
settings=(dataset=data.hdf5 train.epochs=2 train.updates_per_epoch=10)

exits 0 0 collect data.hdf5 task=pointmass --rows 500
verdict 'a dataset' $?
exits 0 0 train "$smoke" "${settings[@]}" run_dir=plain
verdict 'a run without a limit' $?

# limited KILOBYTES RANKS DIR: one process of RANKS (0: without mpirun) gets the limit.
limited() {
    # shellcheck disable=SC2016
    local small=(bash -c 'ulimit -v "$1" && shift && exec "$@"' limit "$1" "$program")
    local line=(train "$smoke" "${settings[@]}" run_dir="$3")
    if [ "$2" -eq 0 ]; then
        timeout -k 5 20 "${small[@]}" "${line[@]}"
    else
        timeout -k 5 20 mpirun -n 1 "$program" "${line[@]}" : -n 1 "${small[@]}" "${line[@]}" : -n 1 "$program" "${line[@]}"
    fi >"$work/out" 2>"$work/err" </dev/null
}

# climb RANKS: until a run succeeds.
climb() {
    local kilobytes=60000 code=1 runs=0 hung=0 false_success=0 lost=0 told=0
    while [ $code -ne 0 ] && [ $runs -lt 400 ]; do
        rm -rf limited
        limited "$kilobytes" "$1" limited 2>/dev/null
        code=$?
        runs=$((runs + 1))
        ! grep -qa 'no memory for' err || told=$((told + 1))
        if { [ $code -eq 124 ] || [ $code -eq 137 ]; } && ! grep -qa 'shared memory initialization' err; then
            hung=$((hung + 1))
        fi
        if [ $code -ne 0 ] && [ -d limited ]; then
            mopo train "$smoke" "${settings[@]}" run_dir=limited || lost=$((lost + 1))
        fi
        if [ -d limited ] && ! same_run plain limited >/dev/null; then
            false_success=$((false_success + 1))
        fi
        kilobytes=$(awk -v k="$kilobytes" -v step="$step" 'BEGIN { print int(k * step) }')
    done
    printf '        %d limits, enough at %d MB; %d times memory was named\n' $runs $((kilobytes / 1000)) $told
    test $told -gt 0
    verdict 'what was refused is named' $?
    test $hung -eq 0
    verdict 'nothing hung' $?
    test $lost -eq 0
    verdict 'every refused run goes on' $?
    test $false_success -eq 0
    verdict 'and ends with the same bytes' $?
    test $code -eq 0
    verdict 'at last there is enough' $?
}

climb 0
climb 3
finish
