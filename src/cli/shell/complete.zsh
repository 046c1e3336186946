# Completion of mopo's command line in zsh. The tables above come from the program: `mopo completion zsh`.
_mopo_settings() {
    local key
    local -aU found
    for key in ${=_mopo_keys}; do
        if [[ $settings == - || $key != ${settings}* ]]; then
            continue
        elif [[ $key == *.* && $PREFIX != *.* ]]; then
            found+=(${key%%.*}.)
        else
            found+=($key=)
        fi
    done
    compadd -S '' -a found
}

_mopo() {
    local actions options valued files settings=- values key before=$words[CURRENT-1]
    if ((CURRENT == 2)); then
        compadd -- ${=_mopo_verbs} --help --version
        return
    fi
    _mopo_about $words[2]
    [[ $words[2] != man ]] || actions="$_mopo_verbs settings"
    if compset -P 1 '*='; then
        key=${IPREFIX%=}
    elif [[ " $valued " == *" $before "* ]]; then
        key=$before
    fi
    if [[ -n $key ]]; then
        _mopo_values $key
        if [[ " $files " == *" $key "* ]]; then
            _files
        else
            compadd -- ${=values}
        fi
    elif [[ $PREFIX == -* ]]; then
        compadd -- ${=options} ${=valued}
    elif [[ -n $actions ]] && ((CURRENT == 3)); then
        compadd -- ${=actions}
    else
        _mopo_settings
        _files
    fi
}
_mopo "$@"
