# shellcheck shell=bash disable=SC2154
# Completion of mopo's command line in bash. The tables above come from the program: `mopo completion bash`.
# Behind mpirun, too: complete -o bashdefault -o default -F _mopo mpirun

# Put those of the words $2 that begin with $1 into COMPREPLY.
_mopo_reply() {
    local word
    for word in $2; do
        [[ $word != "$1"* ]] || COMPREPLY+=("$word")
    done
}

# The files whose names begin with $1; folders end in a slash.
_mopo_files() {
    local file
    while IFS= read -r file; do
        if [[ -d $file ]]; then file+=/; fi
        COMPREPLY+=("$(printf %q "$file")")
    done < <(compgen -f -- "$1")
}

# What may stand behind NAME=: of a setting, or of an option.
_mopo_value() {
    local values=''
    if [[ " $files " == *" $1 "* ]]; then
        _mopo_files "$2"
    elif [[ $1 != -* ]]; then
        _mopo_values "$1"
        _mopo_reply "$2" "$values"
    fi
}

# Sections first, then the keys of one.
_mopo_settings() {
    local key
    for key in $_mopo_keys; do
        if [[ $key == "$settings"* && $key == "$1"* ]]; then
            case $1 in
            *.*) COMPREPLY+=("$key=") ;;
            *) [[ " ${COMPREPLY[*]} " == *" ${key%%.*}. "* ]] || case $key in
                *.*) COMPREPLY+=("${key%%.*}.") ;;
                *) COMPREPLY+=("$key=") ;;
                esac ;;
            esac
        fi
    done
}

_mopo() {
    local IFS=$' \t\n' start=0 i actions='' options='' valued='' files='' settings=-
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    for ((i = 0; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]##*/} == mopo ]]; then start=$i && break; fi
    done
    if [[ ${COMP_WORDS[start]##*/} != mopo ]]; then return; fi
    if ((COMP_CWORD == start + 1)); then
        _mopo_reply "$word" "$_mopo_verbs --help --version"
        return
    fi
    _mopo_about "${COMP_WORDS[start + 1]}"
    if [[ ${COMP_WORDS[start + 1]} == man ]]; then actions="$_mopo_verbs settings"; fi
    if [[ $word == = ]]; then # bash takes key=value for three words
        _mopo_value "$before" ''
    elif [[ $before == = ]]; then
        _mopo_value "${COMP_WORDS[COMP_CWORD - 2]}" "$word"
    elif [[ " $valued " == *" $before "* ]]; then
        _mopo_value "$before" "$word"
    elif [[ $word == -* ]]; then
        _mopo_reply "$word" "$options $valued"
    elif [[ -n $actions ]] && ((COMP_CWORD == start + 2)); then
        _mopo_reply "$word" "$actions"
    else
        [[ $settings == - ]] || _mopo_settings "$word"
        _mopo_files "$word"
    fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=./] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o bashdefault -o default -F _mopo mopo
