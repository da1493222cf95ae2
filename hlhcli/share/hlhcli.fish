# Completion of hlhcli for fish; where it has nothing to say, files.
function __hlhcli
    set -l found (env _HLHCLI_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS=(commandline -cp) hlhcli 2>/dev/null)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command hlhcli --no-files --arguments '(__hlhcli)'
