# Completion of hlhcli for Bash; where it has nothing to say, files.
_hlhcli() {
    local IFS=$'\n'
    COMPREPLY=($(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" _HLHCLI_COMPLETE=complete_bash "$1" 2>/dev/null))
}
complete -o default -F _hlhcli hlhcli
